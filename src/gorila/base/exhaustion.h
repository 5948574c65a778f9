// Memory or threads that cannot be had: an error like others where there is a way to report one,
// else one line and exit status 1.
#ifndef GORILA_BASE_EXHAUSTION_H_
#define GORILA_BASE_EXHAUSTION_H_

#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include "gorila/base/status.h"

namespace gorila {

// ResourceExhausted: what was wanted, the limits in force and what to lower.
Status OutOfMemory();
// The same for a thread, if that is what `error` says; else Unavailable with its own text.
Status SystemRefusal(const std::system_error& error);

// What `work` returns (a Status or StatusOr), or what could not be had while it ran.
template <typename Work>
std::invoke_result_t<Work> WithoutThrowing(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  } catch (const std::system_error& error) {  // what std::thread and fmt::print throw
    return SystemRefusal(error);
  }
}

// "gorila: MESSAGE" on standard error, then exit status 1. Neither destructors nor exit handlers
// run: other threads still use what these would destroy.
[[noreturn]] void EndProgram(const Status& status);

// From now on an exception that nobody catches, in libraries' threads too, ends the program like
// EndProgram if it says that memory or a thread cannot be had. Loads what unwinding needs while
// there is memory for it. Once, at the start of the program.
void EndProgramOnExhaustion();

}  // namespace gorila

#endif  // GORILA_BASE_EXHAUSTION_H_
