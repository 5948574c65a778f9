#include "gorila/network/reference/reference_network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "gorila/network/argument_checks.h"
#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

using Values = std::vector<double>;

void ApplyRelu(Values& values) {
  for (double& value : values) value = std::max(value, 0.0);
}

// Calls visit(output index, weight index, input index) for every product of one convolution.
template <typename Visit>
void ForEachProduct(const ConvolutionShape& s, const Visit& visit) {
  for (std::size_t f = 0; f < s.filters; ++f) {
    for (std::size_t y = 0; y < s.out_height; ++y) {
      for (std::size_t x = 0; x < s.out_width; ++x) {
        const std::size_t out = (f * s.out_height + y) * s.out_width + x;
        for (std::size_t c = 0; c < s.channels; ++c) {
          for (std::size_t ky = 0; ky < s.kernel; ++ky) {
            for (std::size_t kx = 0; kx < s.kernel; ++kx) {
              const std::size_t weight = ((f * s.channels + c) * s.kernel + ky) * s.kernel + kx;
              const std::size_t row = y * s.stride + ky;
              const std::size_t column = x * s.stride + kx;
              visit(out, weight, (c * s.height + row) * s.width + column);
            }
          }
        }
      }
    }
  }
}

template <typename Visit>
void ForEachProduct(const DenseShape& s, const Visit& visit) {
  for (std::size_t out = 0; out < s.outputs; ++out) {
    for (std::size_t in = 0; in < s.inputs; ++in) visit(out, out * s.inputs + in, in);
  }
}

// Outputs that share one bias: the positions of a convolution's filter.
std::size_t OutputsPerBias(const ConvolutionShape& s) { return s.positions(); }
std::size_t OutputsPerBias(const DenseShape&) { return 1; }
std::size_t Weights(const ConvolutionShape& s) { return s.filters * s.fan_in(); }
std::size_t Weights(const DenseShape& s) { return s.outputs * s.inputs; }
std::size_t Inputs(const ConvolutionShape& s) { return s.inputs(); }
std::size_t Inputs(const DenseShape& s) { return s.inputs; }
std::size_t Outputs(const ConvolutionShape& s) { return s.outputs(); }
std::size_t Outputs(const DenseShape& s) { return s.outputs; }

// The layer's outputs before any ReLU. `parameters` are its own: weight, then bias.
template <typename Shape>
Values LayerForward(const Shape& shape, const double* parameters, const Values& inputs) {
  const std::size_t batch = inputs.size() / Inputs(shape);
  const double* bias = parameters + Weights(shape);
  Values outputs(batch * Outputs(shape));
  for (std::size_t n = 0; n < batch; ++n) {
    const double* in = inputs.data() + n * Inputs(shape);
    double* out = outputs.data() + n * Outputs(shape);
    for (std::size_t o = 0; o < Outputs(shape); ++o) out[o] = bias[o / OutputsPerBias(shape)];
    ForEachProduct(shape, [&](std::size_t o, std::size_t w, std::size_t i) {
      out[o] += parameters[w] * in[i];
    });
  }
  return outputs;
}

// Fills the layer's own part of the gradient; returns the gradient with respect to its inputs.
template <typename Shape>
Values LayerBackward(const Shape& shape, const double* parameters, const Values& inputs,
                     const Values& doutputs, double* gradient) {
  const std::size_t batch = inputs.size() / Inputs(shape);
  double* dbias = gradient + Weights(shape);
  Values dinputs(inputs.size());
  for (std::size_t n = 0; n < batch; ++n) {
    const double* in = inputs.data() + n * Inputs(shape);
    const double* dout = doutputs.data() + n * Outputs(shape);
    double* din = dinputs.data() + n * Inputs(shape);
    for (std::size_t o = 0; o < Outputs(shape); ++o) dbias[o / OutputsPerBias(shape)] += dout[o];
    ForEachProduct(shape, [&](std::size_t o, std::size_t w, std::size_t i) {
      gradient[w] += dout[o] * in[i];
      din[i] += dout[o] * parameters[w];
    });
  }
  return dinputs;
}

