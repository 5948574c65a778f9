#include "gorila/cli/stop_signal.h"

#include <signal.h>  // pthread_sigmask is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <utility>

#include "gorila/base/thread.h"
#include "gorila/cli/exit_status.h"
#include "gorila/cli/standard_files.h"
#include "gorila/env/worker/worker_process.h"

namespace gorila::cli {
namespace {

using Clock = std::chrono::steady_clock;

// `timeout` and other wrappers forward signals that the terminal has already sent to every process.
constexpr std::chrono::milliseconds kOnePress{500};

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

// The key was echoed as "^C" in the line where the next output begins. Erased, or on a terminal
// without control sequences ended.
void EraseEchoedKey() {
  const int terminal = ::isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : STDOUT_FILENO;
  if (::tcgetpgrp(terminal) != ::getpgrp()) return;  // no terminal, or another has its keys
  termios settings{};
  constexpr tcflag_t kEchoes = ECHO | ECHOCTL;
  if (::tcgetattr(terminal, &settings) != 0 || (settings.c_lflag & kEchoes) != kEchoes) return;
  // Linux sends the signal before it echoes, and changes settings between two keys only: setting
  // what is set waits for the echo.
  ::tcsetattr(terminal, TCSANOW, &settings);
  const char* const term = std::getenv("TERM");
  const bool dumb = term == nullptr || *term == '\0' || std::string_view(term) == "dumb";
  const std::string_view erase = dumb ? "\n" : "\r\x1b[K";
  [[maybe_unused]] const ssize_t written = ::write(terminal, erase.data(), erase.size());
}

// Until the process ends. Where a closed terminal is ignored, so is a pipe whose reader is gone.
void WaitForSignals(sigset_t signals) {
  // A process in the background may then still set up its terminal.
  sigset_t background;
  ::sigemptyset(&background);
  ::sigaddset(&background, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &background, nullptr);
  constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 500'000'000};
  const bool minds_reader = ::sigismember(&signals, SIGHUP) == 1;
  Clock::time_point last_interrupt{};
  for (;;) {
    const int signal = ::sigtimedwait(&signals, nullptr, &kLook);
    if (signal < 0 && errno == EAGAIN && minds_reader && ReaderIsGone()) stop_requested = true;
    if (signal < 0) continue;
    if (signal == SIGINT) EraseEchoedKey();  // before anybody says that it stops
    const bool again = stop_requested.exchange(true);
    if (signal != SIGINT) continue;
    const auto before = std::exchange(last_interrupt, Clock::now());
    if (!again || last_interrupt - before < kOnePress) continue;
    if (void (*const hook)() = exit_hook.load(); hook != nullptr) hook();
    ::_exit(kInterrupted);
  }
}

}  // namespace

void CatchStopSignals(void (*before_exit)()) {
  exit_hook = before_exit;
  SetWorkerStop(&StopRequested);
  const sigset_t signals = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a write says it
  // A shell ignores these in background jobs.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  [[maybe_unused]] static const bool waiting = [&signals] {
    StartThreadOrEnd("signals", [signals] { WaitForSignals(signals); }).detach();
    return true;
  }();
}

bool StopRequested() { return stop_requested.load(std::memory_order_relaxed); }

}  // namespace gorila::cli
