#include "gorila/library/call.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "gorila/library/gorila.h"

namespace gorila::library {
namespace {

constexpr std::size_t kMostText = 2000;  // a message may quote megabytes of a damaged file
thread_local char last_error[kMostText + 1] = "";

std::int32_t CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return GORILA_OK;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return GORILA_INVALID_ARGUMENT;
    case absl::StatusCode::kNotFound:
      return GORILA_NOT_FOUND;
    case absl::StatusCode::kDataLoss:
      return GORILA_DATA_LOSS;
    case absl::StatusCode::kCancelled:
      return GORILA_CANCELLED;
    case absl::StatusCode::kResourceExhausted:
      return GORILA_OUT_OF_MEMORY;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return GORILA_INTERNAL;
    default:
      return GORILA_UNAVAILABLE;
  }
}

// One line, which a terminal does not obey.
void Keep(std::string_view message) {
  const std::size_t size = std::min(message.size(), kMostText);
  std::transform(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size), last_error,
                 [](char c) {
                   const auto byte = static_cast<unsigned char>(c);
                   return byte < 0x20 || byte == 0x7f ? ' ' : c;
                 });
  last_error[size] = '\0';
}

}  // namespace

std::int32_t Report(const Status& status) {
  if (!status.ok()) Keep(std::string(status.message()));
  return CodeOf(status.code());
}

}  // namespace gorila::library

extern "C" {

std::uint32_t gorila_api_version(void) { return GORILA_API_VERSION; }

const char* gorila_version(void) { return GORILA_VERSION; }

const char* gorila_last_error(void) { return gorila::library::last_error; }

}  // extern "C"
