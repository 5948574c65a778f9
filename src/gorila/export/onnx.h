// A Q-network as an ONNX model, which ONNX Runtime, OpenCV and others compute.
#ifndef GORILA_EXPORT_ONNX_H_
#define GORILA_EXPORT_ONNX_H_

#include <span>
#include <string>

#include "gorila/network/network_spec.h"

namespace gorila {

// The bytes of a model (IR version 7, opset 13). Its input "observation" is what the environment
// writes, batch x (stack * channels) x height x width of uint8 or float32, frames oldest first; its
// output "q" is batch x actions of float32. `parameters` are in the layout's order and as many.
// `description` becomes the model's documentation. Pure; thread-safe.
std::string EncodeOnnx(const NetworkSpec& spec, std::span<const float> parameters,
                       const std::string& description);

}  // namespace gorila

#endif  // GORILA_EXPORT_ONNX_H_
