// How many learner updates the inserted experience pays for, and how far it may run ahead.
#ifndef GORILA_REPLAY_RATE_LIMITER_H_
#define GORILA_REPLAY_RATE_LIMITER_H_

#include <algorithm>
#include <cstdint>

#include "gorila/base/serialise.h"

namespace gorila {

// Plain arithmetic without a lock: called under its owner's.
class RateLimiter {
 public:
  struct Options {
    double updates_per_step = 0.25;  // minibatches per inserted time step (DQN: 1 per 4 steps)
    std::int64_t min_size = 5000;    // time steps inserted before the first sample
    // Time steps that inserts may be ahead of samples; 0 = inserts never wait.
    std::int64_t insert_lead = 1000;
  };

  explicit RateLimiter(const Options& options) : options_(options) {}

  void OnInsert() { ++inserted_; }
  void OnSample() { ++sampled_; }

  // The first sample is allowed at min_size inserted steps; from there on samples keep to
  // updates_per_step.
  bool CanSample() const {
    if (inserted_ < options_.min_size || inserted_ == 0) return false;
    const auto paid =
        static_cast<double>(inserted_ - options_.min_size) * options_.updates_per_step;
    return static_cast<double>(sampled_) <= paid;
  }

  // How many samples would be allowed one after another.
  std::int64_t Allowed() const {
    if (!CanSample()) return 0;
    const auto paid =
        static_cast<double>(inserted_ - options_.min_size) * options_.updates_per_step;
    constexpr double kMost = 1e15;
    return 1 + static_cast<std::int64_t>(std::min(paid, kMost) - static_cast<double>(sampled_));
  }

  // False when inserts are insert_lead steps or more ahead of what samples paid for; then
  // CanSample() holds. Only a replay that others sample from asks: who does both in turn would wait
  // for itself.
  bool CanInsert() const {
    if (options_.insert_lead == 0 || inserted_ < options_.min_size) return true;
    const double used = static_cast<double>(sampled_) / options_.updates_per_step;
    return static_cast<double>(inserted_ - options_.min_size) <
           used + static_cast<double>(options_.insert_lead);
  }

  std::int64_t inserted() const { return inserted_; }
  std::int64_t sampled() const { return sampled_; }

  void SaveState(StateWriter& writer) const {
    writer.Write(inserted_);
    writer.Write(sampled_);
  }
  Status RestoreState(StateReader& reader) {
    GORILA_RETURN_IF_ERROR(reader.Read(inserted_));
    return reader.Read(sampled_);
  }

 private:
  const Options options_;
  std::int64_t inserted_ = 0;
  std::int64_t sampled_ = 0;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_RATE_LIMITER_H_
