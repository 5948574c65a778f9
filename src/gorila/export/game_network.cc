#include "gorila/export/game_network.h"

#include <string_view>

namespace gorila {
namespace {

const ParameterTensor& FindTensor(const ParameterLayout& layout, std::string_view name) {
  for (const ParameterTensor& tensor : layout.tensors) {
    if (tensor.name == name) return tensor;
  }
  GORILA_CHECK(false, "no tensor {}", name);
}

// To each row of `value` is added, over the rows of `advantage` that are the same atom of each
// action, the mean of all minus the mean of those that are allowed.
void AddDifferenceOfMeans(AllowedActions allowed, std::span<const float> advantage,
                          std::span<float> value) {
  const std::size_t actions = allowed.size();
  const double all = 1.0 / static_cast<double>(actions);
  const double own = 1.0 / NumAllowed(allowed, static_cast<int>(actions));
  for (std::size_t i = 0; i < value.size(); ++i) {
    double sum = static_cast<double>(value[i]);
    for (std::size_t a = 0; a < actions; ++a) {
      const double share = all - (IsAllowed(allowed, a) ? own : 0);
      sum += share * static_cast<double>(advantage[a * value.size() + i]);
    }
    value[i] = static_cast<float>(sum);
  }
}

}  // namespace

GameNetwork NetworkOfGame(const NetworkSpec& spec, const ValueForm& form,
                          std::span<const float> parameters, int game) {
  GameNetwork one = TakeGame(spec, parameters, game);
  const AllowedActions allowed = ActionsOfGame(spec.game_actions, game);
  if (!form.dueling || allowed.empty()) return one;
  const ParameterLayout layout = MakeParameterLayout(one.spec);
  const auto values = [&](const ParameterTensor& tensor) {
    return std::span(one.parameters).subspan(tensor.offset, tensor.size);
  };
  for (const std::string_view part : {"weight", "bias"}) {
    AddDifferenceOfMeans(allowed, values(FindTensor(layout, fmt::format("advantage.{}", part))),
                         values(FindTensor(layout, fmt::format("value.{}", part))));
  }
  return one;
}

}  // namespace gorila
