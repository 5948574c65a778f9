// Retries idempotent calls until they succeed or can no longer succeed.
#ifndef GORILA_RPC_RETRY_H_
#define GORILA_RPC_RETRY_H_

#include <chrono>
#include <functional>

#include "gorila/base/status.h"

namespace gorila::rpc {

// Whether the caller wants to end; asked several times a second. May be empty: never.
using StopPredicate = std::function<bool()>;

struct RetryPolicy {
  std::chrono::milliseconds patience{600'000};  // from the first failure of a row to giving up
  std::chrono::milliseconds first_wait{50};     // after the first failure; doubles from then on
  std::chrono::milliseconds longest_wait{1000};
};

// Whether another try may succeed: the peer is down, restarting or overloaded, or the connection
// broke. A refusal of the call itself (token, layout, shape, ...) is final.
bool IsRetryable(const Status& status);

// The wait before try `failures` + 1: doubling, with up to a quarter less so that many clients do
// not come back in step. `draw` in [0,1).
std::chrono::milliseconds RetryWait(const RetryPolicy& policy, int failures, double draw);

// Blocks for `time`; false as soon as `stop`.
bool SleepUnlessStopped(std::chrono::milliseconds time, const StopPredicate& stop);

// Calls `attempt` until it succeeds or fails for good, `stop` (Cancelled), or policy.patience is
// over (the last error). `on_failure`, where given, sees every failure that is followed by a wait.
// Blocks.
Status Retry(const RetryPolicy& policy, const StopPredicate& stop,
             const std::function<Status()>& attempt,
             const std::function<void(const Status&)>& on_failure = {});

}  // namespace gorila::rpc

#endif  // GORILA_RPC_RETRY_H_
