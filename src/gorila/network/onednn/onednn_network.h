// Backend "onednn": convolutions as oneDNN primitives in its own layouts, the rest on SGEMM.
#ifndef GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_
#define GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_

#include <memory>

#include "gorila/network/q_network.h"

namespace gorila {

// Unavailable when oneDNN cannot compute the spec on this machine.
StatusOr<std::unique_ptr<QNetwork>> MakeOneDnnNetwork(const NetworkSpec& spec, int max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_ONEDNN_NETWORK_H_
