// Errors that the world can cause (files, configuration, peers, users) travel as absl::Status with
// the name, the value given and what was expected. Only our own broken invariants abort
// (GORILA_CHECK).
#ifndef GORILA_BASE_STATUS_H_
#define GORILA_BASE_STATUS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace gorila {

using absl::OkStatus;
using absl::Status;
using absl::StatusOr;

// The caller gave something that can never work (CLI exit status 2).
template <typename... Args>
Status InvalidArgument(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

// Something that should exist does not.
template <typename... Args>
Status NotFound(fmt::format_string<Args...> format, Args&&... args) {
  return absl::NotFoundError(fmt::format(format, std::forward<Args>(args)...));
}

// Stored data is truncated, altered or not ours.
template <typename... Args>
Status DataLoss(fmt::format_string<Args...> format, Args&&... args) {
  return absl::DataLossError(fmt::format(format, std::forward<Args>(args)...));
}

// The system refused (permission, disk full, ...) though the request made sense.
template <typename... Args>
Status Unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return absl::UnavailableError(fmt::format(format, std::forward<Args>(args)...));
}

// The same status with `prefix` and ": " before its message.
inline Status Annotate(const Status& status, const std::string& prefix) {
  if (status.ok()) return status;
  return Status(status.code(), prefix + ": " + std::string(status.message()));
}

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition,
                                     const std::string& message) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s %s\n", file, line, condition, message.c_str());
  std::abort();
}

}  // namespace gorila

// Aborts with the location when one of our own invariants is broken. Extra arguments are a format
// string and its arguments.
#define GORILA_CHECK(condition, ...)                                                        \
  do {                                                                                      \
    if (!(condition)) [[unlikely]] {                                                        \
      ::gorila::CheckFailed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
    }                                                                                       \
  } while (false)

#define GORILA_CONCAT_INNER(a, b) a##b
#define GORILA_CONCAT(a, b) GORILA_CONCAT_INNER(a, b)

#define GORILA_RETURN_IF_ERROR(expression)                                    \
  do {                                                                        \
    if (::gorila::Status gorila_status = (expression); !gorila_status.ok()) { \
      return gorila_status;                                                   \
    }                                                                         \
  } while (false)

#define GORILA_ASSIGN_OR_RETURN(declaration, expression) \
  GORILA_ASSIGN_OR_RETURN_INNER(GORILA_CONCAT(gorila_status_or_, __LINE__), declaration, expression)
#define GORILA_ASSIGN_OR_RETURN_INNER(status_or, declaration, expression) \
  auto status_or = (expression);                                          \
  if (!status_or.ok()) return status_or.status();                         \
  declaration = std::move(status_or).value()

#endif  // GORILA_BASE_STATUS_H_
