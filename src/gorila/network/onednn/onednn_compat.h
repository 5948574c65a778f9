// Where oneDNN 2 and oneDNN 3 differ: 3 makes primitive descriptors from the arguments themselves,
// 2 from operation descriptors; 3 dropped the scale of element-wise post-operations.
#ifndef GORILA_NETWORK_ONEDNN_ONEDNN_COMPAT_H_
#define GORILA_NETWORK_ONEDNN_ONEDNN_COMPAT_H_

#include <dnnl.hpp>

namespace gorila {

// Whether oneDNN finds and may use `isa` here; a set of instructions includes those before it.
inline bool ProcessorHas(dnnl::cpu_isa isa) {
  const auto wanted = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

// An unpadded convolution's tensors.
struct ConvolutionTensors {
  dnnl::memory::desc src;
  dnnl::memory::desc weights;
  dnnl::memory::desc bias;
  dnnl::memory::desc dst;
  dnnl::memory::dims strides;
};

// A fully connected layer's tensors.
struct DenseTensors {
  dnnl::memory::desc src;
  dnnl::memory::desc weights;
  dnnl::memory::desc bias;
  dnnl::memory::desc dst;
};

using ForwardDesc = dnnl::convolution_forward::primitive_desc;
using BackwardDataDesc = dnnl::convolution_backward_data::primitive_desc;
using BackwardWeightsDesc = dnnl::convolution_backward_weights::primitive_desc;

using DenseForwardDesc = dnnl::inner_product_forward::primitive_desc;
using DenseBackwardDataDesc = dnnl::inner_product_backward_data::primitive_desc;

inline constexpr auto kConvolutionAlgorithm = dnnl::algorithm::convolution_direct;
inline const dnnl::memory::dims kNoPadding = {0, 0};

#if DNNL_VERSION_MAJOR >= 3

inline void AppendRelu(dnnl::post_ops& operations) {
  operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

inline ForwardDesc DescribeForward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                   const ConvolutionTensors& t, const dnnl::primitive_attr& attr) {
  return {engine,     kind,      kConvolutionAlgorithm,
          t.src,      t.weights, t.bias,
          t.dst,      t.strides, kNoPadding,
          kNoPadding, attr};
}

inline BackwardDataDesc DescribeBackwardData(const dnnl::engine& engine,
                                             const ConvolutionTensors& t, const ForwardDesc& hint,
                                             const dnnl::primitive_attr& attr) {
  return {engine,     kConvolutionAlgorithm,
          t.src,      t.weights,
          t.dst,      t.strides,
          kNoPadding, kNoPadding,
          hint,       attr};
}

inline BackwardWeightsDesc DescribeBackwardWeights(const dnnl::engine& engine,
                                                   const ConvolutionTensors& t,
                                                   const ForwardDesc& hint,
                                                   const dnnl::primitive_attr& attr) {
  return {engine,     kConvolutionAlgorithm,
          t.src,      t.weights,
          t.bias,     t.dst,
          t.strides,  kNoPadding,
          kNoPadding, hint,
          attr};
}

inline DenseForwardDesc DescribeDenseForward(const dnnl::engine& engine, const DenseTensors& t,
                                             const dnnl::primitive_attr& attr) {
  return {engine, dnnl::prop_kind::forward_training, t.src, t.weights, t.bias, t.dst, attr};
}

inline DenseBackwardDataDesc DescribeDenseBackwardData(const dnnl::engine& engine,
                                                       const DenseTensors& t,
                                                       const DenseForwardDesc& hint,
                                                       const dnnl::primitive_attr& attr) {
  return {engine, t.src, t.weights, t.dst, hint, attr};
}

#else

inline void AppendRelu(dnnl::post_ops& operations) {
  operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

inline ForwardDesc DescribeForward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                   const ConvolutionTensors& t, const dnnl::primitive_attr& attr) {
  const dnnl::convolution_forward::desc operation(kind, kConvolutionAlgorithm, t.src, t.weights,
                                                  t.bias, t.dst, t.strides, kNoPadding, kNoPadding);
  return {operation, attr, engine};
}

inline BackwardDataDesc DescribeBackwardData(const dnnl::engine& engine,
                                             const ConvolutionTensors& t, const ForwardDesc& hint,
                                             const dnnl::primitive_attr& attr) {
  const dnnl::convolution_backward_data::desc operation(kConvolutionAlgorithm, t.src, t.weights,
                                                        t.dst, t.strides, kNoPadding, kNoPadding);
  return {operation, attr, engine, hint};
}

inline BackwardWeightsDesc DescribeBackwardWeights(const dnnl::engine& engine,
                                                   const ConvolutionTensors& t,
                                                   const ForwardDesc& hint,
                                                   const dnnl::primitive_attr& attr) {
  const dnnl::convolution_backward_weights::desc operation(
      kConvolutionAlgorithm, t.src, t.weights, t.bias, t.dst, t.strides, kNoPadding, kNoPadding);
  return {operation, attr, engine, hint};
}

inline DenseForwardDesc DescribeDenseForward(const dnnl::engine& engine, const DenseTensors& t,
                                             const dnnl::primitive_attr& attr) {
  const dnnl::inner_product_forward::desc operation(dnnl::prop_kind::forward_training, t.src,
                                                    t.weights, t.bias, t.dst);
  return {operation, attr, engine};
}

inline DenseBackwardDataDesc DescribeDenseBackwardData(const dnnl::engine& engine,
                                                       const DenseTensors& t,
                                                       const DenseForwardDesc& hint,
                                                       const dnnl::primitive_attr& attr) {
  const dnnl::inner_product_backward_data::desc operation(t.src, t.weights, t.dst);
  return {operation, attr, engine, hint};
}

#endif

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_ONEDNN_COMPAT_H_