// The derivative of ReLU is 0 where its output is 0.
void MaskByOutputs(const Values& outputs, Values& doutputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] <= 0) doutputs[i] = 0;
  }
}

// What a forward pass computes on its way.
struct Intermediates {
  std::vector<Values> torso;  // the inputs, then each convolution's outputs; last, the features
  Values cosines;             // of each row, with a sampled head
  Values phi;                 // the same: the embedding of its tau
  std::vector<Values> head;   // what the first dense layer reads, then each one's outputs
};

// Writes what the dense layers read for each tau: the features times the embedding of tau.
// `parameters`: the embedding's own.
void Embed(const NetworkShape& shape, const double* parameters, std::span<const double> taus,
           Intermediates& values) {
  const Values& features = values.torso.back();
  const std::size_t width = shape.features();
  const std::size_t rows = features.size() / width * shape.rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const double midpoint =
        (static_cast<double>(row % shape.rows) + 0.5) / static_cast<double>(shape.rows);
    const double tau = taus.empty() ? midpoint : taus[row];
    for (std::size_t k = 1; k <= kCosines; ++k) {
      values.cosines.push_back(std::cos(std::numbers::pi * static_cast<double>(k) * tau));
    }
  }
  values.phi = LayerForward(*shape.embedding, parameters, values.cosines);
  ApplyRelu(values.phi);
  Values products(values.phi.size());
  for (std::size_t i = 0; i < products.size(); ++i) {
    products[i] = values.phi[i] * features[i / width / shape.rows * width + i % width];
  }
  values.head = {std::move(products)};
}

Intermediates ForwardAll(const NetworkShape& shape, std::span<const double> parameters,
                         std::span<const double> inputs, std::span<const double> taus) {
  Intermediates values;
  values.torso = {Values(inputs.begin(), inputs.end())};
  const double* own = parameters.data();
  for (const ConvolutionShape& layer : shape.convolutions) {
    values.torso.push_back(LayerForward(layer, own, values.torso.back()));
    ApplyRelu(values.torso.back());
    own += layer.parameters();
  }
  if (shape.embedding.has_value()) {
    Embed(shape, own, taus, values);
    own += shape.embedding->parameters();
  } else {
    values.head = {values.torso.back()};
  }
  for (const DenseShape& layer : shape.dense) {
    if (values.head.size() > 1) ApplyRelu(values.head.back());
    values.head.push_back(LayerForward(layer, own, values.head.back()));
    own += layer.parameters();
  }
  return values;
}

// The embedding's own part of the gradient, from that with respect to what the dense layers read.
// Returns that with respect to the features.
Values EmbedBackward(const NetworkShape& shape, const double* parameters,
                     const Intermediates& values, const Values& drows, double* gradient) {
  const Values& features = values.torso.back();
  const std::size_t width = shape.features();
  Values dfeatures(features.size());
  Values dphi(values.phi.size());
  for (std::size_t i = 0; i < dphi.size(); ++i) {
    const std::size_t feature = i / width / shape.rows * width + i % width;
    dfeatures[feature] += drows[i] * values.phi[i];
    dphi[i] = drows[i] * features[feature];
  }
  MaskByOutputs(values.phi, dphi);
  LayerBackward(*shape.embedding, parameters, values.cosines, dphi, gradient);
  return dfeatures;
}

