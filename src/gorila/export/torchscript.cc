#include "gorila/export/torchscript.h"

#include <vector>

#include "gorila/export/quiet_network.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

// A head's outputs as batch x rows x atoms.
std::string Atoms(const HeadSpec& head, int atoms) {
  return fmt::format("torch.reshape({}, [-1, {}, {}])", head.name, head.width / atoms, atoms);
}

// The x of ValueForm: batch x actions x atoms.
std::string AtomsSource(const ValueForm& form) {
  const std::vector<HeadSpec> heads = HeadsOf(form);
  std::string text = fmt::format("    x = {}\n", Atoms(heads.front(), form.atoms));
  if (!form.dueling) return text;
  return text + fmt::format("    x = x + ({} - torch.mean(x, [1], True))\n",
                            Atoms(heads.back(), form.atoms));
}

// From the outputs of the heads to what the network gives.
std::string ValuesSource(const ValueForm& form) {
  if (form.kind == ValueKind::kPolicy) {
    return "    return (torch.softmax(policy, 1), torch.flatten(value))\n";
  }
  if (HeadsOf(form).empty()) return "    return q\n";
  const std::string text = AtomsSource(form);
  switch (form.kind) {
    case ValueKind::kExpectation:
    case ValueKind::kSampled:  // not written: WithoutNoise
    case ValueKind::kPolicy:
      break;
    case ValueKind::kCategorical:
      return text + fmt::format(
                        "    support = torch.linspace({}, {}, {}, dtype=x.dtype, device=x.device)\n"
                        "    return torch.sum(torch.softmax(x, 2) * support, [2])\n",
                        form.low, form.high, form.atoms);
    case ValueKind::kQuantiles:
      return text + "    return torch.mean(x, [2])\n";
  }
  return text + "    return torch.flatten(x, 1)\n";
}

}  // namespace

StatusOr<std::string> EncodeTorchScript(const NetworkSpec& spec, const ValueForm& form,
                                        std::span<const float> parameters) {
  const QuietNetwork network = WithoutNoise(spec, form, parameters);
  GORILA_ASSIGN_OR_RETURN(const TorchModule* const module, LoadTorchModule());
  return module->encode(network.spec, network.layout, network.parameters, ValuesSource(form));
}

}  // namespace gorila
