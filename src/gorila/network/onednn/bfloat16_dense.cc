#include "gorila/network/onednn/bfloat16_dense.h"

#include <algorithm>
#include <dnnl.hpp>
#include <optional>
#include <vector>

#include "gorila/network/elementwise.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/gemm/dense_gradient.h"
#include "gorila/network/onednn/bound_primitive.h"
#include "gorila/network/onednn/onednn_compat.h"
#include "gorila/network/onednn/pack_pairs.h"
#include "gorila/network/onednn/primitives.h"

namespace gorila {
namespace {

using dnnl::memory;
using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

memory::desc Matrix(std::size_t rows, std::size_t columns, Type type, Tag tag = Tag::ab) {
  return {{Dim(rows), Dim(columns)}, type, tag};
}

Bfloat16* Narrow(const memory& memory) { return static_cast<Bfloat16*>(memory.get_data_handle()); }

// Whether to pack weights as PackPairs does it, which AMX reads as fast as what oneDNN would
// choose.
bool PacksInPairs(const DenseShape& shape) {
  return shape.outputs % kPackedRows == 0 && shape.inputs % kPackedColumns == 0 &&
         ProcessorHas(dnnl::cpu_isa::avx512_core_amx);
}

class Bfloat16Dense final : public DenseStack {
 public:
  Bfloat16Dense(const NetworkShape& shape, std::size_t max_batch)
      : engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        layers_(MakeLayers(shape, max_batch)),
        plans_(max_batch, [this](std::size_t batch, Pass pass) { return MakePlan(batch, pass); }) {
    std::size_t widest = 0;
    for (const DenseShape& layer : shape.dense) widest = std::max(widest, layer.outputs);
    inputs_ = FloatBuffer(max_batch * widest);
    derivatives_ = FloatBuffer(max_batch * widest);
  }

  void SetParameters(std::span<const float> values) override {
    for (Layer& layer : layers_) {
      Pack(layer, &values[layer.weight]);
      std::copy_n(&values[layer.bias], layer.shape.outputs, Floats(layer.biases));
    }
  }

  void Forward(const float* features, std::size_t batch, Pass pass, float* q) override {
    Plan& plan = plans_.Use(batch, pass);
    if (pass == Pass::kForward) last_forward_ = &plan;
    RoundToBfloat16(features, batch * layers_.front().shape.inputs, Narrow(plan.inputs));
    for (const ForwardLayer& layer : plan.forward) layer.compute.Run(stream_);
    std::copy_n(Floats(plan.forward.back().outputs), batch * layers_.back().shape.outputs, q);
  }

  // The weights' gradients are SGEMM's: with a minibatch's few columns they are bound by memory,
  // and oneDNN's product in bfloat16 took twice to four times as long.
  void Backward(const float* features, std::size_t batch, const float* dq,
                std::span<float> gradient, float* dfeatures, FiniteCheck& check) override {
    const std::vector<ForwardLayer>& forward = last_forward_->forward;
    std::vector<BackwardLayer>& backward = last_forward_->backward;
    RoundToBfloat16(dq, batch * layers_.back().shape.outputs, Narrow(backward.back().doutputs));
    const float* dout = dq;
    for (std::size_t i = layers_.size(); i-- > 0;) {
      const DenseShape& shape = layers_[i].shape;
      const float* in =
          i > 0 ? Widened(forward[i - 1].outputs, batch * shape.inputs, inputs_) : features;
      DenseGradient(shape, batch, dout, in, &gradient[layers_[i].weight],
                    &gradient[layers_[i].bias], &check);
      if (i == 0) break;
      backward[i].compute_inputs.Run(stream_);
      Bfloat16* const din = Narrow(backward[i].dinputs);
      MaskByRelu(Narrow(forward[i - 1].outputs), batch * shape.inputs, din);
      dout = Widened(backward[i].dinputs, batch * shape.inputs, derivatives_);
    }
    if (dfeatures == nullptr) return;
    backward.front().dinputs.set_data_handle(dfeatures);
    backward.front().compute_inputs.Run(stream_);
  }

 private:
  struct Layer {
    DenseShape shape;
    bool relu;
    std::size_t weight;  // offsets in the flat vector
    std::size_t bias;
    memory values;  // the weights there
    memory packed;  // in the layout that oneDNN chose for the largest batch
    memory biases;
    std::optional<BoundPrimitive> reorder;  // none: see PacksInPairs
  };
  struct ForwardLayer {
    DenseForwardDesc desc;
    memory inputs;
    memory outputs;  // Bfloat16, but the last layer's: float
    BoundPrimitive compute;
  };
  struct BackwardLayer {
    memory doutputs;  // Bfloat16
    memory dinputs;   // Bfloat16, but the first layer's: float, the caller's
    BoundPrimitive compute_inputs;
  };
  // For one batch size.
  struct Plan {
    memory inputs;  // Bfloat16
    std::vector<ForwardLayer> forward;
    std::vector<BackwardLayer> backward;  // with Pass::kForward
  };

  static const float* Widened(const memory& values, std::size_t size, FloatBuffer& buffer) {
    Widen(Narrow(values), size, buffer.data());
    return buffer.data();
  }

