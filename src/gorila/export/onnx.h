// A network as an ONNX model, which ONNX Runtime, OpenCV and others compute.
#ifndef GORILA_EXPORT_ONNX_H_
#define GORILA_EXPORT_ONNX_H_

#include <span>
#include <string>

#include "gorila/agent/value_form.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// The bytes of a model (IR version 7, opset 13). Its input "observation" is what the environment
// writes, batch x (stack * channels) x height x width of uint8 or float32, frames oldest first; its
// output "q" is batch x actions of float32: action values, whatever the heads give, by `form`,
// which is that of `spec`. A policy has two outputs instead: "policy", batch x actions of
// probabilities, and "value", of each state. `parameters` are in the layout's order and as many; a
// noisy network is written without its noise. `description` becomes the model's documentation.
// Pure; thread-safe.
std::string EncodeOnnx(const NetworkSpec& spec, const ValueForm& form,
                       std::span<const float> parameters, const std::string& description);

}  // namespace gorila

#endif  // GORILA_EXPORT_ONNX_H_
