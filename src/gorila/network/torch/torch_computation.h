// The module's own: networks as libtorch's tensors.
#ifndef GORILA_NETWORK_TORCH_TORCH_COMPUTATION_H_
#define GORILA_NETWORK_TORCH_TORCH_COMPUTATION_H_

#include <functional>
#include <memory>
#include <string>

#include "gorila/network/q_network.h"

namespace gorila {

// As TorchModule::check.
Status CheckTorchDevice(const std::string& device);

// As TorchModule::make.
StatusOr<std::unique_ptr<QNetwork>> MakeTorchComputation(const NetworkSpec& spec,
                                                         const ParameterLayout& layout,
                                                         int max_batch, const std::string& device);

// As TorchModule::product.
StatusOr<std::function<void()>> MakeTorchProduct(const std::string& device, int side);

}  // namespace gorila

#endif  // GORILA_NETWORK_TORCH_TORCH_COMPUTATION_H_
