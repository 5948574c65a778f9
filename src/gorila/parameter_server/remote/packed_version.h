// An entry of the ShardVersions of a remote store: a shard's generation, and a version within it.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_PACKED_VERSION_H_
#define GORILA_PARAMETER_SERVER_REMOTE_PACKED_VERSION_H_

#include <cstdint>

#include "gorila/base/status.h"

namespace gorila {

// The generation above, the version in the low 40 bits: numbers compare as generations, then
// versions, do.
inline constexpr int kVersionBits = 40;
inline constexpr std::int64_t kMaxVersion = (std::int64_t{1} << kVersionBits) - 1;
inline constexpr std::int64_t kMaxGeneration = (std::int64_t{1} << 22) - 1;

struct GenerationVersion {
  std::int64_t generation = 0;
  std::int64_t version = -1;
};

// Below 0: never pulled.
inline GenerationVersion UnpackVersion(std::int64_t packed) {
  if (packed < 0) return {};
  return {packed >> kVersionBits, packed & kMaxVersion};
}

// DataLoss for numbers that a shard cannot have.
inline StatusOr<std::int64_t> PackVersion(std::int64_t generation, std::int64_t version) {
  if (generation < 1 || generation > kMaxGeneration || version < 0 || version > kMaxVersion) {
    return DataLoss("a shard answered with generation {} and version {}", generation, version);
  }
  return (generation << kVersionBits) | version;
}

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_PACKED_VERSION_H_
