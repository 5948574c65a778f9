// Noisy networks (Fortunato et al. 2018, section 3): fully connected layers whose weights and
// biases are mu + sigma * noise, with factored noise; mu and sigma are learnt.
#ifndef GORILA_NETWORK_NOISY_NETWORK_H_
#define GORILA_NETWORK_NOISY_NETWORK_H_

#include <memory>

#include "gorila/network/q_network.h"

namespace gorila {

// Adds noise to the parameters of `means`, the network of `spec` without noise. A weight from input
// i to output o gets the noise f(e_i) f(e_o), the bias of o gets f(e_o) (noise_table.h). No backend
// knows of it: each Redraw makes parameters in one pass over the layers. `spec.noise` is above 0.
std::unique_ptr<QNetwork> MakeNoisyNetwork(const NetworkSpec& spec,
                                           std::unique_ptr<QNetwork> means);

}  // namespace gorila

#endif  // GORILA_NETWORK_NOISY_NETWORK_H_
