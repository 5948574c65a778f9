// Computes an exported TorchScript network with libtorch and nothing of this project:
//   torchscript_reader FILE CHANNELS HEIGHT WIDTH < OBSERVATIONS
// OBSERVATIONS are bytes, one observation after another. Prints JSON: the shapes of the parameters
// by name, and the outputs (one tensor, or a tuple's), each with its shape.
#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdint>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::int64_t Number(const char* text) { return std::strtoll(text, nullptr, 10); }

void PrintParameters(const torch::jit::Module& network) {
  const char* separator = "";
  for (const auto& parameter : network.named_parameters()) {
    std::cout << separator << '"' << parameter.name << "\": " << parameter.value.sizes();
    separator = ", ";
  }
}

void PrintOutput(const at::Tensor& output) {
  const at::Tensor flat = output.flatten().contiguous();
  std::cout << "{\"shape\": " << output.sizes() << ", \"values\": [" << std::setprecision(9);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    std::cout << (i == 0 ? "" : ", ") << flat.data_ptr<float>()[i];
  }
  std::cout << "]}";
}

std::vector<at::Tensor> Tensors(const c10::IValue& result) {
  if (result.isTensor()) return {result.toTensor()};
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& element : result.toTuple()->elements()) {
    tensors.push_back(element.toTensor());
  }
  return tensors;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: torchscript_reader FILE CHANNELS HEIGHT WIDTH < OBSERVATIONS\n";
    return 2;
  }
  std::string bytes{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  torch::jit::Module network = torch::jit::load(argv[1]);
  const at::Tensor observations =
      at::from_blob(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, at::kByte)
          .view({-1, Number(argv[2]), Number(argv[3]), Number(argv[4])});
  const std::vector<at::Tensor> outputs = Tensors(network.forward({observations}));
  std::cout << "{\"parameters\": {";
  PrintParameters(network);
  std::cout << "}, \"outputs\": [";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) std::cout << ", ";
    PrintOutput(outputs[i]);
  }
  std::cout << "]}\n";
  return 0;
}
