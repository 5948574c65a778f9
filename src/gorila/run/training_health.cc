#include "gorila/run/training_health.h"

#include <fmt/format.h>

#include <utility>

namespace gorila {
namespace {

// The fewest gradients to judge by: a few bad ones are no divergence.
constexpr std::uint64_t kEnough = 100;

std::uint64_t Pushed(const ProgressSnapshot& progress) {
  return progress.accepted + progress.stale + progress.invalid;
}

}  // namespace

void TrainingHealth::Look(const ProgressSnapshot& now,
                          const std::function<void(std::string_view)>& message) {
  const std::uint64_t pushed = Pushed(now);
  if (pushed < pushed_ || now.invalid < invalid_) {  // a shard came back from a snapshot
    pushed_ = pushed;
    invalid_ = now.invalid;
    return;
  }
  if (pushed - pushed_ < kEnough) return;
  const std::uint64_t refused = now.invalid - invalid_;
  diverging_ = 2 * refused > pushed - pushed_;
  if (diverging_ && message && !std::exchange(said_, true)) {
    message(fmt::format(
        "training diverges: {} of the last {} gradients are not finite and were refused; stop it "
        "and lower optimizer.learning_rate ({})",
        refused, pushed - pushed_, learning_rate_));
  }
  pushed_ = pushed;
  invalid_ = now.invalid;
}

std::string TrainingHealth::Problem(const ProgressSnapshot& end) const {
  // By parameters that are those of the start: the learning rate has nothing to do with it.
  if (end.updates == 0 && end.invalid > 0) {
    return fmt::format(
        "the run made no update in {} frames: {} gradients were not finite and were refused; "
        "observations, rewards (learner.reward_clip) or what weighs the loss are too large",
        end.frames, end.invalid);
  }
  if (end.updates == 0) {
    return fmt::format(
        "the run made no update in {} frames, so nothing was learnt; give it more frames or "
        "seconds, or lower {}",
        end.frames, paid_by_);
  }
  if (diverging_ || 2 * end.invalid > Pushed(end)) {
    return fmt::format(
        "the run diverged: {} of {} gradients were not finite and were refused; lower "
        "optimizer.learning_rate ({})",
        end.invalid, Pushed(end), learning_rate_);
  }
  return "";
}

}  // namespace gorila
