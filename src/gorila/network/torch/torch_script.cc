#include "gorila/network/torch/torch_script.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>

#include <exception>
#include <sstream>
#include <vector>

#include "gorila/network/torch/torch_error.h"

namespace gorila {
namespace {

// "conv1" of "conv1.weight".
std::string LayerOf(const ParameterTensor& tensor) {
  return tensor.name.substr(0, tensor.name.find('.'));
}

// TorchScript of what the network does. `layers` names them, the output last.
std::string Source(const NetworkSpec& spec, const std::vector<std::string>& layers) {
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
  return text + fmt::format("    return torch.linear(x, self.{0}.weight, self.{0}.bias)\n", *layer);
}

at::Tensor Values(const ParameterTensor& tensor, std::span<const float> parameters) {
  const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
  float* const values = const_cast<float*>(parameters.data()) + tensor.offset;
  return at::from_blob(values, shape, at::kFloat).clone();
}

// One submodule a layer, so that parameters have the names of the layout.
torch::jit::Module MakeModule(const NetworkSpec& spec, const ParameterLayout& layout,
                              std::span<const float> parameters) {
  torch::jit::Module root("__torch__.QNetwork");
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < layout.tensors.size(); i += 2) {
    const std::string name = LayerOf(layout.tensors[i]);
    torch::jit::Module layer("__torch__.layers." + name);
    layer.register_parameter("weight", Values(layout.tensors[i], parameters), false);
    layer.register_parameter("bias", Values(layout.tensors[i + 1], parameters), false);
    root.register_module(name, layer);
    layers.push_back(name);
  }
  root.define(Source(spec, layers));
  root.eval();
  return root;
}

}  // namespace

StatusOr<std::string> EncodeTorchModule(const NetworkSpec& spec, const ParameterLayout& layout,
                                        std::span<const float> parameters) {
  try {
    std::ostringstream bytes;
    MakeModule(spec, layout, parameters).save(bytes);
    return bytes.str();
  } catch (const std::exception&) {
    return Unavailable("libtorch cannot write this network: {}", TorchErrorText());
  }
}

}  // namespace gorila
