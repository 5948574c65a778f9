// Networks of a run that are kept for good, every checkpoint.milestones_every_frames:
// milestones/frames-<12-digit number>.safetensors, parameters only.
//
// The number is the multiple of the period that came due, and the file's metadata say at how many
// frames the network was taken (a little later, unless the run is deterministic). So a run that is
// resumed from before a milestone replaces it.
#ifndef GORILA_RUN_MILESTONES_H_
#define GORILA_RUN_MILESTONES_H_

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/evaluation/network_in_training.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

std::filesystem::path MilestonesFolder(const std::filesystem::path& run);
std::filesystem::path MilestoneFile(const std::filesystem::path& run, std::int64_t frames);

struct Milestone {
  std::int64_t frames = 0;  // in its name
  std::filesystem::path path;
};
// A run's, by their numbers. Other files are not ours and ignored. None without the folder;
// Unavailable when it cannot be read.
StatusOr<std::vector<Milestone>> ListMilestones(const std::filesystem::path& run);

struct DueMilestone {
  std::int64_t frames = 0;  // for its name
  NetworkInTraining network;
};

// Writes those of one run. One thread.
class Milestones {
 public:
  // What a full disk holds up is kept in memory, so much of it.
  static constexpr std::size_t kMostWaiting = 4;

  using Say = std::function<void(std::string_view)>;  // may be empty

  // `layout` must outlive this.
  Milestones(const Config& config, std::filesystem::path run, const ParameterLayout& layout);

  bool wanted() const { return every_ > 0; }

  // The run begins or resumes at `frames`, and has its milestones until there.
  void CountFrom(std::int64_t frames) { counted_ = frames; }
  // An earlier process watched the run until `frames`, and may have written the next one.
  void ContinueFrom(std::int64_t frames);

  // The newest milestone that came due since the last call; frames may have gone back meanwhile
  // (a parameter server lost some), and come again. `say` hears, once, that several came due at
  // once, of which only the newest can be taken.
  std::optional<std::int64_t> Due(std::int64_t frames, const Say& say);

  // Writes the file. After an error the milestone waits for Retry.
  Status Write(const DueMilestone& due);
  Status Retry();
  bool waiting() const { return !waiting_.empty(); }

 private:
  struct File {
    std::filesystem::path path;
    std::string contents;
  };

  const std::int64_t every_;
  const std::string environment_;
  const std::filesystem::path run_;
  const ParameterLayout& layout_;
  std::int64_t counted_ = 0;  // frames of the last look
  bool continues_ = false;    // and this is the first
  bool said_missed_ = false;
  std::deque<File> waiting_;
};

}  // namespace gorila

#endif  // GORILA_RUN_MILESTONES_H_
