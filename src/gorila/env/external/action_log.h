// What has happened to an environment since it was last given a seed: enough to bring another copy
// of it to the same state, where it repeats itself.
#ifndef GORILA_ENV_EXTERNAL_ACTION_LOG_H_
#define GORILA_ENV_EXTERNAL_ACTION_LOG_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// Not thread-safe. A step costs an append and a checksum of its observation (quick_hash.h).
class ActionLog {
 public:
  // In place of an action: a reset without a seed in the middle of an episode.
  static constexpr std::int32_t kReset = -1;
  // The beginning of the episode that followed the end of one by itself.
  static constexpr std::int32_t kNext = -2;
  // What happens after so many actions is not kept: complete() is false then.
  static constexpr std::size_t kMostActions = 4'000'000;

  // A reset with a seed, which begins the log anew, and what it showed.
  void Begin(std::uint64_t seed, std::span<const std::byte> observation);
  // A step, kReset or kNext, and what it showed.
  void Add(std::int32_t action, const TimeStep& step, std::span<const std::byte> observation);

  bool begun() const { return begun_; }
  std::uint64_t seed() const { return seed_; }
  std::span<const std::int32_t> actions() const { return actions_; }
  std::uint64_t checksum() const { return checksum_; }
  bool complete() const { return complete_; }

  // DataLoss for an action that is not in low..high.
  Status CheckActions(std::int32_t low, std::int32_t high) const;

  // The actions are compressed (zstd). DataLoss for state that is damaged.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

  bool operator==(const ActionLog&) const = default;

 private:
  bool begun_ = false;
  std::uint64_t seed_ = 0;
  std::vector<std::int32_t> actions_;
  std::uint64_t checksum_ = 0;
  bool complete_ = true;
};

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_ACTION_LOG_H_
