// What a checkpoint's manifest.json says.
#ifndef GORILA_CHECKPOINT_MANIFEST_H_
#define GORILA_CHECKPOINT_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::uint64_t kMaxCheckpointNumber = 999'999'999'999;

struct CheckpointFile {
  std::string name;         // "parameters.safetensors", "replay/000001.segment"
  std::uint64_t size = 0;   // bytes
  std::uint32_t crc32 = 0;  // IEEE 802.3, of the whole file

  bool operator==(const CheckpointFile&) const = default;
};

struct Manifest {
  std::uint64_t number = 0;
  std::vector<CheckpointFile> files;

  bool operator==(const Manifest&) const = default;
};

// InvalidArgument unless `name` is `name` or `folder/name` of letters, digits, '.', '_' and '-',
// neither part beginning with '.', and not the manifest's own.
Status CheckCheckpointFileName(std::string_view name);

// JSON: {"format_version": 1, "number": n, "files": [{"name", "size", "crc32"}, ...]}.
std::string EncodeManifest(const Manifest& manifest);

// DataLoss (naming the field) for anything else, another format version, or a file name that is not
// allowed or given twice.
StatusOr<Manifest> DecodeManifest(std::string_view text);

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_MANIFEST_H_
