// Noisy networks (Fortunato et al. 2018, section 3): fully connected layers whose weights and
// biases are mu + sigma * noise, with factored noise; mu and sigma are learnt.
#ifndef GORILA_NETWORK_NOISY_NETWORK_H_
#define GORILA_NETWORK_NOISY_NETWORK_H_

#include <functional>
#include <memory>

#include "gorila/network/factored_noise.h"
#include "gorila/network/q_network.h"

namespace gorila {

// Adds noise to the parameters of `means`, the network of `spec` without noise. No backend knows of
// it: each Redraw makes parameters in one pass over the layers. `spec.noise` is above 0.
std::unique_ptr<QNetwork> MakeNoisyNetwork(const NetworkSpec& spec,
                                           std::unique_ptr<QNetwork> means);

// As above, for a network that has a part of the parameters of `spec`: `layout`, that of `means`
// with a sigma for each of the parameters of `noise`, which are the last of the means. `draw` gives
// them new factors.
std::unique_ptr<QNetwork> MakeNoisyNetwork(
    const NetworkSpec& spec, ParameterLayout layout, FactoredNoise noise,
    std::unique_ptr<QNetwork> means,
    std::function<void(RandomStream& random, FactoredNoise& noise)> draw);

}  // namespace gorila

#endif  // GORILA_NETWORK_NOISY_NETWORK_H_
