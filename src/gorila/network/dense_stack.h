// The fully connected part of a network. Together with a ConvolutionStack, a CPU backend.
#ifndef GORILA_NETWORK_DENSE_STACK_H_
#define GORILA_NETWORK_DENSE_STACK_H_

#include <cstddef>
#include <span>

#include "gorila/base/finite.h"
#include "gorila/network/convolution_stack.h"
#include "gorila/network/gradient_size.h"

namespace gorila {

// Fully connected layers, ReLU after every one but the last. Thread-compatible. Sizes are checked
// by the caller.
class DenseStack {
 public:
  virtual ~DenseStack() = default;

  // `values`: the network's whole parameter vector, which ends with the dense layers; borrowed.
  virtual void SetParameters(std::span<const float> values) = 0;

  // `features`: batch x inputs of the first layer; `q`: batch x outputs of the last.
  virtual void Forward(const float* features, std::size_t batch, Pass pass, float* q) = 0;

  // For the last Forward with Pass::kForward: `features` and `batch` as it was given, `dq` the
  // loss's derivative with respect to `q`. Fills the stack's part of `gradient` and, unless it is
  // null, `dfeatures` (batch x inputs). `check` sees that part of the gradient, in pieces.
  virtual void Backward(const float* features, std::size_t batch, const float* dq,
                        std::span<float> gradient, float* dfeatures, FiniteCheck& check) = 0;

  // As QNetwork's.
  virtual GradientSize elsewhere() const { return {}; }
  virtual void ScaleElsewhere(float factor) { static_cast<void>(factor); }
};

}  // namespace gorila

#endif  // GORILA_NETWORK_DENSE_STACK_H_
