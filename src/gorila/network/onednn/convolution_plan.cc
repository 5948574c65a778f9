#include "gorila/network/onednn/convolution_plan.h"

#include <algorithm>

#include "gorila/network/elementwise.h"

namespace gorila {
namespace {

using dnnl::memory;
using Tag = dnnl::memory::format_tag;

memory::dim Dim(std::size_t size) { return static_cast<memory::dim>(size); }

memory::desc Describe(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

memory::dims WeightDims(const ConvolutionShape& s) {
  return {Dim(s.filters), Dim(s.channels), Dim(s.kernel), Dim(s.kernel)};
}

// Source and destination in the layout of `tag`, weights as oneDNN likes them.
ConvolutionTensors TensorsOf(const ConvolutionShape& s, std::size_t batch, Tag tag) {
  return {.src = Describe({Dim(batch), Dim(s.channels), Dim(s.height), Dim(s.width)}, tag),
          .weights = Describe(WeightDims(s), Tag::any),
          .bias = Describe({Dim(s.filters)}, Tag::x),
          .dst = Describe({Dim(batch), Dim(s.filters), Dim(s.out_height), Dim(s.out_width)}, tag),
          .strides = {Dim(s.stride), Dim(s.stride)}};
}

Tag ActivationTag(const ConvolutionChain& chain) {
  return chain.blocked ? Tag::nChw16c : Tag::nhwc;
}

// oneDNN's own scratch memory belongs to the thread that made the primitive; a network may be made
// in one thread and used in another.
dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

ForwardDesc DescribeLayer(const ConvolutionChain& chain, const ConvolutionTensors& tensors) {
  dnnl::post_ops relu;
  AppendRelu(relu);
  dnnl::primitive_attr attributes = Attributes();
  attributes.set_post_ops(relu);
  return DescribeForward(chain.engine, dnnl::prop_kind::forward_training, tensors, attributes);
}

BoundPrimitive Reorder(const dnnl::engine& engine, const memory& from, const memory& to) {
  const dnnl::reorder::primitive_desc desc(from, to, Attributes());
  return {dnnl::reorder(desc),
          {{DNNL_ARG_FROM, from},
           {DNNL_ARG_TO, to},
           {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), engine)}}};
}

float* Floats(const memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

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
  return std::all_of(chain.layers.begin(), chain.layers.end(), [&](const ConvolutionShape& layer) {
    if (layer.channels % kChannelBlock != 0 || layer.filters % kChannelBlock != 0) return false;
    const ConvolutionTensors blocked = TensorsOf(layer, batch, Tag::nChw16c);
    const ForwardDesc free = DescribeLayer(chain, TensorsOf(layer, batch, Tag::any));
    return free.src_desc() == blocked.src && free.dst_desc() == blocked.dst;
  });
}

std::vector<LayerParameters> MakeLayerParameters(const ConvolutionChain& chain) {
  std::vector<LayerParameters> parameters;
  for (const ConvolutionShape& layer : chain.layers) {
    parameters.push_back({.weights = memory(Describe(WeightDims(layer), Tag::oihw), chain.engine),
                          .bias = memory(Describe({Dim(layer.filters)}, Tag::x), chain.engine)});
  }
  return parameters;
}

ForwardPlan::ForwardPlan(const ConvolutionChain& chain, std::size_t batch,
                         const std::vector<LayerParameters>& parameters)
    : batch_(batch) {
  memory src;
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    const ForwardDesc desc =
        DescribeLayer(chain, TensorsOf(chain.layers[i], batch, ActivationTag(chain)));
    if (i == 0) src = memory(desc.src_desc(), chain.engine);
    layers_.push_back(MakeForwardLayer(chain, desc, src, parameters[i]));
    src = layers_.back().dst;
  }
  inputs_ = Floats(layers_.front().src);
  outputs_ = Floats(layers_.back().dst);
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
                           const std::vector<LayerParameters>& gradients) {
  memory dsrc;
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    const ForwardPlan::Layer& layer = forward.layers()[i];
    const memory ddst(layer.desc.dst_desc(), chain.engine);
    const ConvolutionTensors tensors =
        TensorsOf(chain.layers[i], forward.batch(), ActivationTag(chain));
    weight_layers_.push_back(MakeWeightLayer(chain, layer, tensors, ddst, gradients[i]));
    if (i > 0) {
      input_layers_.push_back(MakeInputLayer(chain, layer, tensors, ddst, dsrc, parameters[i]));
    }
    dsrc = ddst;
  }
  doutputs_ = Floats(dsrc);
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
                       {DNNL_ARG_DIFF_SRC, dsrc},
                       {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), chain.engine)}}},
          .inputs = Floats(forward.src),
          .dinputs = Floats(dsrc),
          .size = desc.diff_src_desc().get_size() / sizeof(float)};
}

void BackwardPlan::Run(const dnnl::stream& stream, std::uint64_t version) {
  for (std::size_t i = weight_layers_.size(); i-- > 0;) {
    weight_layers_[i].compute.Run(stream);
    weight_layers_[i].unpack_weights.Run(stream);
    if (i == 0) break;
    const InputLayer& layer = input_layers_[i - 1];
    if (version_ != version) layer.pack_weights.Run(stream);
    layer.compute.Run(stream);
    MaskByRelu(layer.inputs, layer.size, layer.dinputs);
  }
  version_ = version;
}

}  // namespace gorila