  void Pack(Layer& layer, const float* weights) {
    if (!layer.reorder.has_value()) {
      PackPairs(weights, layer.shape.outputs, layer.shape.inputs, Narrow(layer.packed));
      return;
    }
    layer.values.set_data_handle(const_cast<float*>(weights));  // the reorder only reads
    layer.reorder->Run(stream_);
  }

  memory Scratchpad(const memory::desc& desc) const { return {desc, engine_}; }

  static DenseTensors TensorsOf(const DenseShape& shape, std::size_t batch, bool hidden,
                                const memory::desc& weights) {
    return {.src = Matrix(batch, shape.inputs, Type::bf16),
            .weights = weights,
            .bias = {{Dim(shape.outputs)}, Type::f32, Tag::x},
            .dst = Matrix(batch, shape.outputs, hidden ? Type::bf16 : Type::f32)};
  }

  DenseForwardDesc Describe(const DenseTensors& tensors, bool relu) const {
    return DescribeDenseForward(engine_, tensors, relu ? AttributesWithRelu() : Attributes());
  }

  Layer MakeLayer(const DenseShape& shape, std::size_t offset, std::size_t max_batch,
                  bool hidden) const {
    const bool in_pairs = PacksInPairs(shape);
    const DenseTensors tensors = TensorsOf(
        shape, max_batch, hidden,
        Matrix(shape.outputs, shape.inputs, Type::bf16, in_pairs ? Tag::AB16b64a2b : Tag::any));
    const memory packed(Describe(tensors, hidden).weights_desc(), engine_);
    const memory values(Matrix(shape.outputs, shape.inputs, Type::f32), engine_, nullptr);
    return {.shape = shape,
            .relu = hidden,
            .weight = offset,
            .bias = offset + shape.inputs * shape.outputs,
            .values = values,
            .packed = packed,
            .biases = memory(tensors.bias, engine_),
            .reorder = in_pairs ? std::nullopt : std::optional(Reorder(engine_, values, packed))};
  }

  std::vector<Layer> MakeLayers(const NetworkShape& shape, std::size_t max_batch) const {
    std::vector<Layer> layers;
    std::size_t offset = shape.dense_offset();
    for (const DenseShape& layer : shape.dense) {
      layers.push_back(MakeLayer(layer, offset, max_batch, &layer != &shape.dense.back()));
      offset += layer.parameters();
    }
    return layers;
  }

  ForwardLayer MakeForward(const Layer& layer, std::size_t batch, const memory& inputs) const {
    const DenseForwardDesc desc =
        Describe(TensorsOf(layer.shape, batch, layer.relu, layer.packed.get_desc()), layer.relu);
    const memory outputs(desc.dst_desc(), engine_);
    return {.desc = desc,
            .inputs = inputs,
            .outputs = outputs,
            .compute = {dnnl::inner_product_forward(desc),
                        {{DNNL_ARG_SRC, inputs},
                         {DNNL_ARG_WEIGHTS, layer.packed},
                         {DNNL_ARG_BIAS, layer.biases},
                         {DNNL_ARG_DST, outputs},
                         {DNNL_ARG_SCRATCHPAD, Scratchpad(desc.scratchpad_desc())}}}};
  }

  // `dinputs`: where the derivatives of the layer's inputs go.
  BackwardLayer MakeBackward(const Layer& layer, const ForwardLayer& forward, std::size_t batch,
                             const memory& dinputs) const {
    DenseTensors tensors = TensorsOf(layer.shape, batch, true, layer.packed.get_desc());
    tensors.src = dinputs.get_desc();
    const DenseBackwardDataDesc inputs =
        DescribeDenseBackwardData(engine_, tensors, forward.desc, Attributes());
    const memory doutputs(tensors.dst, engine_);
    return {.doutputs = doutputs,
            .dinputs = dinputs,
            .compute_inputs = {dnnl::inner_product_backward_data(inputs),
                               {{DNNL_ARG_DIFF_DST, doutputs},
                                {DNNL_ARG_WEIGHTS, layer.packed},
                                {DNNL_ARG_DIFF_SRC, dinputs},
                                {DNNL_ARG_SCRATCHPAD, Scratchpad(inputs.scratchpad_desc())}}}};
  }

  Plan MakePlan(std::size_t batch, Pass pass) const {
    Plan plan;
    plan.inputs = memory(Matrix(batch, layers_.front().shape.inputs, Type::bf16), engine_);
    memory inputs = plan.inputs;
    for (const Layer& layer : layers_) {
      plan.forward.push_back(MakeForward(layer, batch, inputs));
      inputs = plan.forward.back().outputs;
    }
    if (pass == Pass::kPredict) return plan;
    memory dinputs(Matrix(batch, layers_.front().shape.inputs, Type::f32), engine_, nullptr);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      plan.backward.push_back(MakeBackward(layers_[i], plan.forward[i], batch, dinputs));
      dinputs = plan.backward.back().doutputs;
    }
    return plan;
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Layer> layers_;
  PlanTable<Plan> plans_;
  Plan* last_forward_ = nullptr;
  // A hidden layer's, for Backward.
  FloatBuffer inputs_;
  FloatBuffer derivatives_;
};

}  // namespace

std::unique_ptr<DenseStack> MakeBfloat16Dense(const NetworkShape& shape, std::size_t max_batch) {
  return std::make_unique<Bfloat16Dense>(shape, max_batch);
}

}  // namespace gorila
