// The network computed by libtorch, on the CPU or a CUDA device.
#ifndef GORILA_NETWORK_TORCH_TORCH_NETWORK_H_
#define GORILA_NETWORK_TORCH_TORCH_NETWORK_H_

#include <memory>
#include <string_view>

#include "gorila/network/q_network.h"

namespace gorila {

// Whether the program is built with libtorch and has the device, "cpu", "cuda" or "cuda:N":
// InvalidArgument without, Unavailable when libtorch cannot be loaded.
Status CheckTorch(std::string_view device);

// `device` has passed CheckTorch. Unavailable when libtorch refuses.
StatusOr<std::unique_ptr<QNetwork>> MakeTorchNetwork(const NetworkSpec& spec, int max_batch,
                                                     std::string_view device);

}  // namespace gorila

#endif  // GORILA_NETWORK_TORCH_TORCH_NETWORK_H_
