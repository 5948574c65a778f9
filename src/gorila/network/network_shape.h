// The sizes that follow from a NetworkSpec, worked out once for layout and backends alike.
#ifndef GORILA_NETWORK_NETWORK_SHAPE_H_
#define GORILA_NETWORK_NETWORK_SHAPE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gorila/network/network_spec.h"

namespace gorila {

// One valid convolution: channels x height x width in, filters x out_height x out_width out.
struct ConvolutionShape {
  std::size_t channels = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t filters = 0;
  std::size_t kernel = 0;
  std::size_t stride = 1;
  std::size_t out_height = 0;
  std::size_t out_width = 0;

  std::size_t inputs() const { return channels * height * width; }
  std::size_t fan_in() const { return channels * kernel * kernel; }
  std::size_t positions() const { return out_height * out_width; }
  std::size_t outputs() const { return filters * positions(); }
  std::size_t parameters() const { return filters * (fan_in() + 1); }
  double flops() const {
    return 2.0 * static_cast<double>(outputs()) * static_cast<double>(fan_in());
  }
  bool operator==(const ConvolutionShape&) const = default;
};

// One fully connected layer.
struct DenseShape {
  std::size_t inputs = 0;
  std::size_t outputs = 0;

  std::size_t parameters() const { return outputs * (inputs + 1); }
  double flops() const { return 2.0 * static_cast<double>(inputs) * static_cast<double>(outputs); }
};

// What a tau becomes before its embedding: cos(pi k tau), k = 1..kCosines, as in Dabney et al.'s
// experiments.
inline constexpr std::size_t kCosines = 64;

struct NetworkShape {
  std::vector<ConvolutionShape> convolutions;
  std::optional<DenseShape> embedding;  // of a sampled head: from cosines to features
  std::size_t rows = 1;  // that the dense layers compute for an observation: one for each tau
  std::vector<DenseShape> dense;  // the hidden ones, then the output layer; never empty

  // The input of the first dense layer: the last convolution's output, or the observation.
  std::size_t features() const { return dense.front().inputs; }
  std::size_t parameters() const;    // without those of noise
  std::size_t dense_offset() const;  // where the dense layers' parameters start among them
  // Floating-point operations of one observation's forward pass, a multiply-add counted as two.
  double forward_flops() const;
  // The same of its backward pass: twice the forward pass, less the first layer's input gradient,
  // which nobody needs.
  double backward_flops() const;
  // Whether its convolutions compute faster on the flat vectors (im2col) than in layouts of
  // their own: measured over networks between minatar_dqn (0.3 MFLOP an observation) and nature_dqn
  // (19 MFLOP).
  // Its taus do not count.
  bool IsSmall() const;
};

// `spec` must have passed CheckNetworkSpec.
NetworkShape MakeNetworkShape(const NetworkSpec& spec);

// "conv1", "fc1", ... as layers are called in parameters and errors; `index` counts from 0.
std::string ConvolutionName(std::size_t index);
std::string HiddenName(std::size_t index);

}  // namespace gorila

#endif  // GORILA_NETWORK_NETWORK_SHAPE_H_
