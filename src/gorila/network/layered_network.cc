#include "gorila/network/layered_network.h"

#include <array>
#include <utility>

#include "gorila/network/argument_checks.h"
#include "gorila/network/gemm/dense_stack.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/observation_reader.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

class LayeredNetwork final : public QNetwork {
 public:
  LayeredNetwork(const NetworkSpec& spec, const NetworkShape& shape, int max_batch,
                 std::unique_ptr<ConvolutionStack> convolutions)
      : spec_(spec),
        layout_(MakeParameterLayout(spec)),
        max_batch_(max_batch),
        features_(shape.features()),
        convolutions_(std::move(convolutions)),
        dense_(shape.dense, shape.parameters() - DenseParameters(shape),
               static_cast<std::size_t>(max_batch)) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }

  void SetParameters(std::span<const float> values) override {
    CheckParameters(layout_, values);
    parameters_ = values;
    if (convolutions_ != nullptr) convolutions_->SetParameters(values);
  }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(observations, batch, Pass::kPredict, q);
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    Compute(observations, batch, Pass::kForward, q);
    batch_ = static_cast<std::size_t>(batch);
  }

  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    CheckBackwardArguments(spec_, layout_, batch_, dq, gradient);
    const SingleThreadScope single_thread;
    const Intermediates& kept = UseIntermediates(Pass::kForward);
    if (convolutions_ != nullptr && dfeatures_.size() == 0) {
      dfeatures_ = MakeFeatures();
    }
    float* dfeatures = convolutions_ != nullptr ? dfeatures_.data() : nullptr;
    dense_.Backward(parameters_, kept.features.data(), batch_, kept.activations, dq.data(),
                    gradient, dfeatures);
    if (convolutions_ == nullptr) return;
    convolutions_->Backward(kept.features.data(), dfeatures, gradient);
  }

 private:
  struct Intermediates {
    FloatBuffer features;
    DenseStack::Activations activations;
  };

  static std::size_t DenseParameters(const NetworkShape& shape) {
    std::size_t total = 0;
    for (const DenseShape& layer : shape.dense) total += layer.parameters();
    return total;
  }

  void Compute(std::span<const std::byte> observations, int batch, Pass pass, std::span<float> q) {
    CheckComputeArguments(spec_, max_batch_, observations, batch, q);
    GORILA_CHECK(parameters_.size() == layout_.size, "parameters were not set");
    const SingleThreadScope single_thread;
    Intermediates& kept = UseIntermediates(pass);
    const auto size = static_cast<std::size_t>(batch);
    float* features = kept.features.data();
    if (convolutions_ != nullptr) {
      convolutions_->Forward(observations, size, pass, features);
    } else {
      ReadObservations(spec_.input, observations, size, features);
    }
    dense_.Forward(parameters_, features, size, kept.activations, q.data());
  }

  FloatBuffer MakeFeatures() const {
    return FloatBuffer(static_cast<std::size_t>(max_batch_) * features_);
  }

  Intermediates& UseIntermediates(Pass pass) {
    Intermediates& kept = intermediates_[static_cast<std::size_t>(pass)];
    if (kept.features.size() > 0) return kept;
    kept.features = MakeFeatures();
    kept.activations = dense_.MakeActivations();
    return kept;
  }

  NetworkSpec spec_;
  ParameterLayout layout_;
  int max_batch_;
  std::size_t features_;  // of one observation
  std::unique_ptr<ConvolutionStack> convolutions_;
  DenseStack dense_;
  std::span<const float> parameters_;
  std::array<Intermediates, 2> intermediates_;  // by Pass; empty until used
  FloatBuffer dfeatures_;                       // of Backward; empty until used
  std::size_t batch_ = 0;                       // of the last Forward
};

}  // namespace

std::unique_ptr<QNetwork> MakeLayeredNetwork(const NetworkSpec& spec, int max_batch,
                                             std::unique_ptr<ConvolutionStack> convolutions) {
  return std::make_unique<LayeredNetwork>(
      spec, MakeNetworkShape(spec), static_cast<std::size_t>(max_batch), std::move(convolutions));
}

}  // namespace gorila
