#include "gorila/network/onednn/onednn_network.h"

#include <algorithm>
#include <dnnl.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "gorila/network/elementwise.h"
#include "gorila/network/gemm/im2col_convolutions.h"
#include "gorila/network/gemm/sgemm_dense.h"
#include "gorila/network/layered_network.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/onednn/bfloat16_dense.h"
#include "gorila/network/onednn/convolution_plan.h"
#include "gorila/network/onednn/primitives.h"
#include "gorila/network/onednn/space_to_depth.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

template <typename Element>
constexpr bool kNarrow = std::is_same_v<Element, Bfloat16>;

template <typename Element>
ConvolutionChain MakeChain(const std::vector<ConvolutionShape>& shapes, std::size_t batch) {
  ConvolutionChain chain{.engine = dnnl::engine(dnnl::engine::kind::cpu, 0), .layers = {}};
  for (const ConvolutionShape& shape : shapes) chain.layers.push_back({.shape = shape});
  chain.layers.front().shape = FoldShape(shapes.front());
  if constexpr (kNarrow<Element>) {
    // In nhwc oneDNN multiplies with AMX, in blocks not.
    chain.type = dnnl::memory::data_type::bf16;
    for (std::size_t i = 1; i < shapes.size(); ++i) {
      chain.layers[i].paired = CanPairColumns(shapes[i]);
    }
  } else {
    const std::size_t tile = TileOf(shapes.front());
    // FoldObservations writes whole tiles into blocks.
    chain.blocked = kChannelBlock % (tile * tile) == 0 && PrefersBlocked(chain, batch);
  }
  return chain;
}

// `Element`: what it computes in, float or Bfloat16.
template <typename Element>
class OneDnnConvolutions final : public ConvolutionStack {
 public:
  // Throws dnnl::error, as PlanTable.
  OneDnnConvolutions(const ObservationSpec& input, const std::vector<ConvolutionShape>& layers,
                     std::size_t max_batch)
      : input_(input),
        first_(layers.front()),
        chain_(MakeChain<Element>(layers, max_batch)),
        stream_(chain_.engine),
        parameters_(MakeLayerParameters(chain_)),
        gradients_(MakeLayerParameters(chain_)),
        plans_(max_batch, [this](std::size_t batch, Pass pass) { return MakePlan(batch, pass); }) {
    // Bytes are exact in Bfloat16 as they are.
    if (kNarrow<Element> && input.element == ElementType::kUint8) {
      std::swap(first_scale_, input_.scale);
    }
  }

  void SetParameters(std::span<const float> values) override {
    const float* from = values.data();
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const std::size_t weights = WeightsOf(i);
      const ConvolutionLayer& layer = chain_.layers[i];
      float* const to = Floats(parameters_[i].weights);
      if (i == 0) {
        FoldWeights(first_, first_scale_, from, to);
      } else if (layer.paired) {
        PairWeights(layer.shape, from, to);
      } else {
        std::copy_n(from, weights, to);
      }
      std::copy_n(from + weights, layer.shape.filters, Floats(parameters_[i].bias));
      from += weights + layer.shape.filters;
    }
    ++version_;
  }

  void Forward(std::span<const std::byte> observations, std::size_t batch, Pass pass,
               float* features) override {
    Plan& plan = plans_.Use(batch, pass);
    if (pass == Pass::kForward) last_forward_ = &plan;
    plan.forward->ReadOwnInputs();
    FoldObservations(input_, first_, chain_.block(chain_.layers.front().shape.channels),
                     observations, batch, static_cast<Element*>(plan.forward->inputs()));
    Compute(plan, batch, features);
  }

  void ForwardSame(ConvolutionStack& other, std::span<const std::byte> observations,
                   std::size_t batch, float* features) override {
    auto* const twin = dynamic_cast<OneDnnConvolutions*>(&other);
    if (twin == nullptr || twin->input_ != input_ || twin->first_ != first_ ||
        twin->chain_.blocked != chain_.blocked) {
      return Forward(observations, batch, Pass::kPredict, features);
    }
    Plan& plan = plans_.Use(batch, Pass::kPredict);
    plan.forward->ReadInputsOf(*twin->plans_.Use(batch, Pass::kPredict).forward);
    Compute(plan, batch, features);
  }

  void Backward(const float* features, float* dfeatures, std::span<float> gradient) override {
    BackwardPlan& plan = *last_forward_->backward;
    const std::size_t batch = last_forward_->forward->batch();
    MaskByRelu(features, batch * chain_.layers.back().shape.outputs(), dfeatures);
    auto* const doutputs = static_cast<Element*>(plan.doutputs());
    ForEachFeatureBlock(batch, [&](std::size_t offset, std::size_t positions, std::size_t block) {
      TransposeMatrix(dfeatures + offset, block, positions, doutputs + offset);
    });
    plan.Run(stream_, version_);
    ReadGradients(gradient.data());
  }

 private:
  struct Plan {
    std::unique_ptr<ForwardPlan> forward;
    std::unique_ptr<BackwardPlan> backward;  // with Pass::kForward
  };

  void Compute(Plan& plan, std::size_t batch, float* features) {
    plan.forward->Run(stream_, version_);
    const auto* const outputs = static_cast<const Element*>(plan.forward->outputs());
    ForEachFeatureBlock(batch, [&](std::size_t offset, std::size_t positions, std::size_t block) {
      TransposeMatrix(outputs + offset, positions, block, features + offset);
    });
  }

  std::size_t WeightsOf(std::size_t layer) const {
    const ConvolutionShape& shape = chain_.layers[layer].shape;
    return shape.filters * shape.fan_in();
  }

  Plan MakePlan(std::size_t batch, Pass pass) const {
    Plan plan;
    plan.forward = std::make_unique<ForwardPlan>(chain_, batch, parameters_);
    if (pass == Pass::kForward) {
      plan.backward =
          std::make_unique<BackwardPlan>(chain_, *plan.forward, parameters_, gradients_);
    }
    return plan;
  }

  // Calls visit(offset, positions, block) for every positions x block matrix of the last layer's
  // outputs; block x positions, at the same offset, is its place in the features.
  template <typename Visit>
  void ForEachFeatureBlock(std::size_t batch, const Visit& visit) const {
    const ConvolutionShape& last = chain_.layers.back().shape;
    const std::size_t block = chain_.block(last.filters);
    const std::size_t size = block * last.positions();
    for (std::size_t offset = 0; offset < batch * last.outputs(); offset += size) {
      visit(offset, last.positions(), block);
    }
  }

  void ReadGradients(float* to) const {
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      const std::size_t weights = WeightsOf(i);
      const ConvolutionLayer& layer = chain_.layers[i];
      const float* const from = Floats(gradients_[i].weights);
      if (i == 0) {
        UnfoldWeights(first_, first_scale_, from, to);
      } else if (layer.paired) {
        UnpairWeights(layer.shape, from, to);
      } else {
        std::copy_n(from, weights, to);
      }
      std::copy_n(Floats(gradients_[i].bias), layer.shape.filters, to + weights);
      to += weights + layer.shape.filters;
    }
  }

  ObservationSpec input_;
  ConvolutionShape first_;  // as specified; chain_ has it folded
  float first_scale_ = 1;   // of its weights, in place of the observations'
  ConvolutionChain chain_;
  dnnl::stream stream_;
  std::vector<LayerParameters> parameters_;
  std::vector<LayerParameters> gradients_;
  std::uint64_t version_ = 0;  // of the parameters
  PlanTable<Plan> plans_;
  Plan* last_forward_ = nullptr;
};

