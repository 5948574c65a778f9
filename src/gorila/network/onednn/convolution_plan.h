// oneDNN's primitives for a chain of convolutions and one batch size, with the memory they work on.
// Constructors throw dnnl::error; nothing else does.
#ifndef GORILA_NETWORK_ONEDNN_CONVOLUTION_PLAN_H_
#define GORILA_NETWORK_ONEDNN_CONVOLUTION_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <vector>

#include "gorila/network/network_shape.h"
#include "gorila/network/onednn/bound_primitive.h"
#include "gorila/network/onednn/onednn_compat.h"

namespace gorila {

// Activations are stored as pictures x channel blocks x height x width x `block` channels: oneDNN's
// nhwc where the block is all channels, its nChw16c where it is 16.
inline constexpr std::size_t kChannelBlock = 16;

struct ConvolutionLayer {
  ConvolutionShape shape;
  bool paired = false;  // oneDNN sees it as PairWeights describes it (nhwc only)
};

struct ConvolutionChain {
  dnnl::engine engine;
  // Of activations, packed weights and derivatives. Weights and biases outside, and their
  // gradients, are f32.
  dnnl::memory::data_type type = dnnl::memory::data_type::f32;
  std::vector<ConvolutionLayer> layers;
  bool blocked = false;

  std::size_t block(std::size_t channels) const { return blocked ? kChannelBlock : channels; }
};

// Whether oneDNN would choose nChw16c for every tensor of the chain on this machine. (nhwc has an
// optimised implementation everywhere; other layouts fall back to a very slow one on some.)
bool PrefersBlocked(const ConvolutionChain& chain, std::size_t batch);

// Weights (out, in, ky, kx) and biases of one layer: parameters, or their gradient.
struct LayerParameters {
  dnnl::memory weights;
  dnnl::memory bias;
};
std::vector<LayerParameters> MakeLayerParameters(const ConvolutionChain& chain);

class ForwardPlan {
 public:
  struct Layer {
    ForwardDesc desc;
    dnnl::memory src;
    dnnl::memory dst;
    BoundPrimitive pack_weights;  // into the layout that oneDNN chose
    BoundPrimitive compute;
  };

  ForwardPlan(const ConvolutionChain& chain, std::size_t batch,
              const std::vector<LayerParameters>& parameters);

  // Reads inputs(), fills outputs(). `version` tells whether the parameters changed since.
  void Run(const dnnl::stream& stream, std::uint64_t version);

  // Where Run reads: its own inputs(), as at first, or those of a plan for the same first layer and
  // batch size, which must hold them then.
  void ReadOwnInputs() { layers_.front().src.set_data_handle(inputs_.get_data_handle()); }
  void ReadInputsOf(const ForwardPlan& other) {
    layers_.front().src.set_data_handle(other.layers_.front().src.get_data_handle());
  }

  // Of the chain's type.
  void* inputs() const { return inputs_.get_data_handle(); }
  const void* outputs() const { return layers_.back().dst.get_data_handle(); }
  const std::vector<Layer>& layers() const { return layers_; }
  std::size_t batch() const { return batch_; }

 private:
  std::size_t batch_;
  dnnl::memory inputs_;
  std::vector<Layer> layers_;
  std::uint64_t version_ = 0;  // of the packed weights
};

// Gradients after a ForwardPlan's Run, which must still hold its activations.
class BackwardPlan {
 public:
  BackwardPlan(const ConvolutionChain& chain, const ForwardPlan& forward,
               const std::vector<LayerParameters>& parameters,
               const std::vector<LayerParameters>& gradients);

  // Reads doutputs() (derivatives before the last layer's ReLU), fills `gradients`.
  void Run(const dnnl::stream& stream, std::uint64_t version);

  // Of the chain's type.
  void* doutputs() const { return doutputs_; }

 private:
  // Derivatives of a layer's inputs, from those of its outputs.
  struct InputLayer {
    BoundPrimitive pack_weights;
    BoundPrimitive compute;
    dnnl::memory inputs;  // what the layer read, ReLU's outputs
    dnnl::memory dinputs;
  };
  struct WeightLayer {
    BoundPrimitive compute;
    BoundPrimitive unpack_weights;  // from the layout that oneDNN chose
  };

  WeightLayer MakeWeightLayer(const ConvolutionChain& chain, const ForwardPlan::Layer& forward,
                              const ConvolutionTensors& tensors, const dnnl::memory& ddst,
                              const LayerParameters& gradient) const;
  InputLayer MakeInputLayer(const ConvolutionChain& chain, const ForwardPlan::Layer& forward,
                            const ConvolutionTensors& tensors, const dnnl::memory& ddst,
                            const dnnl::memory& dsrc, const LayerParameters& parameters) const;

  std::vector<WeightLayer> weight_layers_;  // by layer
  std::vector<InputLayer> input_layers_;    // by layer, from the second
  dnnl::memory::data_type type_;
  void* doutputs_;
  std::uint64_t version_ = 0;  // of the packed weights
};

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_CONVOLUTION_PLAN_H_
