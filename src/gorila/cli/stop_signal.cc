#include "gorila/cli/stop_signal.h"

#include <signal.h>  // sigaction is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <unistd.h>

#include <atomic>

#include "gorila/cli/exit_status.h"

namespace gorila::cli {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "used in a signal handler");

void (*exit_hook)() = nullptr;  // set before the handler is

void HandleSignal(int) {
  if (!stop_requested.exchange(true)) return;
  if (exit_hook != nullptr) exit_hook();
  ::_exit(kInterrupted);
}

}  // namespace

void CatchStopSignals(void (*before_exit)()) {
  exit_hook = before_exit;
  struct sigaction action {};
  action.sa_handler = &HandleSignal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool StopRequested() { return stop_requested.load(std::memory_order_relaxed); }

}  // namespace gorila::cli
