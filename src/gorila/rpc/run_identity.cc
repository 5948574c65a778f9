#include "gorila/rpc/run_identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/rpc/refusal.h"
#include "gorila/rpc/system_random.h"

namespace gorila::rpc {
namespace {

constexpr std::size_t kMinToken = 16;
constexpr std::size_t kMaxToken = 256;

// Compares every character, so that timing does not reveal a token one character at a time.
bool EqualSecrets(std::string_view own, std::string_view given) {
  unsigned difference = own.size() == given.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = own.empty() ? '\0' : own[i % own.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(expected) ^
                                        static_cast<unsigned char>(given[i]));
  }
  return difference == 0;
}

bool IsTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

std::string LayoutText(std::uint64_t layout) { return fmt::format("{:016x}", layout); }

Status CheckIdentity(const RunIdentity& own, std::string_view token, std::string_view layout,
                     bool layout_optional) {
  if (!EqualSecrets(own.token, token)) {
    return Refused(Refusal::kToken, absl::UnauthenticatedError(
                                        token.empty() ? "the call has no run token (--token-file)"
                                                      : "not this run's token"));
  }
  if (!own.layout.has_value() || (layout.empty() && layout_optional)) return OkStatus();
  const std::string expected = LayoutText(*own.layout);
  if (layout == expected) return OkStatus();
  return Refused(Refusal::kLayout, absl::FailedPreconditionError(fmt::format(
                                       "parameter layout is '{}'; expected '{}' (another "
                                       "environment or network)",
                                       layout.substr(0, 32), expected)));
}

StatusOr<std::string> ReadToken(const std::filesystem::path& file) {
  GORILA_ASSIGN_OR_RETURN(std::string token, ReadFileOf(kSecretFile, file));
  token.resize(std::min(token.find_first_of("\r\n"), token.size()));
  if (token.size() < kMinToken || token.size() > kMaxToken ||
      !std::all_of(token.begin(), token.end(), &IsTokenCharacter)) {
    return InvalidArgument(
        "token file '{}': the first line has {} characters; expected {} to {} letters, digits, '-' "
        "and '_'",
        file.string(), token.size(), kMinToken, kMaxToken);
  }
  return token;
}

StatusOr<std::string> DrawToken() {
  std::array<unsigned char, 32> bits{};
  GORILA_RETURN_IF_ERROR(FillFromSystem(std::as_writable_bytes(std::span(bits))));
  return fmt::format("{:02x}", fmt::join(bits, ""));
}

Status WriteSecretFile(const std::filesystem::path& file, std::string_view contents) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return InvalidArgument("'{}' exists already", file.string());
  if (fd < 0) return Unavailable("cannot write '{}': {}", file.string(), std::strerror(errno));
  const bool written =
      ::write(fd, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size()) &&
      ::fsync(fd) == 0;
  const std::string reason = written ? "" : std::strerror(errno);
  ::close(fd);
  if (written) return OkStatus();
  ::unlink(file.c_str());
  return Unavailable("cannot write '{}': {}", file.string(), reason);
}

}  // namespace gorila::rpc
