#include "gorila/base/exhaustion.h"

#include <execinfo.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>

#include "gorila/base/address_space.h"

namespace gorila {
namespace {

constexpr char kLess[] =
    "lower replay.capacity, run.bundles or network.hidden, or see gorila doctor";

std::terminate_handler terminate_before = nullptr;

// There may be no memory for a string. Text of more than the buffer is cut.
template <typename... Args>
[[noreturn]] void WriteAndExit(const char* format, Args... args) {
  // Two threads may get here at once: the first one ends both.
  static std::atomic_flag ending = ATOMIC_FLAG_INIT;
  while (ending.test_and_set()) ::pause();
  char line[1024];
  const int length = std::snprintf(line, sizeof line, format, args...);
  const auto size = std::min(static_cast<std::size_t>(std::max(length, 0)), sizeof line - 1);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line, size);
  ::_exit(1);
}

[[noreturn]] void EndForMemory() {
  const AddressSpace space = LookAtAddressSpace();
  constexpr long long kMiB = 1 << 20;
  if (!space.limited()) {
    WriteAndExit("gorila: out of memory with %lld MiB of address space in use; %s\n",
                 space.used / kMiB, kLess);
  }
  WriteAndExit("gorila: out of memory: %lld of %lld MiB of address space (ulimit -v) in use; %s\n",
               space.used / kMiB, space.limit / kMiB, kLess);
}

[[noreturn]] void OnTerminate() {
  if (const std::exception_ptr exception = std::current_exception(); exception != nullptr) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::bad_alloc&) {
      EndForMemory();
    } catch (const std::system_error& error) {
      EndProgram(SystemRefusal(error));
    } catch (...) {  // NOLINT(bugprone-empty-catch): a fault of ours, which shall leave a core
    }
  }
  if (terminate_before != nullptr) terminate_before();
  std::abort();
}

}  // namespace

Status OutOfMemory() {
  return absl::ResourceExhaustedError(
      fmt::format("out of memory: {}; {}", Describe(LookAtAddressSpace()), kLess));
}

Status SystemRefusal(const std::system_error& error) {
  if (error.code() != std::errc::resource_unavailable_try_again) {
    return Unavailable("{}", error.what());
  }
  return absl::ResourceExhaustedError(fmt::format(
      "cannot start a thread: {}; {}; expected a higher limit of processes (ulimit -u, pids.max) "
      "or of memory (ulimit -v)",
      error.code().message(), DescribeProcessLimit()));
}

void EndProgram(const Status& status) {
  const std::string message(status.message());
  WriteAndExit("gorila: %s\n", message.c_str());
}

void EndProgramOnExhaustion() {
  // The C library loads the unwinder when it first needs it, and aborts where it then cannot.
  void* frame = nullptr;
  ::backtrace(&frame, 1);
  terminate_before = std::set_terminate(&OnTerminate);
}

}  // namespace gorila
