#include "gorila/export/torchscript.h"

#include "gorila/network/torch/torch_module.h"

namespace gorila {

StatusOr<std::string> EncodeTorchScript(const NetworkSpec& spec,
                                        std::span<const float> parameters) {
  const ParameterLayout layout = MakeParameterLayout(spec);
  GORILA_CHECK(parameters.size() == layout.size, "{} {}", parameters.size(), layout.size);
  GORILA_ASSIGN_OR_RETURN(const TorchModule* const module, LoadTorchModule());
  return module->encode(spec, layout, parameters);
}

}  // namespace gorila
