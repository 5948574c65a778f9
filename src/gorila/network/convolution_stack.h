// The convolutional part of a network. Together with a DenseStack, a CPU backend.
#ifndef GORILA_NETWORK_CONVOLUTION_STACK_H_
#define GORILA_NETWORK_CONVOLUTION_STACK_H_

#include <cstddef>
#include <span>

namespace gorila {

// Which of the two sets of intermediate results a computation may overwrite, so that a Predict does
// not destroy what a Backward still needs.
enum class Pass { kPredict, kForward };

// One or more convolutions with ReLU. Thread-compatible. Sizes are checked by the caller.
class ConvolutionStack {
 public:
  virtual ~ConvolutionStack() = default;

  // `values`: the network's whole parameter vector, which starts with the convolutions; borrowed.
  virtual void SetParameters(std::span<const float> values) = 0;

  // `features`: the last convolution's output, batch x (filters x out_height x out_width).
  virtual void Forward(std::span<const std::byte> observations, std::size_t batch, Pass pass,
                       float* features) = 0;

  // As Forward with Pass::kPredict, for the observations that `other` was last given so, and as
  // many: where it is of the same kind, its inputs are read instead of being made again.
  virtual void ForwardSame(ConvolutionStack& other, std::span<const std::byte> observations,
                           std::size_t batch, float* features) = 0;

  // For the last Forward with Pass::kForward: `features` as it gave them, `dfeatures` the loss's
  // derivative with respect to them (used as scratch). Fills the convolutions' part of `gradient`.
  virtual void Backward(const float* features, float* dfeatures, std::span<float> gradient) = 0;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_CONVOLUTION_STACK_H_
