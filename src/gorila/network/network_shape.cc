#include "gorila/network/network_shape.h"

#include <fmt/format.h>

namespace gorila {
namespace {

ConvolutionShape Next(const ConvolutionSpec& spec, std::size_t channels, std::size_t height,
                      std::size_t width) {
  const auto kernel = static_cast<std::size_t>(spec.kernel);
  const auto stride = static_cast<std::size_t>(spec.stride);
  return {.channels = channels,
          .height = height,
          .width = width,
          .filters = static_cast<std::size_t>(spec.filters),
          .kernel = kernel,
          .stride = stride,
          .out_height = (height - kernel) / stride + 1,
          .out_width = (width - kernel) / stride + 1};
}

template <typename Layer>
double FlopsOf(const std::vector<Layer>& layers) {
  double flops = 0;
  for (const Layer& layer : layers) flops += layer.flops();
  return flops;
}

}  // namespace

std::size_t NetworkShape::dense_offset() const {
  std::size_t total = 0;
  for (const ConvolutionShape& layer : convolutions) total += layer.parameters();
  if (embedding.has_value()) total += embedding->parameters();
  return total;
}

std::size_t NetworkShape::parameters() const {
  std::size_t total = dense_offset();
  for (const DenseShape& layer : dense) total += layer.parameters();
  return total;
}

double NetworkShape::forward_flops() const {
  const double row = FlopsOf(dense) + (embedding.has_value() ? embedding->flops() : 0);
  return FlopsOf(convolutions) + static_cast<double>(rows) * row;
}

double NetworkShape::backward_flops() const {
  double unneeded = convolutions.empty() ? 0 : convolutions.front().flops();
  if (embedding.has_value()) {
    unneeded += static_cast<double>(rows) * embedding->flops();
  } else if (convolutions.empty()) {
    unneeded = dense.front().flops();
  }
  return 2 * forward_flops() - unneeded;
}

bool NetworkShape::IsSmall() const { return FlopsOf(convolutions) + FlopsOf(dense) < 1e6; }

NetworkShape MakeNetworkShape(const NetworkSpec& spec) {
  NetworkShape shape;
  auto channels = static_cast<std::size_t>(spec.input_channels());
  auto height = static_cast<std::size_t>(spec.input.height);
  auto width = static_cast<std::size_t>(spec.input.width);
  for (const ConvolutionSpec& convolution : spec.convolutions) {
    const ConvolutionShape& layer =
        shape.convolutions.emplace_back(Next(convolution, channels, height, width));
    channels = layer.filters;
    height = layer.out_height;
    width = layer.out_width;
  }
  std::size_t inputs = channels * height * width;
  if (spec.taus > 0) {
    shape.embedding = DenseShape{.inputs = kCosines, .outputs = inputs};
    shape.rows = static_cast<std::size_t>(spec.taus);
  }
  for (const int units : spec.hidden) {
    shape.dense.push_back({.inputs = inputs, .outputs = static_cast<std::size_t>(units)});
    inputs = shape.dense.back().outputs;
  }
  shape.dense.push_back(
      {.inputs = inputs, .outputs = static_cast<std::size_t>(spec.layer_outputs())});
  return shape;
}

std::string ConvolutionName(std::size_t index) { return fmt::format("conv{}", index + 1); }
std::string HiddenName(std::size_t index) { return fmt::format("fc{}", index + 1); }

}  // namespace gorila
