// Keeps processes of other runs, and strangers, out of a run.
#ifndef GORILA_RPC_RUN_IDENTITY_H_
#define GORILA_RPC_RUN_IDENTITY_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila::rpc {

struct RunIdentity {
  std::string token;  // a secret; empty: the run has none
  // Fingerprint of the run's parameter layout; nullopt for a process that does not know it and only
  // asks for status.
  std::optional<std::uint64_t> layout;
};

// Keys in the metadata of a call.
inline constexpr char kTokenKey[] = "gorila-token";
inline constexpr char kLayoutKey[] = "gorila-layout";
inline constexpr char kRefusalKey[] = "gorila-refusal";

// 16 hexadecimal digits.
std::string LayoutText(std::uint64_t layout);

// Refused (token or layout) unless a caller with this metadata is of the run `own`. `layout` may be
// empty (not given) only where `layout_optional`. Takes as long for a wrong token as for the right
// one.
Status CheckIdentity(const RunIdentity& own, std::string_view token, std::string_view layout,
                     bool layout_optional);

// The first line of a file with a token of 16 to 256 letters, digits, '-' and '_'. NotFound,
// Unavailable or InvalidArgument (which does not show the token).
StatusOr<std::string> ReadToken(const std::filesystem::path& file);

// A new one, of 256 random bits from the system.
StatusOr<std::string> DrawToken();

// Writes a new file that only its owner can read. InvalidArgument when there is such a file.
Status WriteSecretFile(const std::filesystem::path& file, std::string_view contents);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_RUN_IDENTITY_H_
