// A Q-network as a TorchScript module, which PyTorch and libtorch compute.
#ifndef GORILA_EXPORT_TORCHSCRIPT_H_
#define GORILA_EXPORT_TORCHSCRIPT_H_

#include <span>
#include <string>

#include "gorila/agent/value_form.h"
#include "gorila/network/network_spec.h"

namespace gorila {

// The bytes of a file for torch.jit.load. Its method forward takes what the environment writes,
// batch x (stack * channels) x height x width of uint8 or float32, frames oldest first, and gives
// batch x actions of float32: action values, whatever the heads give, by `form`, which is that of
// `spec`. Its parameters are named as the layout's, "conv1.weight", and in `parameters` in the
// layout's order and as many; a noisy network is written without its noise. InvalidArgument where
// the program is built without libtorch, Unavailable when that cannot be loaded or refuses. The
// first call takes about a second. Thread-safe.
StatusOr<std::string> EncodeTorchScript(const NetworkSpec& spec, const ValueForm& form,
                                        std::span<const float> parameters);

}  // namespace gorila

#endif  // GORILA_EXPORT_TORCHSCRIPT_H_
