#include "gorila/network/gemm/dense_stack.h"

#include <algorithm>

#include "gorila/network/elementwise.h"
#include "gorila/network/gemm/sgemm.h"

namespace gorila {
namespace {

// From here on SGEMM is faster with the weights as its left factor, at the price of a transposed
// product (measured: 1.7 times for 3136 inputs and a batch of 32).
constexpr std::size_t kWeightsFirstBatch = 12;

float Activate(float value, bool relu) { return relu ? std::max(value, 0.0F) : value; }

void AddBias(const float* bias, std::size_t batch, std::size_t outputs, bool relu, float* values) {
  for (std::size_t n = 0; n < batch; ++n) {
    float* row = values + n * outputs;
    for (std::size_t o = 0; o < outputs; ++o) row[o] = Activate(row[o] + bias[o], relu);
  }
}

// `transposed` is outputs x batch, `values` batch x outputs.
void AddBiasTransposing(const float* transposed, const float* bias, std::size_t batch,
                        std::size_t outputs, bool relu, float* values) {
  for (std::size_t n = 0; n < batch; ++n) {
    float* row = values + n * outputs;
    for (std::size_t o = 0; o < outputs; ++o) {
      row[o] = Activate(transposed[o * batch + n] + bias[o], relu);
    }
  }
}

void SumRows(const float* values, std::size_t batch, std::size_t outputs, float* sums) {
  std::fill_n(sums, outputs, 0.0F);
  for (std::size_t n = 0; n < batch; ++n) {
    const float* row = values + n * outputs;
    for (std::size_t o = 0; o < outputs; ++o) sums[o] += row[o];
  }
}

// Calls visit(first, count) for pieces of at most `limit` that cover `size`.
template <typename Visit>
void ForEachPiece(std::size_t size, std::size_t limit, const Visit& visit) {
  for (std::size_t first = 0; first < size; first += limit) {
    visit(first, std::min(limit, size - first));
  }
}

// A product with a weight matrix of megabytes is bound by memory, and SGEMM's own blocking does not
// suit it. In pieces of so many bytes, the weight gradient of nature_dqn takes half the time.
constexpr std::size_t kPieceFloats = 128 * 1024;
constexpr std::size_t kVector = 16;  // pieces are multiples of it

// dweights (outputs x inputs) = transposed dout (batch x outputs) * in (batch x inputs).
void WeightGradient(DenseShape shape, std::size_t batch, const float* dout, const float* in,
                    float* dweights) {
  const std::size_t inputs = shape.inputs;
  const std::size_t outputs = shape.outputs;
  const std::size_t limit = std::max(kPieceFloats / inputs / kVector, std::size_t{1}) * kVector;
  const auto multiply = [&](std::size_t first, std::size_t count) {
    Sgemm(Transpose::kYes, Transpose::kNo, count, inputs, batch, {dout + first, outputs},
          {in, inputs}, {dweights + first * inputs, inputs});
  };
  ForEachPiece(outputs, limit, multiply);
}

// din (batch x inputs) = dout (batch x outputs) * weights (outputs x inputs).
void InputDerivative(DenseShape shape, std::size_t batch, const float* dout, const float* weights,
                     float* din) {
  const std::size_t inputs = shape.inputs;
  const std::size_t outputs = shape.outputs;
  constexpr std::size_t kInputsPerPiece = 1600;
  const auto multiply = [&](std::size_t first, std::size_t count) {
    Sgemm(Transpose::kNo, Transpose::kNo, batch, count, outputs, {dout, outputs},
          {weights + first, inputs}, {din + first, inputs});
  };
  ForEachPiece(inputs, kInputsPerPiece, multiply);
}

}  // namespace

DenseStack::DenseStack(const std::vector<DenseShape>& layers, std::size_t first_parameter,
                       std::size_t max_batch)
    : max_batch_(max_batch) {
  std::size_t widest = 0;
  for (const DenseShape& shape : layers) {
    widest = std::max(widest, shape.outputs);
    layers_.push_back({.shape = shape,
                       .weight = first_parameter,
                       .bias = first_parameter + shape.inputs * shape.outputs});
    first_parameter += shape.parameters();
  }
  transposed_ = FloatBuffer(max_batch * widest);
}

DenseStack::Activations DenseStack::MakeActivations() const {
  Activations activations;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) {
    activations.emplace_back(max_batch_ * layers_[i].shape.outputs);
  }
  return activations;
}

void DenseStack::Forward(std::span<const float> parameters, const float* features,
                         std::size_t batch, Activations& activations, float* q) {
  const float* in = features;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool hidden = i + 1 < layers_.size();
    float* out = hidden ? activations[i].data() : q;
    Multiply(parameters, layers_[i], in, batch, hidden, out);
    in = out;
  }
}

void DenseStack::Multiply(std::span<const float> parameters, const Layer& layer, const float* in,
                          std::size_t batch, bool relu, float* out) {
  const auto [inputs, outputs] = layer.shape;
  const float* weight = &parameters[layer.weight];
  const float* bias = &parameters[layer.bias];
  if (batch < kWeightsFirstBatch) {
    Sgemm(Transpose::kNo, Transpose::kYes, batch, outputs, inputs, {in, inputs}, {weight, inputs},
          {out, outputs});
    AddBias(bias, batch, outputs, relu, out);
  } else {
    Sgemm(Transpose::kNo, Transpose::kYes, outputs, batch, inputs, {weight, inputs}, {in, inputs},
          {transposed_.data(), batch});
    AddBiasTransposing(transposed_.data(), bias, batch, outputs, relu, out);
  }
}

void DenseStack::Backward(std::span<const float> parameters, const float* features,
                          std::size_t batch, const Activations& activations, const float* dq,
                          std::span<float> gradient, float* dfeatures) {
  if (derivatives_.empty()) derivatives_ = MakeActivations();
  const float* dout = dq;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const auto [inputs, outputs] = layers_[i].shape;
    const float* in = i > 0 ? activations[i - 1].data() : features;
    WeightGradient(layers_[i].shape, batch, dout, in, &gradient[layers_[i].weight]);
    SumRows(dout, batch, outputs, &gradient[layers_[i].bias]);
    float* din = i > 0 ? derivatives_[i - 1].data() : dfeatures;
    if (din == nullptr) break;
    InputDerivative(layers_[i].shape, batch, dout, &parameters[layers_[i].weight], din);
    if (i > 0) MaskByRelu(in, batch * inputs, din);
    dout = din;
  }
}

}  // namespace gorila
