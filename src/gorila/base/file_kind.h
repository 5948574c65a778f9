// How large a file may be that is read as a whole: what is larger is another file than was meant,
// and would fill the memory.
#ifndef GORILA_BASE_FILE_KIND_H_
#define GORILA_BASE_FILE_KIND_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "gorila/base/status.h"

namespace gorila {

struct FileKind {
  const char* name;  // "a file of settings"
  std::int64_t most_bytes;
};

inline constexpr FileKind kNoteFile{"an address, a name or a number", std::int64_t{64} << 10};
inline constexpr FileKind kSettingsFile{"a file of settings", std::int64_t{1} << 20};
inline constexpr FileKind kSecretFile{"a token, certificate or key", std::int64_t{1} << 20};
inline constexpr FileKind kManifestFile{"a manifest", std::int64_t{64} << 20};
inline constexpr FileKind kResultFile{"a file of results", std::int64_t{64} << 20};
inline constexpr FileKind kFilmFile{"an animated picture", std::int64_t{256} << 20};
inline constexpr FileKind kRecordingFile{"a recording of episodes", std::int64_t{4} << 30};
inline constexpr FileKind kNetworkFile{"a network", std::int64_t{4} << 30};

// A network of so many parameters: their values and the largest header.
inline FileKind NetworkFileOf(std::size_t parameters) {
  return {kNetworkFile.name,
          static_cast<std::int64_t>(parameters * sizeof(float)) + (std::int64_t{17} << 20)};
}

// As ReadFile(), and InvalidArgument for a file that is larger.
StatusOr<std::string> ReadFileOf(const FileKind& kind, const std::filesystem::path& path);

}  // namespace gorila

#endif  // GORILA_BASE_FILE_KIND_H_
