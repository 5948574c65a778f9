#include "gorila/evaluation/play_statistics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "gorila/env/random_play.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kFirstSeed = 1000;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One environment, with what its episode has brought so far.
class CountedPlay {
 public:
  explicit CountedPlay(RandomPlay play) : play_(std::move(play)) {}

  void Submit() { play_.Submit(); }

  Status Finish(PlayStatistics& statistics) {
    GORILA_ASSIGN_OR_RETURN(const bool whole, play_.Finish());
    if (!whole) return OkStatus();
    GORILA_RETURN_IF_ERROR(CountObservation(statistics));
    const TimeStep& now = play_.now();
    if (now.step_type == StepType::kFirst) {
      length_ = 0;
      return_ = 0;
      return OkStatus();
    }
    if (!std::isfinite(now.reward)) {
      return InvalidArgument("a reward of {}; expected a finite number", now.reward);
    }
    ++statistics.steps;
    statistics.reward.Add(now.reward);
    ++length_;
    return_ += now.reward;
    if (now.last()) CountEpisode(statistics);
    return OkStatus();
  }

 private:
  void CountEpisode(PlayStatistics& statistics) const {
    ++(play_.now().discount == 0 ? statistics.terminated : statistics.truncated);
    statistics.length.Add(static_cast<double>(length_));
    statistics.returns.Add(return_);
  }

  Status CountObservation(PlayStatistics& statistics) {
    const std::span<const std::byte> seen = play_.observation();
    if (!statistics.observations_change) {
      if (first_.empty()) first_.assign(seen.begin(), seen.end());
      statistics.observations_change = !std::equal(seen.begin(), seen.end(), first_.begin());
    }
    const ObservationSpec& spec = play_.environment().spec().observation;
    if (spec.element != ElementType::kFloat32) {
      const auto [low, high] = std::minmax_element(seen.begin(), seen.end());
      for (const std::byte one : {*low, *high}) {
        statistics.scaled_byte.Add(spec.scale * static_cast<float>(std::to_integer<int>(one)));
      }
      return OkStatus();
    }
    const auto* const values = reinterpret_cast<const float*>(seen.data());
    for (std::size_t i = 0; i < seen.size() / sizeof(float); ++i) {
      if (!std::isfinite(values[i])) {
        return InvalidArgument("an observation with {} in it; expected finite numbers", values[i]);
      }
      statistics.value.Add(values[i]);
    }
    return OkStatus();
  }

  RandomPlay play_;
  std::vector<std::byte> first_;  // observation
  std::int64_t length_ = 0;
  double return_ = 0;
};

}  // namespace

StatusOr<PlayStatistics> PlayRandomly(EnvironmentFactory& factory, int at_once,
                                      const PlayLimits& limits) {
  std::vector<CountedPlay> plays;
  for (int i = 0; i < at_once; ++i) {
    GORILA_ASSIGN_OR_RETURN(RandomPlay play,
                            RandomPlay::Make(factory, kFirstSeed + static_cast<std::uint64_t>(i)));
    plays.emplace_back(std::move(play));
  }
  PlayStatistics statistics;
  const Clock::time_point start = Clock::now();
  // Steps that lose their episodes do not count, but end.
  for (std::int64_t round = 0; round * at_once < limits.steps; ++round) {
    statistics.seconds = SecondsSince(start);
    if (statistics.seconds >= limits.seconds) return statistics;
    for (CountedPlay& play : plays) play.Submit();
    for (CountedPlay& play : plays) GORILA_RETURN_IF_ERROR(play.Finish(statistics));
  }
  statistics.seconds = SecondsSince(start);
  return statistics;
}

}  // namespace gorila
