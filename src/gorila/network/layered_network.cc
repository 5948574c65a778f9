#include "gorila/network/layered_network.h"

#include <array>
#include <optional>
#include <utility>

#include "gorila/network/argument_checks.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/observation_reader.h"
#include "gorila/network/single_thread.h"
#include "gorila/network/tau_embedding.h"

namespace gorila {
namespace {

class LayeredNetwork final : public QNetwork {
 public:
  LayeredNetwork(const NetworkSpec& spec, int max_batch,
                 std::unique_ptr<ConvolutionStack> convolutions, std::unique_ptr<DenseStack> dense,
                 ParameterLayout layout)
      : spec_(spec),
        layout_(std::move(layout)),
        max_batch_(max_batch),
        features_(MakeNetworkShape(spec).features()),
        dense_offset_(MakeNetworkShape(spec).dense_offset()),
        convolutions_(std::move(convolutions)),
        dense_(std::move(dense)) {
    if (spec.taus > 0) {
      embedding_.emplace(MakeNetworkShape(spec), static_cast<std::size_t>(max_batch));
    }
  }

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    const SingleThreadScope single_thread;
    has_parameters_ = true;
    if (convolutions_ != nullptr) convolutions_->SetParameters(values);
    if (embedding_.has_value()) embedding_->SetParameters(values);
    dense_->SetParameters(values);
  }

  void UseTaus(std::span<const float> taus) override { taus_ = taus; }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(observations, batch, Pass::kPredict, q);
  }

  void PredictSame(QNetwork& other, std::span<const std::byte> observations, int batch,
                   std::span<float> q) override {
    Compute(observations, batch, Pass::kPredict, q, dynamic_cast<LayeredNetwork*>(&other));
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(observations, batch, Pass::kForward, q);
    batch_ = static_cast<std::size_t>(batch);
  }

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckBackwardArguments(spec_, layout_, batch_, dq, gradient);
    const SingleThreadScope single_thread;
    if (convolutions_ != nullptr && dfeatures_.size() == 0) {
      dfeatures_ = MakeFeatures();
    }
    const float* features = UseFeatures(Pass::kForward);
    float* dfeatures = convolutions_ != nullptr ? dfeatures_.data() : nullptr;
    FiniteCheck check;
    if (embedding_.has_value()) {
      if (drows_.size() == 0) drows_ = MakeFeatures(RowsOfOne());
      dense_->Backward(rows_, batch_ * RowsOfOne(), dq.data(), gradient, drows_.data(), check);
      embedding_->Backward(features, batch_, drows_.data(), gradient, dfeatures);
    } else {
      dense_->Backward(features, batch_, dq.data(), gradient, dfeatures, check);
    }
    if (convolutions_ != nullptr) convolutions_->Backward(features, dfeatures, gradient);
    check.Add(gradient.first(dense_offset_));  // convolutions and embedding: small
    GORILA_CHECK(check.seen() == gradient.size(), "{} {}", check.seen(), gradient.size());
    gradient_is_finite_ = check.SquaresAreFinite();
  }

  std::optional<bool> GradientIsFinite() const override {
    if (!gradient_is_finite_.has_value()) return std::nullopt;
    return *gradient_is_finite_ && dense_->elsewhere().finite;
  }
  GradientSize elsewhere() const override { return dense_->elsewhere(); }
  void ScaleElsewhere(float factor) override { dense_->ScaleElsewhere(factor); }

 private:
  // `same`: null, or what predicted for these observations.
  void Compute(std::span<const std::byte> observations, int batch, Pass pass, std::span<float> q,
               LayeredNetwork* same = nullptr) {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    const std::span<const float> taus = std::exchange(taus_, {});
    CheckTaus(spec_, batch, taus);
    GORILA_CHECK(has_parameters_, "parameters were not set");
    const SingleThreadScope single_thread;
    const auto size = static_cast<std::size_t>(batch);
    float* features = UseFeatures(pass);
    if (same != this) ComputeFeatures(observations, size, pass, same, features);
    if (!embedding_.has_value()) return dense_->Forward(features, size, pass, q.data());
    const float* const rows = embedding_->Forward(features, size, pass, taus);
    if (pass == Pass::kForward) rows_ = rows;
    dense_->Forward(rows, size * RowsOfOne(), pass, q.data());
  }

  void ComputeFeatures(std::span<const std::byte> observations, std::size_t batch, Pass pass,
                       LayeredNetwork* same, float* features) {
    ConvolutionStack* const twin = same != nullptr ? same->convolutions_.get() : nullptr;
    if (convolutions_ != nullptr && twin != nullptr) {
      convolutions_->ForwardSame(*twin, observations, batch, features);
    } else if (convolutions_ != nullptr) {
      convolutions_->Forward(observations, batch, pass, features);
    } else {
      ReadObservations(spec_.input, observations, batch, features);
    }
  }

  std::size_t RowsOfOne() const { return static_cast<std::size_t>(spec_.taus); }

  FloatBuffer MakeFeatures(std::size_t rows = 1) const {
    return FloatBuffer(static_cast<std::size_t>(max_batch_) * rows * features_);
  }

  float* UseFeatures(Pass pass) {
    FloatBuffer& kept = kept_features_[static_cast<std::size_t>(pass)];
    if (kept.size() == 0) kept = MakeFeatures();
    return kept.data();
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  int max_batch_;
  std::size_t features_;      // of one observation
  std::size_t dense_offset_;  // of the dense layers' parameters
  std::unique_ptr<ConvolutionStack> convolutions_;
  std::optional<TauEmbedding> embedding_;  // with a sampled head
  std::unique_ptr<DenseStack> dense_;
  std::span<const float> taus_;  // of the next computation; empty: the midpoints
  bool has_parameters_ = false;
  std::array<FloatBuffer, 2> kept_features_;  // by Pass; empty until used
  FloatBuffer dfeatures_;                     // of Backward; empty until used
  FloatBuffer drows_;                         // the same, with a sampled head
  const float* rows_ = nullptr;               // what the dense layers read in the last Forward
  std::size_t batch_ = 0;                     // of the last Forward
  std::optional<bool> gradient_is_finite_;    // of the last Backward
};

}  // namespace

std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                             std::unique_ptr<ConvolutionStack> convolutions,
                                             std::unique_ptr<DenseStack> dense,
                                             ParameterLayout layout) {
  return std::make_unique<LayeredNetwork>(spec, max_batch, std::move(convolutions),
                                          std::move(dense), std::move(layout));
}

}  // namespace gorila
