#include "gorila/network/factored_noise.h"

#include <algorithm>

#include "gorila/base/finite.h"
#include "gorila/base/status.h"
#include "gorila/network/elementwise.h"
#include "gorila/network/noise_table.h"

namespace gorila {

FactoredNoise::FactoredNoise(std::span<const DenseShape> layers) {
  std::size_t factors = 0;
  for (const DenseShape& shape : layers) {
    layers_.push_back({.shape = shape, .weight = size_, .factors = factors});
    size_ += shape.parameters();
    factors += shape.inputs + shape.outputs;
  }
  factors_.resize(factors);
}

void FactoredNoise::Draw(RandomStream& random) {
  for (const Layer& layer : layers_) {
    const std::span<float> own = std::span(factors_).subspan(layer.factors);
    DrawNoiseFactors(random, own.first(layer.shape.inputs));
    DrawNoiseFactors(random, own.subspan(layer.shape.inputs, layer.shape.outputs));
  }
}

void FactoredNoise::SetFactors(std::span<const float> factors) {
  GORILA_CHECK(factors.size() == factors_.size(), "{} {}", factors.size(), factors_.size());
  std::copy(factors.begin(), factors.end(), factors_.begin());
}

template <typename Visit>
void FactoredNoise::ForEachOutput(const Visit& visit) const {
  for (const Layer& layer : layers_) {
    const std::size_t inputs = layer.shape.inputs;
    const float* const of_inputs = &factors_[layer.factors];
    const float* const of_outputs = of_inputs + inputs;
    const std::size_t biases = layer.weight + inputs * layer.shape.outputs;
    for (std::size_t o = 0; o < layer.shape.outputs; ++o) {
      visit(layer.weight + o * inputs, inputs, of_inputs, biases + o, of_outputs[o]);
    }
  }
}

void FactoredNoise::Add(std::span<const float> mu, std::span<const float> sigma,
                        std::span<float> values) const {
  GORILA_CHECK(mu.size() == size_ && sigma.size() == size_ && values.size() == size_);
  ForEachOutput([&](std::size_t row, std::size_t inputs, const float* of_inputs, std::size_t bias,
                    float of_output) {
    AddScaledNoise(&mu[row], &sigma[row], of_inputs, of_output, inputs, &values[row]);
    values[bias] = mu[bias] + sigma[bias] * of_output;
  });
}

bool FactoredNoise::SigmaGradient(std::span<const float> of_mu, std::span<float> of_sigma) const {
  GORILA_CHECK(of_mu.size() == size_ && of_sigma.size() == size_);
  FiniteCheck check;
  ForEachOutput([&](std::size_t row, std::size_t inputs, const float* of_inputs, std::size_t bias,
                    float of_output) {
    MultiplyByNoise(&of_mu[row], of_inputs, of_output, inputs, &of_sigma[row]);
    of_sigma[bias] = of_mu[bias] * of_output;
    check.Add(of_sigma.subspan(row, inputs));
    check.Add(of_sigma.subspan(bias, 1));
  });
  return check.SquaresAreFinite();
}

}  // namespace gorila
