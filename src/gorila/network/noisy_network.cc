#include "gorila/network/noisy_network.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/network/argument_checks.h"
#include "gorila/network/elementwise.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/noise_table.h"

namespace gorila {
namespace {

// One layer's place among the means, and the factors of its present noise.
struct NoisyLayer {
  DenseShape shape;
  std::size_t weight;             // of the means; the biases follow
  std::vector<float> of_inputs;   // f(e_i)
  std::vector<float> of_outputs;  // f(e_o)

  std::size_t bias() const { return weight + shape.inputs * shape.outputs; }
};

std::vector<NoisyLayer> MakeLayers(const NetworkShape& shape) {
  std::vector<NoisyLayer> layers;
  std::size_t offset = shape.dense_offset();
  for (const DenseShape& layer : shape.dense) {
    layers.push_back({.shape = layer,
                      .weight = offset,
                      .of_inputs = std::vector<float>(layer.inputs),
                      .of_outputs = std::vector<float>(layer.outputs)});
    offset += layer.parameters();
  }
  return layers;
}

class NoisyNetwork final : public QNetwork {
 public:
  NoisyNetwork(const NetworkSpec& spec, std::unique_ptr<QNetwork> means)
      : spec_(spec),
        layout_(MakeParameterLayout(spec)),
        means_(std::move(means)),
        layers_(MakeLayers(MakeNetworkShape(spec))),
        first_(layers_.front().weight),
        sigma_(means_->layout().size - first_),
        values_(means_->layout().size, means_->host_memory()) {
    GORILA_CHECK(layout_.size == means_->layout().size + sigma_, "{} {}", layout_.size, sigma_);
  }

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    given_ = values;
    drawn_ = false;
    means_->SetParameters(values.first(values_.size()));
  }

  void Redraw(RandomStream& random) override {
    GORILA_CHECK(!given_.empty(), "parameters were not set");
    std::copy_n(given_.begin(), first_, values_.begin());
    for (NoisyLayer& layer : layers_) {
      DrawNoiseFactors(random, layer.of_inputs);
      DrawNoiseFactors(random, layer.of_outputs);
      AddNoise(layer);
    }
    drawn_ = true;
    means_->SetParameters(values_);
  }

  void UseTaus(std::span<const float> taus) override { means_->UseTaus(taus); }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    means_->Predict(observations, batch, q);
  }

  void PredictSame(QNetwork& other, std::span<const std::byte> observations, int batch,
                   std::span<float> q) override {
    auto* const twin = dynamic_cast<NoisyNetwork*>(&other);
    means_->PredictSame(twin != nullptr ? *twin->means_ : other, observations, batch, q);
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    means_->Forward(observations, batch, q);
  }

  // The gradient of mu is the layer's; that of sigma is it times the noise.
  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckParameters(layout_, gradient);
    means_->Backward(dq, gradient.first(values_.size()));
    if (!drawn_) {
      std::fill(gradient.end() - static_cast<std::ptrdiff_t>(sigma_), gradient.end(), 0.0F);
      return;
    }
    for (const NoisyLayer& layer : layers_) SigmaGradient(layer, gradient);
  }

  std::pmr::memory_resource* host_memory() const override { return means_->host_memory(); }

 private:
  // Where the sigma of mean `index` is in the flat vector.
  std::size_t Sigma(std::size_t index) const { return values_.size() + index - first_; }

  void AddNoise(const NoisyLayer& layer) {
    const std::size_t inputs = layer.shape.inputs;
    for (std::size_t o = 0; o < layer.shape.outputs; ++o) {
      const std::size_t row = layer.weight + o * inputs;
      const float of_output = layer.of_outputs[o];
      AddScaledNoise(&given_[row], &given_[Sigma(row)], layer.of_inputs.data(), of_output, inputs,
                     &values_[row]);
      const std::size_t bias = layer.bias() + o;
      values_[bias] = given_[bias] + given_[Sigma(bias)] * of_output;
    }
  }

  void SigmaGradient(const NoisyLayer& layer, std::span<float> gradient) const {
    const std::size_t inputs = layer.shape.inputs;
    for (std::size_t o = 0; o < layer.shape.outputs; ++o) {
      const std::size_t row = layer.weight + o * inputs;
      const float of_output = layer.of_outputs[o];
      MultiplyByNoise(&gradient[row], layer.of_inputs.data(), of_output, inputs,
                      &gradient[Sigma(row)]);
      const std::size_t bias = layer.bias() + o;
      gradient[Sigma(bias)] = gradient[bias] * of_output;
    }
  }

  const NetworkSpec spec_;
  const ParameterLayout layout_;
  const std::unique_ptr<QNetwork> means_;
  std::vector<NoisyLayer> layers_;
  const std::size_t first_;         // where the noisy parameters begin
  const std::size_t sigma_;         // how many there are
  std::span<const float> given_;    // all parameters, borrowed
  std::pmr::vector<float> values_;  // those that `means_` computes with
  bool drawn_ = false;              // since SetParameters
};

}  // namespace

std::unique_ptr<QNetwork> MakeNoisyNetwork(const NetworkSpec& spec,
                                           std::unique_ptr<QNetwork> means) {
  return std::make_unique<NoisyNetwork>(spec, std::move(means));
}

}  // namespace gorila
