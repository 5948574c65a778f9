#include "gorila/network/onednn/onednn_network.h"

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <utility>
#include <vector>

#include "gorila/network/elementwise.h"
#include "gorila/network/layered_network.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/onednn/convolution_plan.h"
#include "gorila/network/onednn/space_to_depth.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

float* Floats(const dnnl::memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

ConvolutionChain MakeChain(std::vector<ConvolutionShape> layers, std::size_t batch) {
  const std::size_t tile = TileOf(layers.front());
  layers.front() = FoldShape(layers.front());
  ConvolutionChain chain{.engine = dnnl::engine(dnnl::engine::kind::cpu, 0),
                         .layers = std::move(layers)};
  // FoldObservations writes whole tiles into blocks.
  chain.blocked = kChannelBlock % (tile * tile) == 0 && PrefersBlocked(chain, batch);
  return chain;
}

class OneDnnConvolutions final : public ConvolutionStack {
 public:
  // Throws dnnl::error, as MakePlan.
  OneDnnConvolutions(const ObservationSpec& input, const std::vector<ConvolutionShape>& layers,
                     std::size_t max_batch)
      : input_(input),
        first_(layers.front()),
        chain_(MakeChain(layers, max_batch)),
        stream_(chain_.engine),
        parameters_(MakeLayerParameters(chain_)),
        gradients_(MakeLayerParameters(chain_)) {
    for (auto& plans : plans_) plans.resize(max_batch + 1);
    // Whatever oneDNN has to refuse, it refuses now and not in the middle of a run.
    MakePlan(max_batch, Pass::kForward);
  }

  void SetParameters(std::span<const float> values) override {
    const float* from = values.data();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const std::size_t weights = WeightsOf(i);
      if (i == 0) {
        FoldWeights(first_, from, Floats(parameters_[i].weights));
      } else {
        std::copy_n(from, weights, Floats(parameters_[i].weights));
      }
      std::copy_n(from + weights, chain_.layers[i].filters, Floats(parameters_[i].bias));
      from += weights + chain_.layers[i].filters;
    }
    ++version_;
  }

  void Forward(std::span<const std::byte> observations, std::size_t batch, Pass pass,
               float* features) override {
    Plan& plan = UsePlan(batch, pass);
    if (pass == Pass::kForward) last_forward_ = &plan;
    FoldObservations(input_, first_, chain_.block(chain_.layers.front().channels), observations,
                     batch, plan.forward->inputs());
    plan.forward->Run(stream_, version_);
    ForEachFeatureBlock(batch, [&](std::size_t offset, std::size_t positions, std::size_t block) {
      TransposeMatrix(plan.forward->outputs() + offset, positions, block, features + offset);
    });
  }

  void Backward(const float* features, float* dfeatures, std::span<float> gradient) override {
    BackwardPlan& plan = *last_forward_->backward;
    const std::size_t batch = last_forward_->forward->batch();
    MaskByRelu(features, batch * chain_.layers.back().outputs(), dfeatures);
    ForEachFeatureBlock(batch, [&](std::size_t offset, std::size_t positions, std::size_t block) {
      TransposeMatrix(dfeatures + offset, block, positions, plan.doutputs() + offset);
    });
    plan.Run(stream_, version_);
    ReadGradients(gradient.data());
  }

 private:
  struct Plan {
    std::unique_ptr<ForwardPlan> forward;
    std::unique_ptr<BackwardPlan> backward;  // with Pass::kForward
  };

  std::size_t WeightsOf(std::size_t layer) const {
    return chain_.layers[layer].filters * chain_.layers[layer].fan_in();
  }

  Plan& MakePlan(std::size_t batch, Pass pass) {
    Plan& plan = plans_[static_cast<std::size_t>(pass)][batch];
    plan.forward = std::make_unique<ForwardPlan>(chain_, batch, parameters_);
    if (pass == Pass::kForward) {
      plan.backward =
          std::make_unique<BackwardPlan>(chain_, *plan.forward, parameters_, gradients_);
    }
    return plan;
  }

  Plan& UsePlan(std::size_t batch, Pass pass) {
    Plan& plan = plans_[static_cast<std::size_t>(pass)][batch];
    if (plan.forward != nullptr) return plan;
    try {
      return MakePlan(batch, pass);
    } catch (const dnnl::error& error) {
      // It made the same plan for another batch size before.
      GORILA_CHECK(false, "oneDNN refuses a batch of {}: {}", batch, error.what());
    }
  }

  // Calls visit(offset, positions, block) for every positions x block matrix of the last layer's
  // outputs; block x positions, at the same offset, is its place in the features.
  template <typename Visit>
  void ForEachFeatureBlock(std::size_t batch, const Visit& visit) const {
    const ConvolutionShape& last = chain_.layers.back();
    const std::size_t block = chain_.block(last.filters);
    const std::size_t size = block * last.positions();
    for (std::size_t offset = 0; offset < batch * last.outputs(); offset += size) {
      visit(offset, last.positions(), block);
    }
  }

  void ReadGradients(float* to) const {
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      const std::size_t weights = WeightsOf(i);
      if (i == 0) {
        UnfoldWeights(first_, Floats(gradients_[i].weights), to);
      } else {
        std::copy_n(Floats(gradients_[i].weights), weights, to);
      }
      std::copy_n(Floats(gradients_[i].bias), chain_.layers[i].filters, to + weights);
      to += weights + chain_.layers[i].filters;
    }
  }

  ObservationSpec input_;
  ConvolutionShape first_;  // as specified; chain_ has it folded
  ConvolutionChain chain_;
  dnnl::stream stream_;
  std::vector<LayerParameters> parameters_;
  std::vector<LayerParameters> gradients_;
  std::uint64_t version_ = 0;               // of the parameters
  std::array<std::vector<Plan>, 2> plans_;  // by Pass and batch size; made on first use
  Plan* last_forward_ = nullptr;
};

}  // namespace

StatusOr<std::unique_ptr<QNetwork>> MakeOneDnnNetwork(const NetworkSpec& spec, int max_batch) {
  std::unique_ptr<ConvolutionStack> convolutions;
  if (!spec.convolutions.empty()) {
    const SingleThreadScope single_thread;  // primitives are planned for so many threads
    try {
      convolutions = std::make_unique<OneDnnConvolutions>(
          spec.input, MakeNetworkShape(spec).convolutions, static_cast<std::size_t>(max_batch));
    } catch (const dnnl::error& error) {
      return Unavailable("network backend onednn: oneDNN refuses this network: {}", error.what());
    }
  }
  return MakeLayeredNetwork(spec, max_batch, std::move(convolutions));
}

}  // namespace gorila
