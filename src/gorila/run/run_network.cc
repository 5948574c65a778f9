#include "gorila/run/run_network.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/remote/shard_snapshots.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr const char* kParametersFile = "parameters.safetensors";

StatusOr<RunNetwork> Decode(const fs::path& file, std::string_view bytes,
                            const ParameterLayout& layout, std::vector<std::string> warnings) {
  auto parameters = DecodeParameters(layout, bytes);
  if (!parameters.ok()) return Annotate(parameters.status(), fmt::format("'{}'", file.string()));
  return RunNetwork{*std::move(parameters), file, "", std::move(warnings)};
}

StatusOr<RunNetwork> ReadNetworkFile(const fs::path& file, const ParameterLayout& layout) {
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFileOf(NetworkFileOf(layout.size), file));
  return Decode(file, bytes, layout, {});
}

StatusOr<RunNetwork> ReadNewestCheckpoint(const fs::path& run, const ParameterLayout& layout) {
  GORILA_ASSIGN_OR_RETURN(NewestCheckpoint newest, NewestCompleteCheckpoint(run / "checkpoints"));
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, newest.checkpoint.Read(kParametersFile));
  return Decode(newest.checkpoint.path() / kParametersFile, bytes, layout,
                std::move(newest.warnings));
}

// Of a launched run (launch/launch_files.h).
fs::path ServersFolder(const fs::path& run) { return run / "servers"; }
fs::path BestNetworkFile(const fs::path& run) { return run / "best.safetensors"; }

std::string ShardName(int shard) { return fmt::format("parameter-server-{}", shard); }

fs::path ShardFolder(const fs::path& run, int shard) {
  return ServersFolder(run) / ShardName(shard);
}

Status Missing(const fs::path& run, int shard, Slice slice, std::size_t parameters,
               std::string_view why) {
  return DataLoss(
      "'{}' has no network: the slice of {} (parameters {} to {} of {}) is in no whole snapshot in "
      "'{}': {}",
      run.string(), ShardName(shard), slice.begin, slice.end, parameters,
      ShardSnapshotFolder(ShardFolder(run, shard)).string(), why);
}

}  // namespace

StatusOr<RunNetwork> ReadServerSnapshots(const fs::path& run, const Config& config,
                                         const ParameterLayout& layout) {
  const int shards = NumberOfShards(config);
  GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> slices, MakePartition(layout.size, shards));
  RunNetwork network{{}, ServersFolder(run), "versions ", {}};
  Status missing;
  for (int i = 0; i < shards; ++i) {
    const ShardPlace place{.index = i,
                           .shards = shards,
                           .parameters = layout.size,
                           .slice = slices[static_cast<std::size_t>(i)]};
    auto shard = ShardSnapshots::ReadValues(ShardFolder(run, i), place, layout.Fingerprint());
    if (absl::IsNotFound(shard.status())) {
      if (missing.ok()) {
        missing = Missing(run, i, place.slice, layout.size, std::string(shard.status().message()));
      }
      continue;
    }
    GORILA_RETURN_IF_ERROR(shard.status());
    network.parameters.insert(network.parameters.end(), shard->values.begin(), shard->values.end());
    network.versions += fmt::format("{}{}", i == 0 ? "" : ", ", shard->version);
    for (std::string& warning : shard->warnings) network.warnings.push_back(std::move(warning));
  }
  if (missing.ok()) return network;
  if (!network.parameters.empty()) return missing;
  return NotFound("{}", std::string(missing.message()));
}

StatusOr<RunNetwork> ReadRunNetwork(const fs::path& run, const Config& config,
                                    const ParameterLayout& layout) {
  if (FinalNetworkIsNewest(run)) return ReadNetworkFile(FinalNetworkFile(run), layout);
  const RunKind kind = KindOfRun(run);
  if (kind == RunKind::kTrained) return ReadNewestCheckpoint(run, layout);
  if (kind == RunKind::kLaunched) {
    StatusOr<RunNetwork> snapshots = ReadServerSnapshots(run, config, layout);
    if (!absl::IsNotFound(snapshots.status())) return snapshots;
    if (!HasFinalNetwork(run) && !fs::exists(BestNetworkFile(run))) return snapshots;
  }
  if (HasFinalNetwork(run)) return ReadNetworkFile(FinalNetworkFile(run), layout);
  return ReadNetworkFile(BestNetworkFile(run), layout);
}

}  // namespace gorila
