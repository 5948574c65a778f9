#include "gorila/network/noisy_network.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gorila/base/status.h"
#include "gorila/network/argument_checks.h"
#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

using NoiseDraw = std::function<void(RandomStream&, FactoredNoise&)>;

// The flat vector: what has no noise, mu, sigma.
class NoisyNetwork final : public QNetwork {
 public:
  NoisyNetwork(const NetworkSpec& spec, ParameterLayout layout, FactoredNoise noise,
               std::unique_ptr<QNetwork> means, NoiseDraw draw)
      : spec_(spec),
        layout_(std::move(layout)),
        means_(std::move(means)),
        noise_(std::move(noise)),
        draw_(std::move(draw)),
        first_(means_->layout().size - noise_.size()),
        values_(means_->layout().size, means_->host_memory()) {
    GORILA_CHECK(layout_.size == means_->layout().size + noise_.size(), "{} {} {}", layout_.size,
                 means_->layout().size, noise_.size());
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
    draw_(random, noise_);
    std::copy_n(given_.begin(), first_, values_.begin());
    noise_.Add(given_.subspan(first_, noise_.size()), given_.last(noise_.size()),
               std::span(values_).last(noise_.size()));
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

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckParameters(layout_, gradient);
    means_->Backward(dq, gradient.first(values_.size()));
    const std::span<float> of_sigma = gradient.last(noise_.size());
    sigma_is_finite_ = true;
    if (drawn_) {
      sigma_is_finite_ = noise_.SigmaGradient(gradient.subspan(first_, noise_.size()), of_sigma);
    } else {
      std::fill(of_sigma.begin(), of_sigma.end(), 0.0F);
    }
  }

  std::optional<bool> GradientIsFinite() const override {
    const std::optional<bool> of_means = means_->GradientIsFinite();
    if (!of_means.has_value()) return std::nullopt;
    return *of_means && sigma_is_finite_;
  }

  GradientSize elsewhere() const override { return means_->elsewhere(); }
  void ScaleElsewhere(float factor) override { means_->ScaleElsewhere(factor); }

  std::pmr::memory_resource* host_memory() const override { return means_->host_memory(); }

 private:
  const NetworkSpec spec_;
  const ParameterLayout layout_;
  const std::unique_ptr<QNetwork> means_;
  FactoredNoise noise_;
  const NoiseDraw draw_;
  const std::size_t first_;         // where the noisy parameters begin
  std::span<const float> given_;    // all parameters, borrowed
  std::pmr::vector<float> values_;  // those that `means_` computes with
  bool drawn_ = false;              // since SetParameters
  bool sigma_is_finite_ = true;     // what the last Backward gave of it
};

}  // namespace

std::unique_ptr<QNetwork> MakeNoisyNetwork(const NetworkSpec& spec,
                                           std::unique_ptr<QNetwork> means) {
  return MakeNoisyNetwork(spec, MakeParameterLayout(spec),
                          FactoredNoise(MakeNetworkShape(spec).dense), std::move(means),
                          [](RandomStream& random, FactoredNoise& noise) { noise.Draw(random); });
}

std::unique_ptr<QNetwork> MakeNoisyNetwork(const NetworkSpec& spec, ParameterLayout layout,
                                           FactoredNoise noise, std::unique_ptr<QNetwork> means,
                                           NoiseDraw draw) {
  return std::make_unique<NoisyNetwork>(spec, std::move(layout), std::move(noise), std::move(means),
                                        std::move(draw));
}

}  // namespace gorila
