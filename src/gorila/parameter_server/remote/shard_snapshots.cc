#include "gorila/parameter_server/remote/shard_snapshots.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/parameter_server/snapshot_check.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::size_t kKept = 2;
constexpr char kTensorsName[] = "shard.safetensors";
constexpr char kJsonName[] = "shard.json";
constexpr char kClientsName[] = "clients.state";
constexpr char kValues[] = "values";
constexpr char kTarget[] = "target";

Json PlaceJson(const ShardPlace& place, std::uint64_t layout) {
  return {{"shard", place.index},
          {"shards", place.shards},
          {"begin", place.slice.begin},
          {"end", place.slice.end},
          {"layout_fingerprint", layout}};
}

std::string EncodeJson(const ShardPlace& place, std::uint64_t layout, const ShardSnapshot& shard) {
  Json json;
  json["format_version"] = kFormatVersion;
  json["place"] = PlaceJson(place, layout);
  json["version"] = shard.version;
  json["target_version"] = shard.target_version;
  json["accepted"] = shard.counters.accepted;
  json["stale"] = shard.counters.stale;
  json["invalid"] = shard.counters.invalid;
  json["staleness_sum"] = shard.counters.staleness_sum;
  json["staleness"] = shard.counters.staleness;
  return DumpJson(json, 2) + "\n";
}

// Fills everything but the tensors.
Status DecodeJson(const std::string& text, const ShardPlace& place, std::uint64_t layout,
                  ShardSnapshot& shard) {
  const Json json = ParseJson<Json>(text);
  if (!json.is_object() || json.value("format_version", 0) != kFormatVersion) {
    return DataLoss("{} does not have format version {}", kJsonName, kFormatVersion);
  }
  try {
    if (const Json expected = PlaceJson(place, layout); json.at("place") != expected) {
      return InvalidArgument("the snapshot belongs to {}; expected {}", DumpJson(json.at("place")),
                             DumpJson(expected));
    }
    shard.version = json.at("version");
    shard.target_version = json.at("target_version");
    shard.counters = {json.at("accepted"), json.at("stale"), json.at("invalid"),
                      json.at("staleness_sum"), json.at("staleness")};
    return OkStatus();
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("{}: {}", kJsonName, error.what());
  }
}

StatusOr<std::string> EncodeTensors(const ShardSnapshot& shard) {
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(shard.values.size())};
  std::vector<NamedTensor> tensors = {{kValues, shape, shard.values},
                                      {kTarget, shape, shard.target}};
  for (const ShardSnapshot::NamedSlot& slot : shard.optimizer) {
    tensors.push_back({"optimizer/" + slot.name, shape, slot.values});
  }
  return EncodeSafetensors(tensors);
}

Status DecodeTensors(std::string_view bytes, ShardSnapshot& shard) {
  GORILA_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Decode(bytes));
  constexpr std::string_view kSlot = "optimizer/";
  for (const NamedTensor& tensor : file.tensors()) {
    std::vector<float> values(tensor.values.begin(), tensor.values.end());
    if (tensor.name == kValues) {
      shard.values = std::move(values);
    } else if (tensor.name == kTarget) {
      shard.target = std::move(values);
    } else if (tensor.name.starts_with(kSlot)) {
      shard.optimizer.push_back({tensor.name.substr(kSlot.size()), std::move(values)});
    } else {
      return DataLoss("{} has an unknown tensor '{}'", kTensorsName, tensor.name);
    }
  }
  return OkStatus();
}

StatusOr<ShardSnapshot> ReadShard(const Checkpoint& snapshot, const ShardPlace& place,
                                  std::uint64_t layout) {
  ShardSnapshot shard;
  GORILA_ASSIGN_OR_RETURN(const std::string json, snapshot.Read(kJsonName));
  GORILA_RETURN_IF_ERROR(
      Annotate(DecodeJson(json, place, layout, shard), snapshot.path().string()));
  GORILA_ASSIGN_OR_RETURN(const std::string tensors, snapshot.Read(kTensorsName));
  GORILA_RETURN_IF_ERROR(Annotate(DecodeTensors(tensors, shard), snapshot.path().string()));
  GORILA_RETURN_IF_ERROR(Annotate(CheckFinite(shard), snapshot.path().string()));
  return shard;
}

}  // namespace

