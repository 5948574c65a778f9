#include "gorila/network/parameter_layout.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

class Fnv1a {
 public:
  void Add(std::string_view bytes) {
    for (const char byte : bytes) {
      hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    }
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

void Append(ParameterLayout& layout, std::string name, std::vector<int> shape, std::size_t fan_in) {
  ParameterTensor tensor{.name = std::move(name),
                         .shape = std::move(shape),
                         .offset = layout.size,
                         .size = 1,
                         .fan_in = static_cast<int>(fan_in)};
  for (const int extent : tensor.shape) tensor.size *= static_cast<std::size_t>(extent);
  layout.size += tensor.size;
  layout.tensors.push_back(std::move(tensor));
}

void AppendConvolution(ParameterLayout& layout, const std::string& name,
                       const ConvolutionShape& shape) {
  const int filters = static_cast<int>(shape.filters);
  const int kernel = static_cast<int>(shape.kernel);
  Append(layout, name + ".weight", {filters, static_cast<int>(shape.channels), kernel, kernel},
         shape.fan_in());
  Append(layout, name + ".bias", {filters}, shape.fan_in());
}

void AppendDense(ParameterLayout& layout, const std::string& name, const DenseShape& shape) {
  const int outputs = static_cast<int>(shape.outputs);
  Append(layout, name + ".weight", {outputs, static_cast<int>(shape.inputs)}, shape.inputs);
  Append(layout, name + ".bias", {outputs}, shape.inputs);
}

// The heads share one layer, so that they are one product of matrices.
void AppendOutputs(ParameterLayout& layout, const NetworkSpec& spec, const DenseShape& shape) {
  const std::vector<HeadSpec> heads = LayerHeads(spec);
  for (const HeadSpec& head : heads) {
    Append(layout, head.name + ".weight", {head.width, static_cast<int>(shape.inputs)},
           shape.inputs);
  }
  for (const HeadSpec& head : heads) {
    Append(layout, head.name + ".bias", {head.width}, shape.inputs);
  }
}

// A sigma for each parameter from `from` on, in the same order.
void AppendSigmas(ParameterLayout& layout, std::size_t from, double noise) {
  const std::size_t count = layout.tensors.size();
  for (std::size_t i = from; i < count; ++i) {
    const ParameterTensor mean = layout.tensors[i];
    Append(layout, mean.name + "_sigma", mean.shape, static_cast<std::size_t>(mean.fan_in));
    layout.tensors.back().initial = static_cast<float>(noise / std::sqrt(mean.fan_in));
  }
}

}  // namespace

std::uint64_t ParameterLayout::Fingerprint() const {
  Fnv1a hash;
  for (const ParameterTensor& tensor : tensors) {
    hash.Add(tensor.name);
    for (const int extent : tensor.shape) hash.Add(fmt::format(",{}", extent));
    hash.Add(";");
  }
  return hash.hash();
}

ParameterLayout MakeParameterLayout(const NetworkSpec& spec) {
  const NetworkShape shape = MakeNetworkShape(spec);
  ParameterLayout layout;
  for (std::size_t i = 0; i < shape.convolutions.size(); ++i) {
    AppendConvolution(layout, ConvolutionName(i), shape.convolutions[i]);
  }
  if (shape.embedding.has_value()) AppendDense(layout, "tau", *shape.embedding);
  const std::size_t first_dense = layout.tensors.size();
  for (std::size_t i = 0; i + 1 < shape.dense.size(); ++i) {
    AppendDense(layout, HiddenName(i), shape.dense[i]);
  }
  AppendOutputs(layout, spec, shape.dense.back());
  if (spec.noise > 0) AppendSigmas(layout, first_dense, spec.noise);
  return layout;
}

std::vector<float> InitialParameters(const ParameterLayout& layout, RandomStream& random) {
  std::vector<float> values;
  values.reserve(layout.size);
  for (const ParameterTensor& tensor : layout.tensors) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(tensor.fan_in));
    if (tensor.initial.has_value()) {
      values.insert(values.end(), tensor.size, *tensor.initial);
      continue;
    }
    for (std::size_t i = 0; i < tensor.size; ++i) {
      values.push_back(static_cast<float>(bound * (2.0 * random.Uniform() - 1.0)));
    }
  }
  return values;
}

}  // namespace gorila
