#include "gorila/network/torch/torch_script.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <string_view>
#include <vector>

#include "gorila/network/torch/torch_error.h"

namespace gorila {
namespace {

constexpr std::string_view kWeight = ".weight";

// "conv1", ..., then the heads: what has a weight.
std::vector<std::string> Layers(const ParameterLayout& layout) {
  std::vector<std::string> layers;
  for (const ParameterTensor& tensor : layout.tensors) {
    const std::string_view name = tensor.name;
    if (name.ends_with(kWeight)) layers.emplace_back(name.substr(0, name.size() - kWeight.size()));
  }
  return layers;
}

// TorchScript of what the network does.
std::string Source(const NetworkSpec& spec, const std::vector<std::string>& layers,
                   const std::string& values) {
  auto layer = layers.begin();
  std::string text = fmt::format(
      "def forward(self, observation):\n"
      "    x = observation.type_as(self.{}.weight) * {}\n",
      *layer, static_cast<double>(spec.input.scale));
  for (const ConvolutionSpec& convolution : spec.convolutions) {
    text += fmt::format(
        "    x = torch.relu(torch.conv2d(x, self.{0}.weight, self.{0}.bias, [{1}, {1}]))\n",
        *layer++, convolution.stride);
  }
  text += "    x = torch.flatten(x, 1)\n";
  for (std::size_t i = 0; i < spec.hidden.size(); ++i) {
    text += fmt::format("    x = torch.relu(torch.linear(x, self.{0}.weight, self.{0}.bias))\n",
                        *layer++);
  }
  for (; layer != layers.end(); ++layer) {
    text += fmt::format("    {0} = torch.linear(x, self.{0}.weight, self.{0}.bias)\n", *layer);
  }
  return text + values;
}

at::Tensor Values(const ParameterLayout& layout, const std::string& name,
                  std::span<const float> parameters) {
  const auto tensor =
      std::find_if(layout.tensors.begin(), layout.tensors.end(),
                   [&](const ParameterTensor& candidate) { return candidate.name == name; });
  GORILA_CHECK(tensor != layout.tensors.end(), "{}", name);
  const std::vector<std::int64_t> shape(tensor->shape.begin(), tensor->shape.end());
  float* const values = const_cast<float*>(parameters.data()) + tensor->offset;
  return at::from_blob(values, shape, at::kFloat).clone();
}

// One submodule a layer, so that parameters have the names of the layout.
torch::jit::Module MakeModule(const NetworkSpec& spec, const ParameterLayout& layout,
                              std::span<const float> parameters, const std::string& values) {
  torch::jit::Module root("__torch__.QNetwork");
  const std::vector<std::string> layers = Layers(layout);
  for (const std::string& name : layers) {
    torch::jit::Module layer("__torch__.layers." + name);
    for (const char* const part : {"weight", "bias"}) {
      layer.register_parameter(part, Values(layout, fmt::format("{}.{}", name, part), parameters),
                               false);
    }
    root.register_module(name, layer);
  }
  root.define(Source(spec, layers, values));
  root.eval();
  return root;
}

}  // namespace

StatusOr<std::string> EncodeTorchModule(const NetworkSpec& spec, const ParameterLayout& layout,
                                        std::span<const float> parameters,
                                        const std::string& values) {
  try {
    std::ostringstream bytes;
    MakeModule(spec, layout, parameters, values).save(bytes);
    return bytes.str();
  } catch (const std::exception&) {
    return Unavailable("libtorch cannot write this network: {}", TorchErrorText());
  }
}

}  // namespace gorila
