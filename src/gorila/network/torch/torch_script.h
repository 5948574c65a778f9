// The module's own: networks as TorchScript.
#ifndef GORILA_NETWORK_TORCH_TORCH_SCRIPT_H_
#define GORILA_NETWORK_TORCH_TORCH_SCRIPT_H_

#include <span>
#include <string>

#include "gorila/network/parameter_layout.h"

namespace gorila {

// As TorchModule::encode.
StatusOr<std::string> EncodeTorchModule(const NetworkSpec& spec, const ParameterLayout& layout,
                                        std::span<const float> parameters,
                                        const std::string& values);

}  // namespace gorila

#endif  // GORILA_NETWORK_TORCH_TORCH_SCRIPT_H_
