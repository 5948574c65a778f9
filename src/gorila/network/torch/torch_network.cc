#include "gorila/network/torch/torch_network.h"

#include <string>

#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

StatusOr<const TorchModule*> Load() {
  StatusOr<const TorchModule*> module = LoadTorchModule();
  if (!module.ok()) return Annotate(module.status(), "network.backend torch");
  return module;
}

}  // namespace

Status CheckTorch(std::string_view device) {
  GORILA_ASSIGN_OR_RETURN(const TorchModule* const module, Load());
  return module->check(std::string(device));
}

StatusOr<std::unique_ptr<QNetwork>> MakeTorchNetwork(const NetworkSpec& spec, int max_batch,
                                                     std::string_view device) {
  GORILA_ASSIGN_OR_RETURN(const TorchModule* const module, Load());
  return module->make(spec, MakeParameterLayout(spec), max_batch, std::string(device));
}

}  // namespace gorila
