#include "gorila/cli/stop_signal.h"

#include <signal.h>  // pthread_sigmask is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <unistd.h>

#include <atomic>
#include <thread>

#include "gorila/cli/exit_status.h"

namespace gorila::cli {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<void (*)()> exit_hook{nullptr};

bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t StopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  if (!IsIgnored(SIGHUP)) ::sigaddset(&signals, SIGHUP);
  return signals;
}

// Until the process ends.
void WaitForSignals(sigset_t signals) {
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0 || !stop_requested.exchange(true)) continue;
    if (void (*const hook)() = exit_hook.load(); hook != nullptr) hook();
    ::_exit(kInterrupted);
  }
}

}  // namespace

void CatchStopSignals(void (*before_exit)()) {
  exit_hook = before_exit;
  const sigset_t signals = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A shell has these ignored in what it runs in the background.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  [[maybe_unused]] static const bool waiting = [&signals] {
    std::thread(&WaitForSignals, signals).detach();
    return true;
  }();
}

bool StopRequested() { return stop_requested.load(std::memory_order_relaxed); }

}  // namespace gorila::cli
