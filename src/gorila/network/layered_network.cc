#include "gorila/network/layered_network.h"

#include <array>
#include <utility>

#include "gorila/network/argument_checks.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/observation_reader.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

class LayeredNetwork final : public QNetwork {
 public:
  LayeredNetwork(const NetworkSpec& spec, int max_batch,
                 std::unique_ptr<ConvolutionStack> convolutions, std::unique_ptr<DenseStack> dense)
      : spec_(spec),
        layout_(MakeParameterLayout(spec)),
        max_batch_(max_batch),
        features_(MakeNetworkShape(spec).features()),
        convolutions_(std::move(convolutions)),
        dense_(std::move(dense)) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    const SingleThreadScope single_thread;
    has_parameters_ = true;
    if (convolutions_ != nullptr) convolutions_->SetParameters(values);
    dense_->SetParameters(values);
  }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(observations, batch, Pass::kPredict, q);
  }

  void PredictSame(QNetwork& other, std::span<const std::byte> observations, int batch,
                   std::span<float> q) override {
    const auto* const twin = dynamic_cast<LayeredNetwork*>(&other);
    ConvolutionStack* const same = twin != nullptr ? twin->convolutions_.get() : nullptr;
    Compute(observations, batch, Pass::kPredict, q, same);
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
    dense_->Backward(features, batch_, dq.data(), gradient, dfeatures);
    if (convolutions_ == nullptr) return;
    convolutions_->Backward(features, dfeatures, gradient);
  }

 private:
  // `same`: null, or whose inputs may be read (ConvolutionStack::ForwardSame).
  void Compute(std::span<const std::byte> observations, int batch, Pass pass, std::span<float> q,
               ConvolutionStack* same = nullptr) {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    GORILA_CHECK(has_parameters_, "parameters were not set");
    const SingleThreadScope single_thread;
    const auto size = static_cast<std::size_t>(batch);
    float* features = UseFeatures(pass);
    if (convolutions_ != nullptr && same != nullptr) {
      convolutions_->ForwardSame(*same, observations, size, features);
    } else if (convolutions_ != nullptr) {
      convolutions_->Forward(observations, size, pass, features);
    } else {
      ReadObservations(spec_.input, observations, size, features);
    }
    dense_->Forward(features, size, pass, q.data());
  }

  FloatBuffer MakeFeatures() const {
    return FloatBuffer(static_cast<std::size_t>(max_batch_) * features_);
  }

  float* UseFeatures(Pass pass) {
    FloatBuffer& kept = kept_features_[static_cast<std::size_t>(pass)];
    if (kept.size() == 0) kept = MakeFeatures();
    return kept.data();
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  int max_batch_;
  std::size_t features_;  // of one observation
  std::unique_ptr<ConvolutionStack> convolutions_;
  std::unique_ptr<DenseStack> dense_;
  bool has_parameters_ = false;
  std::array<FloatBuffer, 2> kept_features_;  // by Pass; empty until used
  FloatBuffer dfeatures_;                     // of Backward; empty until used
  std::size_t batch_ = 0;                     // of the last Forward
};

}  // namespace

std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                             std::unique_ptr<ConvolutionStack> convolutions,
                                             std::unique_ptr<DenseStack> dense) {
  return std::make_unique<LayeredNetwork>(spec, max_batch, std::move(convolutions),
                                          std::move(dense));
}

}  // namespace gorila
