// What every function of gorila.h does around its work: no exception leaves it, and its error can
// be read.
#ifndef GORILA_LIBRARY_CALL_H_
#define GORILA_LIBRARY_CALL_H_

#include <cxxabi.h>

#include <cstdint>
#include <exception>
#include <utility>

#include "gorila/base/exhaustion.h"
#include "gorila/base/status.h"

namespace gorila::library {

// The status as a code of gorila.h; its message becomes this thread's gorila_last_error().
std::int32_t Report(const Status& status);

// Reports what `work` returns, a Status.
template <typename Work>
std::int32_t Call(Work&& work) {
  try {
    return Report(WithoutThrowing(std::forward<Work>(work)));
  } catch (const std::exception& error) {
    return Report(absl::InternalError(error.what()));
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread ends (pthread_exit in a caller's function), which nobody may stop
  } catch (...) {
    return Report(absl::InternalError("an exception of an unknown kind"));
  }
}

}  // namespace gorila::library

#endif  // GORILA_LIBRARY_CALL_H_
