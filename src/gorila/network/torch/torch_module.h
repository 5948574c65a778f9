// The interface between the program and its module with libtorch. The module is a shared library
// of its own, loaded when something asks for it: loading libtorch takes about a second and 160 MB,
// which most commands have no use for.
#ifndef GORILA_NETWORK_TORCH_TORCH_MODULE_H_
#define GORILA_NETWORK_TORCH_TORCH_MODULE_H_

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "gorila/network/q_network.h"

namespace gorila {

// Lies beside the program, where the build puts it when it finds libtorch.
inline constexpr char kTorchModuleFile[] = "libgorila_torch.so";

// The program and the module come from one build; this finds out when they do not.
inline constexpr int kTorchInterface = 4;

struct TorchModule {
  int interface = 0;  // kTorchInterface
  std::string libtorch_version;
  int cuda_devices = 0;  // that can be used now

  // `device` is "cpu", "cuda" or "cuda:N". InvalidArgument when it is not there.
  Status (*check)(const std::string& device) = nullptr;

  // `spec` has passed CheckNetworkSpec, `layout` is its own, `device` has passed `check`.
  // Unavailable when libtorch refuses.
  StatusOr<std::unique_ptr<QNetwork>> (*make)(const NetworkSpec& spec,
                                              const ParameterLayout& layout, int max_batch,
                                              const std::string& device) = nullptr;

  // As EncodeTorchScript (export/torchscript.h). `spec` has no noise. `values` are the last lines
  // of forward(), in TorchScript: the outputs of each head are in the variable that has its name.
  StatusOr<std::string> (*encode)(const NetworkSpec& spec, const ParameterLayout& layout,
                                  std::span<const float> parameters,
                                  const std::string& values) = nullptr;

  // Each call multiplies two matrices of side x side floats on `device`, with the settings that
  // networks are computed with, and waits for the result. Unavailable when libtorch refuses.
  StatusOr<std::function<void()>> (*product)(const std::string& device, int side) = nullptr;
};

// The module's only exported function, called once.
inline constexpr char kTorchModuleFunction[] = "gorila_torch_module";
using TorchModuleFunction = const TorchModule*();

// Loads the module in the first call, which takes about a second; later ones give what that one
// did. InvalidArgument where the program was built without libtorch, Unavailable when the module
// cannot be loaded. Thread-safe.
StatusOr<const TorchModule*> LoadTorchModule();

// Whether the module is there. Loads nothing.
bool TorchIsBuiltIn();

}  // namespace gorila

#endif  // GORILA_NETWORK_TORCH_TORCH_MODULE_H_
