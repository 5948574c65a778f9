// Whether a run learns: a run whose gradients are refused because they are not finite has diverged.
#ifndef GORILA_RUN_TRAINING_HEALTH_H_
#define GORILA_RUN_TRAINING_HEALTH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gorila/config/config.h"
#include "gorila/metrics/progress.h"

namespace gorila {

// One thread: the trainer's or the coordinator's.
class TrainingHealth {
 public:
  explicit TrainingHealth(const Config& config)
      : learning_rate_(config.parameter_server.options.optimizer.learning_rate),
        paid_by_(DrawsOnce(config.replay.options.selector) ? "learner.batch_size"
                                                           : "replay.min_size") {}

  // `now` is compared with the looks before it. The first time that most gradients are refused,
  // `message` (may be empty) gets a line for people.
  void Look(const ProgressSnapshot& now, const std::function<void(std::string_view)>& message);

  // What is wrong with a run that ends like this, in one line; empty = nothing.
  std::string Problem(const ProgressSnapshot& end) const;

 private:
  const double learning_rate_;
  const std::string_view paid_by_;  // what decides when the first update comes
  std::uint64_t pushed_ = 0;        // gradients at the beginning of what is compared
  std::uint64_t invalid_ = 0;
  bool diverging_ = false;
  bool said_ = false;
};

}  // namespace gorila

#endif  // GORILA_RUN_TRAINING_HEALTH_H_