class ReferenceNetwork final : public QNetwork {
 public:
  ReferenceNetwork(const NetworkSpec& spec, int max_batch)
      : spec_(spec), layout_(MakeParameterLayout(spec)), max_batch_(max_batch) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    parameters_.assign(values.begin(), values.end());
  }

  void UseTaus(std::span<const float> taus) override { given_taus_ = taus; }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(ReadInputs(observations, batch, q), TakeTaus(batch), q);
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    inputs_ = ReadInputs(observations, batch, q);
    taus_ = TakeTaus(batch);
    batch_ = static_cast<std::size_t>(batch);
    Compute(inputs_, taus_, q);
  }

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckBackwardArguments(spec_, layout_, batch_, dq, gradient);
    const Values wide(dq.begin(), dq.end());
    Narrow(ReferenceGradient(spec_, parameters_, inputs_, wide, taus_), gradient);
  }

 private:
  static void Narrow(const Values& from, std::span<float> to) {
    std::transform(from.begin(), from.end(), to.begin(),
                   [](double value) { return static_cast<float>(value); });
  }

  Values ReadInputs(std::span<const std::byte> observations, int batch,
                    std::span<const float> q) const {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    return ReferenceInputs(spec_.input, observations, static_cast<std::size_t>(batch));
  }

  Values TakeTaus(int batch) {
    const std::span<const float> taus = std::exchange(given_taus_, {});
    CheckTaus(spec_, batch, taus);
    return {taus.begin(), taus.end()};
  }

  void Compute(const Values& inputs, const Values& taus, std::span<float> q) const {
    GORILA_CHECK(parameters_.size() == layout_.size, "parameters were not set");
    Narrow(ReferenceQValues(spec_, parameters_, inputs, taus), q);
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  int max_batch_;
  Values parameters_;
  std::span<const float> given_taus_;  // of the next computation
  Values inputs_;                      // of the last Forward
  Values taus_;                        // the same
  std::size_t batch_ = 0;
};

}  // namespace

std::vector<double> ReferenceInputs(const ObservationSpec& observation,
                                    std::span<const std::byte> observations, std::size_t batch) {
  const std::size_t elements =
      batch * observation.frame_elements() * static_cast<std::size_t>(observation.stack);
  Values inputs(elements);
  for (std::size_t i = 0; i < elements; ++i) {
    if (observation.element == ElementType::kUint8) {
      inputs[i] = std::to_integer<int>(observations[i]);
    } else {
      float value = 0;
      std::memcpy(&value, &observations[i * sizeof value], sizeof value);
      inputs[i] = value;
    }
    inputs[i] *= observation.scale;
  }
  return inputs;
}

std::vector<double> ReferenceQValues(const NetworkSpec& spec, std::span<const double> parameters,
                                     std::span<const double> inputs, std::span<const double> taus) {
  return ForwardAll(MakeNetworkShape(spec), parameters, inputs, taus).head.back();
}

std::vector<double> ReferenceGradient(const NetworkSpec& spec, std::span<const double> parameters,
                                      std::span<const double> inputs, std::span<const double> dq,
                                      std::span<const double> taus) {
  const NetworkShape shape = MakeNetworkShape(spec);
  const Intermediates values = ForwardAll(shape, parameters, inputs, taus);
  Values gradient(parameters.size());
  Values upstream(dq.begin(), dq.end());
  std::size_t offset = parameters.size();
  const auto apply = [&](const auto& layer, const Values& read) {
    offset -= layer.parameters();
    upstream = LayerBackward(layer, &parameters[offset], read, upstream, &gradient[offset]);
  };
  for (std::size_t i = shape.dense.size(); i-- > 0;) {
    apply(shape.dense[i], values.head[i]);
    if (i > 0) MaskByOutputs(values.head[i], upstream);
  }
  if (shape.embedding.has_value()) {
    offset -= shape.embedding->parameters();
    upstream = EmbedBackward(shape, &parameters[offset], values, upstream, &gradient[offset]);
  }
  for (std::size_t i = shape.convolutions.size(); i-- > 0;) {
    MaskByOutputs(values.torso[i + 1], upstream);
    apply(shape.convolutions[i], values.torso[i]);
  }
  return gradient;
}

StatusOr<std::unique_ptr<QNetwork>> MakeReferenceNetwork(const NetworkSpec& spec, int max_batch) {
  return std::make_unique<ReferenceNetwork>(spec, max_batch);
}

}  // namespace gorila