template <typename Element>
std::unique_ptr<ConvolutionStack> MakeConvolutions(const NetworkSpec& spec,
                                                   const NetworkShape& shape, std::size_t batch) {
  if (shape.convolutions.empty()) return nullptr;
  if (kNarrow<Element> && shape.IsSmall()) {
    return MakeIm2ColConvolutions(spec.input, shape.convolutions, batch);
  }
  return std::make_unique<OneDnnConvolutions<Element>>(spec.input, shape.convolutions, batch);
}

Status Rejected(std::string_view backend, const dnnl::error& error) {
  return Unavailable("network.backend {}: oneDNN rejected this network: {}", backend, error.what());
}

template <typename Element>
StatusOr<std::unique_ptr<QNetwork>> MakeNetwork(std::string_view backend, const NetworkSpec& spec,
                                                int max_batch) {
  const NetworkShape shape = MakeNetworkShape(spec);
  const auto batch = static_cast<std::size_t>(max_batch);
  const SingleThreadScope single_thread;  // primitives are planned for one thread
  try {
    std::unique_ptr<ConvolutionStack> convolutions = MakeConvolutions<Element>(spec, shape, batch);
    std::unique_ptr<DenseStack> dense;
    if constexpr (kNarrow<Element>) {
      dense = MakeBfloat16Dense(shape, batch * shape.rows);
    } else {
      dense = MakeSgemmDense(shape, batch * shape.rows);
    }
    return MakeLayeredNetwork(spec, max_batch, std::move(convolutions), std::move(dense));
  } catch (const dnnl::error& error) {
    return Rejected(backend, error);
  }
}

}  // namespace

StatusOr<std::unique_ptr<QNetwork>> MakeOneDnnNetwork(const NetworkSpec& spec, int max_batch) {
  return MakeNetwork<float>("onednn", spec, max_batch);
}

StatusOr<std::unique_ptr<ConvolutionStack>> MakeOneDnnConvolutions(const NetworkSpec& spec,
                                                                   std::size_t max_batch) {
  const SingleThreadScope single_thread;
  try {
    return MakeConvolutions<float>(spec, MakeNetworkShape(spec), max_batch);
  } catch (const dnnl::error& error) {
    return Rejected("onednn", error);
  }
}

StatusOr<std::unique_ptr<QNetwork>> MakeBfloat16Network(const NetworkSpec& spec, int max_batch) {
  return MakeNetwork<Bfloat16>("bfloat16", spec, max_batch);
}

Status CheckBfloat16(std::string_view) {
  if (ProcessorHas(dnnl::cpu_isa::avx512_core)) return OkStatus();
  return Unavailable(
      "network.backend is bfloat16: oneDNN multiplies in bfloat16 on processors with AVX-512 only; "
      "expected auto on this one");
}

bool MultipliesBfloat16Fast() { return ProcessorHas(dnnl::cpu_isa::avx512_core_amx); }

}  // namespace gorila
