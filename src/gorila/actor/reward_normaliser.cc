#include "gorila/actor/reward_normaliser.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gorila {

RewardNormaliser::RewardNormaliser(double discount, std::vector<int> games)
    : discount_(discount),
      games_(std::move(games)),
      returns_(games_.size()),
      statistics_(static_cast<std::size_t>(*std::max_element(games_.begin(), games_.end())) + 1) {}

float RewardNormaliser::Normalise(std::size_t i, const TimeStep& step) {
  Game& game = statistics_[static_cast<std::size_t>(games_[i])];
  const auto reward = static_cast<double>(step.reward);
  returns_[i] = discount_ * returns_[i] + reward;
  ++game.count;
  const double deviation = returns_[i] - game.mean;
  game.mean += deviation / static_cast<double>(game.count);
  game.squared_deviations += deviation * (returns_[i] - game.mean);
  if (step.last()) returns_[i] = 0;
  const double variance = game.squared_deviations / static_cast<double>(game.count);
  const double scaled = variance > 0 ? reward / std::sqrt(variance) : reward;
  return static_cast<float>(std::clamp(scaled, -kMost, kMost));
}

void RewardNormaliser::SaveState(StateWriter& writer) const {
  writer.WriteSpan<double>(returns_);
  writer.WriteSpan<Game>(statistics_);
}

Status RewardNormaliser::RestoreState(StateReader& reader) {
  std::vector<double> returns;
  std::vector<Game> statistics;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(returns));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(statistics));
  if (returns.size() != returns_.size() || statistics.size() != statistics_.size()) {
    return DataLoss("normalised rewards of {} environments and {} games, expected {} and {}",
                    returns.size(), statistics.size(), returns_.size(), statistics_.size());
  }
  returns_ = std::move(returns);
  statistics_ = std::move(statistics);
  return OkStatus();
}

}  // namespace gorila