StatusOr<ShardSnapshots> ShardSnapshots::Open(const std::filesystem::path& folder,
                                              const ShardPlace& place, std::uint64_t layout) {
  ShardSnapshots snapshots(folder, place, layout);
  GORILA_RETURN_IF_ERROR(CreateDurableFolders(snapshots.SnapshotFolder()));
  GORILA_RETURN_IF_ERROR(snapshots.ReadNewest());
  GORILA_ASSIGN_OR_RETURN(Generation generation, Generation::Take(folder));
  snapshots.generation_.emplace(std::move(generation));
  // Whoever had the folder before may have written one since the first look. It begins no other
  // from now on.
  GORILA_RETURN_IF_ERROR(snapshots.ReadNewest());
  return snapshots;
}

StatusOr<ShardValues> ShardSnapshots::ReadValues(const std::filesystem::path& folder,
                                                 const ShardPlace& place, std::uint64_t layout) {
  GORILA_ASSIGN_OR_RETURN(NewestCheckpoint newest,
                          NewestCompleteCheckpoint(ShardSnapshotFolder(folder)));
  GORILA_ASSIGN_OR_RETURN(ShardSnapshot shard, ReadShard(newest.checkpoint, place, layout));
  if (shard.values.size() != place.slice.size()) {
    return DataLoss("'{}' has {} parameters; expected {}", newest.checkpoint.path().string(),
                    shard.values.size(), place.slice.size());
  }
  return ShardValues{.values = std::move(shard.values),
                     .version = shard.version,
                     .warnings = std::move(newest.warnings)};
}

Status ShardSnapshots::ReadNewest() {
  GORILA_ASSIGN_OR_RETURN(const auto all, ListCheckpoints(SnapshotFolder()));
  if (all.empty() || all.front() == looked_at_) return OkStatus();
  looked_at_ = all.front();
  auto newest = NewestCompleteCheckpoint(SnapshotFolder());
  if (absl::IsNotFound(newest.status())) {
    return DataLoss("{}", std::string(newest.status().message()));
  }
  GORILA_RETURN_IF_ERROR(newest.status());
  warnings_ = std::move(newest->warnings);
  const Checkpoint& snapshot = newest->checkpoint;
  ShardState state;
  GORILA_ASSIGN_OR_RETURN(state.shard, ReadShard(snapshot, place_, layout_));
  GORILA_ASSIGN_OR_RETURN(state.clients, snapshot.Read(kClientsName));
  newest_ = std::move(state);
  return OkStatus();
}

Status ShardSnapshots::CheckNotReplaced() const {
  return generation_->CheckNotReplaced(fmt::format("shard {}", place_.index));
}

Status ShardSnapshots::Write(const ShardState& state) {
  GORILA_RETURN_IF_ERROR(CheckNotReplaced());
  GORILA_RETURN_IF_ERROR(CheckWritable(state.shard));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointWriter> writer,
                          CheckpointWriter::Create(SnapshotFolder(), generation_->NextSnapshot()));
  GORILA_ASSIGN_OR_RETURN(const std::string tensors, EncodeTensors(state.shard));
  GORILA_RETURN_IF_ERROR(writer->AddFile(kTensorsName, tensors));
  GORILA_RETURN_IF_ERROR(writer->AddFile(kJsonName, EncodeJson(place_, layout_, state.shard)));
  GORILA_RETURN_IF_ERROR(writer->AddFile(kClientsName, state.clients));
  GORILA_RETURN_IF_ERROR(writer->Commit().status());
  return PruneCheckpoints(SnapshotFolder(), kKept);
}

}  // namespace gorila
