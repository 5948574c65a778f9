#include "gorila/network/torch/torch_module.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "gorila/network/torch/torch_computation.h"
#include "gorila/network/torch/torch_script.h"

namespace gorila {
namespace {

// The same inputs give the same bits, and those of single precision, on a GPU too.
void PreferExactness() {
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
}

TorchModule Start() {
  at::set_num_threads(1);
  PreferExactness();
  return {.interface = kTorchInterface,
          .libtorch_version = TORCH_VERSION,
          .cuda_devices = static_cast<int>(torch::cuda::device_count()),
          .check = &CheckTorchDevice,
          .make = &MakeTorchComputation,
          .encode = &EncodeTorchModule,
          .product = &MakeTorchProduct};
}

}  // namespace
}  // namespace gorila

// The name that kTorchModuleFunction has.
extern "C" __attribute__((visibility("default"))) const gorila::TorchModule* gorila_torch_module() {
  static const gorila::TorchModule module = gorila::Start();
  return &module;
}
