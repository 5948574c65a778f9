#include "gorila/network/onednn/convolution_plan.h"

#include <algorithm>

#include "gorila/network/elementwise.h"
#include "gorila/network/onednn/primitives.h"

namespace gorila {
namespace {

using dnnl::memory;
using Tag = dnnl::memory::format_tag;

constexpr auto kFloat = memory::data_type::f32;

// As oneDNN sees a layer: height first.
struct View {
  explicit View(const ConvolutionLayer& layer)
      : channels(Dim(layer.shape.channels)),
        width(Dim(layer.shape.width)),
        kernel({Dim(layer.shape.kernel), Dim(layer.shape.kernel)}),
        strides({Dim(layer.shape.stride), Dim(layer.shape.stride)}) {
    if (!layer.paired) return;
    channels *= 2;
    width /= 2;
    kernel.back() /= 2;
    strides.back() /= 2;
  }

  memory::dim channels;
  memory::dim width;
  memory::dims kernel;
  memory::dims strides;
};

memory::dims WeightDims(const ConvolutionLayer& layer) {
  const View view(layer);
  return {Dim(layer.shape.filters), view.channels, view.kernel.front(), view.kernel.back()};
}

// Source and destination in the layout of `tag`, weights as oneDNN likes them.
ConvolutionTensors TensorsOf(const ConvolutionChain& chain, const ConvolutionLayer& layer,
                             std::size_t batch, Tag tag) {
  const ConvolutionShape& s = layer.shape;
  const View view(layer);
  return {
      .src = {{Dim(batch), view.channels, Dim(s.height), view.width}, chain.type, tag},
      .weights = {WeightDims(layer), chain.type, Tag::any},
      .bias = {{Dim(s.filters)}, kFloat, Tag::x},
      .dst = {{Dim(batch), Dim(s.filters), Dim(s.out_height), Dim(s.out_width)}, chain.type, tag},
      .strides = view.strides};
}

Tag ActivationTag(const ConvolutionChain& chain) {
  return chain.blocked ? Tag::nChw16c : Tag::nhwc;
}

ForwardDesc DescribeLayer(const ConvolutionChain& chain, const ConvolutionTensors& tensors) {
  return DescribeForward(chain.engine, dnnl::prop_kind::forward_training, tensors,
                         AttributesWithRelu());
}

// A layer's output as the next one's input: the same bytes.
memory ReadAs(const memory& memory, const memory::desc& desc, const dnnl::engine& engine) {
  return {desc, engine, memory.get_data_handle()};
}

template <typename Element>
void MaskAs(const memory& outputs, const memory& doutputs) {
  MaskByRelu(static_cast<const Element*>(outputs.get_data_handle()),
             outputs.get_desc().get_size() / sizeof(Element),
             static_cast<Element*>(doutputs.get_data_handle()));
}

void Mask(memory::data_type type, const memory& outputs, const memory& doutputs) {
  if (type == kFloat) {
    MaskAs<float>(outputs, doutputs);
  } else {
    MaskAs<Bfloat16>(outputs, doutputs);
  }
}

ForwardPlan::Layer MakeForwardLayer(const ConvolutionChain& chain, const ForwardDesc& desc,
                                    const memory& src, const LayerParameters& parameters) {
  const memory weights(desc.weights_desc(), chain.engine);
  const memory dst(desc.dst_desc(), chain.engine);
  return {.desc = desc,
          .src = src,
          .dst = dst,
          .pack_weights = Reorder(chain.engine, parameters.weights, weights),
          .compute = {dnnl::convolution_forward(desc),
                      {{DNNL_ARG_SRC, src},
                       {DNNL_ARG_WEIGHTS, weights},
                       {DNNL_ARG_BIAS, parameters.bias},
                       {DNNL_ARG_DST, dst},
                       {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), chain.engine)}}}};
}

}  // namespace

bool PrefersBlocked(const ConvolutionChain& chain, std::size_t batch) {
  return std::all_of(chain.layers.begin(), chain.layers.end(), [&](const ConvolutionLayer& layer) {
    if (layer.shape.channels % kChannelBlock != 0) return false;
    if (layer.shape.filters % kChannelBlock != 0) return false;
    const ConvolutionTensors blocked = TensorsOf(chain, layer, batch, Tag::nChw16c);
    const ForwardDesc free = DescribeLayer(chain, TensorsOf(chain, layer, batch, Tag::any));
    return free.src_desc() == blocked.src && free.dst_desc() == blocked.dst;
  });
}

