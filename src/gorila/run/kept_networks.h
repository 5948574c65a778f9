// All networks that a run's folder has: milestones, checkpoints and the final one.
#ifndef GORILA_RUN_KEPT_NETWORKS_H_
#define GORILA_RUN_KEPT_NETWORKS_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

struct KeptNetwork {
  // When it was taken, as its metadata say; else its name.
  std::int64_t frames = 0;
  std::filesystem::path path;  // a file, or a checkpoint's folder
  std::string name;            // for people: the path in the run
  std::string crc32;           // of its values: the same network has the same; empty: unreadable
};

// In the order of their frames. Reads the files; what cannot be read is there too, and says why
// where it is used. NotFound where there is none.
StatusOr<std::vector<KeptNetwork>> KeptNetworks(const std::filesystem::path& run);

// The milestone or checkpoint whose name says `frames`. NotFound, with those nearest to it.
StatusOr<std::filesystem::path> NetworkAtFrames(const std::filesystem::path& run,
                                                std::int64_t frames);

}  // namespace gorila

#endif  // GORILA_RUN_KEPT_NETWORKS_H_
