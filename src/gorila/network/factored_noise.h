// The noise of fully connected layers whose weights and biases are mu + sigma * noise (Fortunato et
// al. 2018, section 3).
#ifndef GORILA_NETWORK_FACTORED_NOISE_H_
#define GORILA_NETWORK_FACTORED_NOISE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/network/network_shape.h"

namespace gorila {

// Of layers whose parameters lie one after another: each one's weights (outputs x inputs), then its
// biases. A weight from input i to output o has the noise f(e_i) f(e_o), the bias of o has f(e_o)
// (noise_table.h). Used by one thread at a time; vectors of other sizes are a broken invariant.
class FactoredNoise {
 public:
  explicit FactoredNoise(std::span<const DenseShape> layers);

  std::size_t size() const { return size_; }  // mus of the layers; there are as many sigmas

  // Present factors: for each layer f(e_i) of its inputs, then f(e_o) of its outputs. 0 at first.
  std::span<const float> factors() const { return factors_; }
  std::span<const float> of_inputs(std::size_t layer) const {
    return factors().subspan(layers_[layer].factors, layers_[layer].shape.inputs);
  }
  std::span<const float> of_outputs(std::size_t layer) const {
    return factors().subspan(layers_[layer].factors + layers_[layer].shape.inputs,
                             layers_[layer].shape.outputs);
  }
  void Draw(RandomStream& random);
  void SetFactors(std::span<const float> factors);

  // values = mu + sigma * noise.
  void Add(std::span<const float> mu, std::span<const float> sigma, std::span<float> values) const;

  // The gradient of the sigmas from that of the mus, which is the layers' own: times the noise.
  // True if SquaresAreFinite() of it, looked at while it is in a cache.
  bool SigmaGradient(std::span<const float> of_mu, std::span<float> of_sigma) const;

 private:
  struct Layer {
    DenseShape shape;
    std::size_t weight;   // where its parameters begin
    std::size_t factors;  // and its factors
  };

  // Calls visit(row, inputs, of_inputs, bias, of_output) for every output of every layer.
  template <typename Visit>
  void ForEachOutput(const Visit& visit) const;

  std::vector<Layer> layers_;
  std::vector<float> factors_;
  std::size_t size_ = 0;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_FACTORED_NOISE_H_