std::vector<LayerParameters> MakeLayerParameters(const ConvolutionChain& chain) {
  std::vector<LayerParameters> parameters;
  for (const ConvolutionLayer& layer : chain.layers) {
    parameters.push_back(
        {.weights = memory({WeightDims(layer), kFloat, Tag::oihw}, chain.engine),
         .bias = memory({{Dim(layer.shape.filters)}, kFloat, Tag::x}, chain.engine)});
  }
  return parameters;
}

ForwardPlan::ForwardPlan(const ConvolutionChain& chain, std::size_t batch,
                         const std::vector<LayerParameters>& parameters)
    : batch_(batch) {
  memory src;
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    const ForwardDesc desc =
        DescribeLayer(chain, TensorsOf(chain, chain.layers[i], batch, ActivationTag(chain)));
    if (i == 0) inputs_ = memory(desc.src_desc(), chain.engine);
    src = i == 0 ? ReadAs(inputs_, desc.src_desc(), chain.engine)
                 : ReadAs(layers_.back().dst, desc.src_desc(), chain.engine);
    layers_.push_back(MakeForwardLayer(chain, desc, src, parameters[i]));
  }
}

void ForwardPlan::Run(const dnnl::stream& stream, std::uint64_t version) {
  for (const Layer& layer : layers_) {
    if (version_ != version) layer.pack_weights.Run(stream);
    layer.compute.Run(stream);
  }
  version_ = version;
}

BackwardPlan::BackwardPlan(const ConvolutionChain& chain, const ForwardPlan& forward,
                           const std::vector<LayerParameters>& parameters,
                           const std::vector<LayerParameters>& gradients)
    : type_(chain.type) {
  memory dsrc;
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    const ForwardPlan::Layer& layer = forward.layers()[i];
    const memory ddst(layer.desc.dst_desc(), chain.engine);
    ConvolutionTensors tensors =
        TensorsOf(chain, chain.layers[i], forward.batch(), ActivationTag(chain));
    if (i > 0) {
      input_layers_.push_back(MakeInputLayer(chain, layer, tensors, ddst, dsrc, parameters[i]));
    }
    tensors.weights = {WeightDims(chain.layers[i]), kFloat, Tag::any};
    weight_layers_.push_back(MakeWeightLayer(chain, layer, tensors, ddst, gradients[i]));
    dsrc = ddst;
  }
  doutputs_ = dsrc.get_data_handle();
}

BackwardPlan::WeightLayer BackwardPlan::MakeWeightLayer(const ConvolutionChain& chain,
                                                        const ForwardPlan::Layer& forward,
                                                        const ConvolutionTensors& tensors,
                                                        const memory& ddst,
                                                        const LayerParameters& gradient) const {
  const BackwardWeightsDesc desc =
      DescribeBackwardWeights(chain.engine, tensors, forward.desc, Attributes());
  const memory dweights(desc.diff_weights_desc(), chain.engine);
  return {.compute = {dnnl::convolution_backward_weights(desc),
                      {{DNNL_ARG_SRC, forward.src},
                       {DNNL_ARG_DIFF_DST, ddst},
                       {DNNL_ARG_DIFF_WEIGHTS, dweights},
                       {DNNL_ARG_DIFF_BIAS, gradient.bias},
                       {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), chain.engine)}}},
          .unpack_weights = Reorder(chain.engine, dweights, gradient.weights)};
}

BackwardPlan::InputLayer BackwardPlan::MakeInputLayer(const ConvolutionChain& chain,
                                                      const ForwardPlan::Layer& forward,
                                                      const ConvolutionTensors& tensors,
                                                      const memory& ddst, const memory& dsrc,
                                                      const LayerParameters& parameters) const {
  const BackwardDataDesc desc =
      DescribeBackwardData(chain.engine, tensors, forward.desc, Attributes());
  const memory weights(desc.weights_desc(), chain.engine);
  return {.pack_weights = Reorder(chain.engine, parameters.weights, weights),
          .compute = {dnnl::convolution_backward_data(desc),
                      {{DNNL_ARG_DIFF_DST, ddst},
                       {DNNL_ARG_WEIGHTS, weights},
                       {DNNL_ARG_DIFF_SRC, ReadAs(dsrc, desc.diff_src_desc(), chain.engine)},
                       {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), chain.engine)}}},
          .inputs = forward.src,
          .dinputs = dsrc};
}

void BackwardPlan::Run(const dnnl::stream& stream, std::uint64_t version) {
  for (std::size_t i = weight_layers_.size(); i-- > 0;) {
    weight_layers_[i].compute.Run(stream);
    weight_layers_[i].unpack_weights.Run(stream);
    if (i == 0) break;
    const InputLayer& layer = input_layers_[i - 1];
    if (version_ != version) layer.pack_weights.Run(stream);
    layer.compute.Run(stream);
    Mask(type_, layer.inputs, layer.dinputs);
  }
  version_ = version;
}

}  // namespace gorila
