// The sampled head of implicit quantile networks (Dabney et al. 2018b, section 3.1): the dense
// layers read a network's features times an embedding of tau, once for each tau.
#ifndef GORILA_NETWORK_TAU_EMBEDDING_H_
#define GORILA_NETWORK_TAU_EMBEDDING_H_

#include <array>
#include <cstddef>
#include <span>

#include "gorila/network/convolution_stack.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/network_shape.h"

namespace gorila {

// cos(pi k tau), k = 1..kCosines, each correct to a few units in the last place of a float.
void WriteCosines(double tau, float* cosines);

// Thread-compatible. Sizes are checked by the caller.
class TauEmbedding {
 public:
  // Of a shape that has an embedding.
  TauEmbedding(const NetworkShape& shape, std::size_t max_batch);

  // `values`: the network's whole parameter vector; borrowed.
  void SetParameters(std::span<const float> values) { parameters_ = values; }

  // `features`: batch x width. `taus`: batch x taus; empty: the midpoints. The result, batch x taus
  // rows of the same width, stays until the next call with the same pass.
  const float* Forward(const float* features, std::size_t batch, Pass pass,
                       std::span<const float> taus);

  // For the last Forward with Pass::kForward, with `features` and `batch` as it was given. `drows`:
  // the loss's derivative with respect to its result (used as scratch). Fills the embedding's part
  // of `gradient` and, unless it is null, `dfeatures` (batch x width).
  void Backward(const float* features, std::size_t batch, float* drows, std::span<float> gradient,
                float* dfeatures);

 private:
  // A Predict needs no phi afterwards, so its rows are computed in place.
  struct Kept {
    FloatBuffer cosines;  // rows x kCosines
    FloatBuffer phi;      // rows x width
    FloatBuffer rows;     // the same
  };

  Kept& Use(Pass pass);

  DenseShape shape_;
  std::size_t taus_;
  std::size_t max_rows_;
  std::size_t weight_;  // offsets in the flat vector
  std::size_t bias_;
  std::span<const float> parameters_;
  std::array<Kept, 2> kept_;  // by Pass; empty until used
  FloatBuffer unwanted_;      // derivatives of features; empty until used
};

}  // namespace gorila

#endif  // GORILA_NETWORK_TAU_EMBEDDING_H_
