#include "gorila/run/kept_networks.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/run/milestones.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNearest = 4;

struct Named {
  std::int64_t frames = 0;  // by its name
  fs::path path;
};

// Milestones first, of those with one number.
StatusOr<std::vector<Named>> NamedNetworks(const fs::path& run) {
  std::vector<Named> all;
  GORILA_ASSIGN_OR_RETURN(const std::vector<Milestone> milestones, ListMilestones(run));
  for (const Milestone& milestone : milestones) all.push_back({milestone.frames, milestone.path});
  GORILA_ASSIGN_OR_RETURN(const auto checkpoints, ListCheckpoints(run / "checkpoints"));
  for (const fs::path& path : checkpoints) {
    all.push_back({std::stoll(path.filename().string()), path});
  }
  return all;
}

// What the file of the network says of it.
void ReadMetadata(const fs::path& file, KeptNetwork& network) {
  const StatusOr<std::string> bytes = ReadFileOf(kNetworkFile, file);
  if (!bytes.ok()) return;
  const StatusOr<Safetensors> tensors = Safetensors::Decode(*bytes);
  if (!tensors.ok()) return;
  network.crc32 = TensorsCrc32(*tensors);
  const auto frames = tensors->metadata().find("frames");
  if (frames == tensors->metadata().end()) return;
  const char* const end = frames->second.data() + frames->second.size();
  std::from_chars(frames->second.data(), end, network.frames);
}

KeptNetwork Keep(const fs::path& run, const Named& named) {
  KeptNetwork network{.frames = named.frames,
                      .path = named.path,
                      .name = named.path.lexically_relative(run).string(),
                      .crc32 = {}};
  std::error_code error;
  const bool folder = fs::is_directory(named.path, error);
  ReadMetadata(folder ? named.path / "parameters.safetensors" : named.path, network);
  return network;
}

}  // namespace

StatusOr<std::vector<KeptNetwork>> KeptNetworks(const fs::path& run) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(run));
  GORILA_ASSIGN_OR_RETURN(std::vector<Named> all, NamedNetworks(run));
  if (HasFinalNetwork(run)) all.push_back({0, FinalNetworkFile(run)});
  if (all.empty()) {
    return NotFound(
        "run '{}' has no milestone, checkpoint or final network; "
        "checkpoint.milestones_every_frames keeps networks",
        run.string());
  }
  std::vector<KeptNetwork> networks;
  for (const Named& named : all) networks.push_back(Keep(run, named));
  std::stable_sort(networks.begin(), networks.end(),
                   [](const KeptNetwork& a, const KeptNetwork& b) { return a.frames < b.frames; });
  return networks;
}

StatusOr<fs::path> NetworkAtFrames(const fs::path& run, std::int64_t frames) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(run));
  GORILA_ASSIGN_OR_RETURN(std::vector<Named> all, NamedNetworks(run));
  for (const Named& named : all) {
    if (named.frames == frames) return named.path;
  }
  std::stable_sort(all.begin(), all.end(), [frames](const Named& a, const Named& b) {
    return std::abs(a.frames - frames) < std::abs(b.frames - frames);
  });
  std::string nearest;
  for (std::size_t i = 0; i < std::min(all.size(), kMostNearest); ++i) {
    nearest += fmt::format("{}{}", i == 0 ? "" : ", ", all[i].frames);
  }
  return NotFound("run '{}' has no milestone or checkpoint at {} frames; {}", run.string(), frames,
                  nearest.empty() ? "it has none at all" : "the nearest are " + nearest);
}

}  // namespace gorila
