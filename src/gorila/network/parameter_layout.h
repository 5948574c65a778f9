// The places of a network's parameters in one flat float vector. The order is PyTorch's (row-major,
// output channels first; weight, then bias, layer by layer), so that a checkpoint means the same
// whatever computed it.
#ifndef GORILA_NETWORK_PARAMETER_LAYOUT_H_
#define GORILA_NETWORK_PARAMETER_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/network/network_spec.h"

namespace gorila {

struct ParameterTensor {
  // "conv1.weight", "conv1.bias", "fc1.weight", ..., "q.weight", "q.bias"; with a sampled head
  // "tau.weight" and "tau.bias" before "fc1.weight"; with several heads the weights of all of them,
  // then their biases; last, of a noisy network, "fc1.weight_sigma", ...
  std::string name;
  std::vector<int> shape;  // conv weight {out, in, kernel, kernel}; dense weight {out, in}
  std::size_t offset = 0;  // of its first element in the flat vector
  std::size_t size = 0;    // elements
  int fan_in = 0;          // inputs of one output unit
  std::optional<float> initial = {};  // of every element; none: drawn

  bool operator==(const ParameterTensor&) const = default;
};

struct ParameterLayout {
  std::vector<ParameterTensor> tensors;
  std::size_t size = 0;  // floats in all

  // FNV-1a over names and shapes: two runs with different fingerprints must not share parameters.
  std::uint64_t Fingerprint() const;
};

ParameterLayout MakeParameterLayout(const NetworkSpec& spec);

// Weights and biases uniform in +-1/sqrt(fan_in), as DQN's released code; the sigmas of noise
// sigma_0/sqrt(fan_in) (Fortunato et al. 2018, section 3.2).
std::vector<float> InitialParameters(const ParameterLayout& layout, RandomStream& random);

}  // namespace gorila

#endif  // GORILA_NETWORK_PARAMETER_LAYOUT_H_
