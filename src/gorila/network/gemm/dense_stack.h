// The fully connected part of a network, on SGEMM. It reads weights and writes gradients where they
// lie in the flat vectors: no layout of its own, so new parameters cost nothing.
#ifndef GORILA_NETWORK_GEMM_DENSE_STACK_H_
#define GORILA_NETWORK_GEMM_DENSE_STACK_H_

#include <cstddef>
#include <span>
#include <vector>

#include "gorila/network/float_buffer.h"
#include "gorila/network/network_shape.h"

namespace gorila {

// ReLU after every layer but the last. Thread-compatible.
class DenseStack {
 public:
  // The outputs of the hidden layers, batch x outputs each.
  using Activations = std::vector<FloatBuffer>;

  // `first_parameter`: where the stack's parameters start in the network's flat vector.
  DenseStack(const std::vector<DenseShape>& layers, std::size_t first_parameter,
             std::size_t max_batch);

  Activations MakeActivations() const;

  // `features`: batch x inputs of the first layer; `q`: batch x outputs of the last.
  void Forward(std::span<const float> parameters, const float* features, std::size_t batch,
               Activations& activations, float* q);

  // `features` and `activations` of the forward pass, `dq` as batch x outputs of the last layer.
  // Fills the stack's part of `gradient` and, unless it is null, `dfeatures` (batch x inputs).
  void Backward(std::span<const float> parameters, const float* features, std::size_t batch,
                const Activations& activations, const float* dq, std::span<float> gradient,
                float* dfeatures);

 private:
  struct Layer {
    DenseShape shape;
    std::size_t weight;  // offsets in the flat vector
    std::size_t bias;
  };

  void Multiply(std::span<const float> parameters, const Layer& layer, const float* in,
                std::size_t batch, bool relu, float* out);

  std::vector<Layer> layers_;
  std::size_t max_batch_;
  FloatBuffer transposed_;   // one layer's outputs x batch
  Activations derivatives_;  // of the hidden layers' outputs; empty before the first Backward
};

}  // namespace gorila

#endif  // GORILA_NETWORK_GEMM_DENSE_STACK_H_
