// Computes an exported TorchScript network with libtorch and nothing of this project:
//   torchscript_reader FILE CHANNELS HEIGHT WIDTH < OBSERVATIONS
// OBSERVATIONS are bytes, one observation after another. Prints JSON: the shapes of the parameters
// by name, and the q-values, observation by observation.
#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdint>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <string>

namespace {

std::int64_t Number(const char* text) { return std::strtoll(text, nullptr, 10); }

void PrintParameters(const torch::jit::Module& network) {
  const char* separator = "";
  for (const auto& parameter : network.named_parameters()) {
    std::cout << separator << '"' << parameter.name << "\": " << parameter.value.sizes();
    separator = ", ";
  }
}

void PrintValues(const at::Tensor& q) {
  const at::Tensor flat = q.flatten().contiguous();
  std::cout << std::setprecision(9);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    std::cout << (i == 0 ? "" : ", ") << flat.data_ptr<float>()[i];
  }
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
  const at::Tensor q = network.forward({observations}).toTensor();
  std::cout << "{\"parameters\": {";
  PrintParameters(network);
  std::cout << "}, \"q\": [";
  PrintValues(q);
  std::cout << "]}\n";
  return 0;
}
