// The state of every environment besides its game: whether an episode runs, and its limit.
#ifndef GORILA_ENV_EPISODE_H_
#define GORILA_ENV_EPISODE_H_

#include <cstdint>
#include <string_view>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// Counts the steps of an episode and turns (reward, terminal) into TimeSteps. Not thread-safe.
class Episode {
 public:
  // Cuts episodes off after `max_steps` steps; 0 = never.
  explicit Episode(int max_steps) : max_steps_(max_steps) {}

  // The kFirst step.
  TimeStep Begin();

  // One step on. kLast with discount 0 when `terminal`; kLast with discount 1 at the time limit, or
  // when the caller has another limit and says `cut_off`. Must not be called outside an episode.
  TimeStep Advance(float reward, bool terminal, bool cut_off = false);

  // Whether Step may be called.
  bool running() const { return running_; }

  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  const std::int64_t max_steps_;
  std::int64_t steps_ = 0;
  bool running_ = false;
};

// Marks state bytes as those of the environment called `name`; reading gives DataLoss for
// another's.
void WriteEnvironmentName(StateWriter& writer, std::string_view name);
Status ReadEnvironmentName(StateReader& reader, std::string_view name);

}  // namespace gorila

#endif  // GORILA_ENV_EPISODE_H_
