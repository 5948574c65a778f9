#include "gorila/rpc/retry.h"

#include <algorithm>
#include <thread>

#include "gorila/base/random.h"
#include "gorila/base/runtime.h"
#include "gorila/rpc/refusal.h"

namespace gorila::rpc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSleepLook{20};

// Only spreads retries over time, so that any seed will do.
double Jitter() {
  if (simulated_runtime != nullptr) {
    return static_cast<double>(simulated_runtime->Draw() >> 11) * 0x1p-53;
  }
  thread_local RandomStream random(
      static_cast<std::uint64_t>(SteadyNow().time_since_epoch().count()));
  return random.Uniform();
}

}  // namespace

bool IsRetryable(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    // gRPC reports these for some connections that are cut in the middle of a stream.
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

std::chrono::milliseconds RetryWait(const RetryPolicy& policy, int failures, double draw) {
  const int doublings = std::clamp(failures - 1, 0, 20);
  const auto wait = std::min<double>(
      static_cast<double>(policy.longest_wait.count()),
      static_cast<double>(policy.first_wait.count()) * static_cast<double>(1 << doublings));
  return std::chrono::milliseconds(static_cast<std::int64_t>(wait * (1 - draw / 4)));
}

bool SleepUnlessStopped(std::chrono::milliseconds time, const StopPredicate& stop) {
  const auto end = SteadyNow() + time;
  while (!(stop && stop())) {
    const auto left = end - SteadyNow();
    if (left <= Clock::duration::zero()) return true;
    SleepFor(std::min<Clock::duration>(left, kSleepLook));
  }
  return false;
}

Status Retry(const RetryPolicy& policy, const StopPredicate& stop,
             const std::function<Status()>& attempt,
             const std::function<void(const Status&)>& on_failure) {
  Clock::time_point give_up{};
  for (int failures = 1;; ++failures) {
    Status status = attempt();
    if (status.ok()) return status;
    if (stop && stop()) return absl::CancelledError("stopped while trying again");
    if (!IsRetryable(status)) return status;
    const auto now = SteadyNow();
    if (failures == 1) give_up = now + policy.patience;
    if (now >= give_up) return status;
    if (on_failure) on_failure(status);
    if (!SleepUnlessStopped(RetryWait(policy, failures, Jitter()), stop)) {
      return absl::CancelledError("stopped while trying again");
    }
  }
}

}  // namespace gorila::rpc
