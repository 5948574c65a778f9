#include "gorila/metrics/progress_history.h"

#include <cmath>

namespace gorila {

void ProgressHistory::Add(const ProgressSnapshot& snapshot) {
  const auto frames = static_cast<double>(snapshot.frames);
  if (snapshot.per_game.empty()) AddReturn("", {frames, snapshot.recent_return});
  for (const GameProgress& game : snapshot.per_game) {
    AddReturn(game.name, {frames, game.recent_return});
  }
}

void ProgressHistory::AddReturn(std::string_view game, CurveSample point) {
  if (!std::isfinite(point.y)) return;
  auto found = returns_.find(game);
  if (found == returns_.end()) {
    found = returns_.try_emplace(std::string(game), kMostPoints).first;
  }
  found->second.Add(point);
}

std::vector<CurveSample> ProgressHistory::Returns(std::string_view game) const {
  const auto found = returns_.find(game);
  return found == returns_.end() ? std::vector<CurveSample>() : found->second.values();
}

}  // namespace gorila
