#include "gorila/run/run_checkpoint.h"

#include <algorithm>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/checkpoint/segment.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/parameter_server/snapshot_check.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::string_view kRowsKind = "gorila replay rows 1";
constexpr std::string_view kBundleKind = "gorila bundle state 1";
constexpr std::int64_t kSegmentBytes = std::int64_t{64} << 20;
constexpr std::size_t kMaxStateBytes = std::size_t{1} << 30;

std::string PendingFile(std::size_t index) { return fmt::format("pending-{}.safetensors", index); }

bool IsSegment(std::string_view file) { return file.starts_with("replay/"); }

std::string BundleFile(std::size_t index) { return fmt::format("bundle-{}.state", index); }

// The whole of a vector that the shards store in slices.
template <typename Get>
std::vector<float> Gather(const InProcessParameterStore& store,
                          const std::vector<ShardSnapshot>& shards, Get get) {
  std::vector<float> whole(store.size());
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::span<const float> part = get(shards[i]);
    std::copy(part.begin(), part.end(),
              whole.begin() + static_cast<std::ptrdiff_t>(store.partition()[i].begin));
  }
  return whole;
}

std::vector<ShardSnapshot> SnapshotShards(InProcessParameterStore& store) {
  std::vector<ShardSnapshot> shards;
  shards.reserve(static_cast<std::size_t>(store.num_shards()));
  for (int i = 0; i < store.num_shards(); ++i) shards.push_back(store.shard(i).Snapshot());
  return shards;
}

StatusOr<std::string> EncodeOptimizer(const ParameterLayout& layout,
                                      const InProcessParameterStore& store,
                                      const std::vector<ShardSnapshot>& shards) {
  std::vector<std::vector<float>> slots;
  std::vector<NamedTensor> tensors;
  for (std::size_t k = 0; k < shards.front().optimizer.size(); ++k) {
    slots.push_back(Gather(store, shards, [&](const ShardSnapshot& shard) {
      return std::span<const float>(shard.optimizer[k].values);
    }));
  }
  for (std::size_t k = 0; k < slots.size(); ++k) {
    const auto named = NameTensors(layout, slots[k], shards.front().optimizer[k].name + "/");
    tensors.insert(tensors.end(), named.begin(), named.end());
  }
  return EncodeSafetensors(tensors);
}

Json ShardJson(const ShardSnapshot& shard) {
  return {{"version", shard.version},
          {"target_version", shard.target_version},
          {"accepted", shard.counters.accepted},
          {"stale", shard.counters.stale},
          {"invalid", shard.counters.invalid},
          {"staleness_sum", shard.counters.staleness_sum},
          {"staleness", shard.counters.staleness}};
}

ShardSnapshot ShardFromJson(const Json& json) {
  ShardSnapshot shard;
  shard.version = json.at("version");
  shard.target_version = json.at("target_version");
  shard.counters = {json.at("accepted"), json.at("stale"), json.at("invalid"),
                    json.at("staleness_sum"), json.at("staleness")};
  return shard;
}

StatusOr<Json> ParseState(const std::string& text) {
  Json json = ParseJson<Json>(text);
  if (!json.is_object() || json.value("format_version", 0) != kFormatVersion) {
    return DataLoss("state.json is not of format version {}", kFormatVersion);
  }
  return json;
}

// nlohmann's accessors throw; because of the checkpoint's checksums that only happens with foreign
// files.
template <typename Read>
Status CatchJson(Read read) {
  try {
    return read();
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("state.json: {}", error.what());
  }
}

}  // namespace

StatusOr<MadeWith> ReadMadeWith(const Checkpoint& checkpoint) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, checkpoint.Read("state.json"));
  GORILA_ASSIGN_OR_RETURN(const Json json, ParseState(text));
  MadeWith made_with;
  GORILA_RETURN_IF_ERROR(CatchJson([&]() -> Status {
    if (json.contains("made_with")) json.at("made_with").get_to(made_with);
    return OkStatus();
  }));
  return made_with;
}

Status RunCheckpointer::Capture(Cluster& cluster, const RunMemory& memory) {
  // Rows are captured once: those that an earlier Write could not store belong to this one.
  std::erase_if(captured_, [](const NewFile& file) { return !IsSegment(file.name); });
  captured_frames_ = cluster.clock().frames();
  GORILA_RETURN_IF_ERROR(CaptureParameters(cluster, memory));
  for (std::size_t i = 0; i < cluster.bundles().size(); ++i) {
    GORILA_RETURN_IF_ERROR(CaptureBundle(static_cast<int>(i), *cluster.bundles()[i]));
  }
  ForgetUnneededSegments(cluster);
  std::erase_if(captured_, [this](const NewFile& file) { return !IsNeeded(file.name); });
  GORILA_RETURN_IF_ERROR(CapturePending(cluster, memory));
  captured_.push_back({"state.json", EncodeState(cluster, memory)});
  captured_.push_back({"run.state", memory.trainer_state});
  // A resumed bundle begins with fresh replicas, so this one must too.
  return cluster.RefreshReplicas();
}

Status RunCheckpointer::CaptureParameters(Cluster& cluster, const RunMemory& memory) {
  InProcessParameterStore& store = cluster.store();
  const std::vector<ShardSnapshot> shards = SnapshotShards(store);
  for (const ShardSnapshot& shard : shards) GORILA_RETURN_IF_ERROR(CheckWritable(shard));
  const auto values = Gather(store, shards, [](const ShardSnapshot& shard) {
    return std::span<const float>(shard.values);
  });
  const auto target = Gather(store, shards, [](const ShardSnapshot& shard) {
    return std::span<const float>(shard.target);
  });
  const SafetensorsMetadata metadata{{"environment", cluster.config().environment.name},
                                     {"frames", std::to_string(captured_frames_)}};
  GORILA_ASSIGN_OR_RETURN(std::string theta, EncodeParameters(cluster.layout(), values, metadata));
  GORILA_ASSIGN_OR_RETURN(std::string theta_minus,
                          EncodeParameters(cluster.layout(), target, metadata));
  GORILA_ASSIGN_OR_RETURN(std::string optimizer, EncodeOptimizer(cluster.layout(), store, shards));
  captured_.push_back({"parameters.safetensors", std::move(theta)});
  captured_.push_back({"target.safetensors", std::move(theta_minus)});
  captured_.push_back({"optimizer.safetensors", std::move(optimizer)});
  if (memory.best.has_value()) {
    GORILA_ASSIGN_OR_RETURN(std::string best,
                            EncodeParameters(cluster.layout(), memory.best->parameters,
                                             {{"environment", cluster.config().environment.name},
                                              {"frames", std::to_string(memory.best->frames)}}));
    captured_.push_back({"best.safetensors", std::move(best)});
  }
  return OkStatus();
}

Status RunCheckpointer::CapturePending(Cluster& cluster, const RunMemory& memory) {
  for (std::size_t i = 0; i < memory.pending.size(); ++i) {
    const NetworkInTraining& network = *memory.pending[i];
    GORILA_ASSIGN_OR_RETURN(std::string encoded,
                            EncodeParameters(cluster.layout(), network.parameters,
                                             {{"environment", cluster.config().environment.name},
                                              {"frames", std::to_string(network.frames)}}));
    captured_.push_back({PendingFile(i), std::move(encoded)});
  }
  return OkStatus();
}

Status RunCheckpointer::CaptureBundle(int index, Bundle& bundle) {
  StateWriter state;
  bundle.SaveState(with_replay_, state);
  GORILA_ASSIGN_OR_RETURN(std::string encoded, EncodeSegment(kBundleKind, state.bytes()));
  captured_.push_back({BundleFile(static_cast<std::size_t>(index)), std::move(encoded)});
  if (!with_replay_) return OkStatus();
  StateWriter rows;
  while (bundle.replay().SaveNewRows(kSegmentBytes, rows)) {
    Segment segment{index, fmt::format("replay/{}-{}.segment", index, next_segment_++), {}};
    for (const auto& range : bundle.replay().SavedRanges()) {
      segment.ends.push_back(range.saved_until);
    }
    GORILA_ASSIGN_OR_RETURN(std::string compressed, EncodeSegment(kRowsKind, rows.bytes()));
    captured_.push_back({segment.name, std::move(compressed)});
    segments_.push_back(std::move(segment));
    rows = StateWriter();
  }
  return OkStatus();
}

void RunCheckpointer::ForgetUnneededSegments(Cluster& cluster) {
  std::erase_if(segments_, [&](const Segment& segment) {
    const auto ranges =
        cluster.bundles()[static_cast<std::size_t>(segment.bundle)]->replay().SavedRanges();
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      if (segment.ends[i] > ranges[i].begin) return false;
    }
    return true;
  });
}

std::string RunCheckpointer::EncodeState(Cluster& cluster, const RunMemory& memory) const {
  Json json;
  json["format_version"] = kFormatVersion;
  json["made_with"] = StateKeys(cluster.config(), RunKind::kTrained);
  json["frames"] = captured_frames_;
  json["seconds"] = memory.seconds;
  json["metrics_bytes"] = memory.metrics_bytes;
  json["layout_fingerprint"] = cluster.layout().Fingerprint();
  json["with_replay"] = with_replay_;
  json["next_segment"] = next_segment_;
  if (memory.best.has_value()) {
    json["best"] = {{"mean", memory.best->mean},
                    {"frames", memory.best->frames},
                    {"protocol", memory.best->protocol}};
  }
  for (const SharedNetwork& network : memory.pending) {
    json["pending"].push_back({{"frames", network->frames}, {"updates", network->updates}});
  }
  json["bundles"] = cluster.bundles().size();
  json["shards"] = Json::array();
  for (const ShardSnapshot& shard : SnapshotShards(cluster.store())) {
    json["shards"].push_back(ShardJson(shard));
  }
  json["segments"] = Json::array();
  for (const Segment& segment : segments_) {
    json["segments"].push_back(
        {{"bundle", segment.bundle}, {"name", segment.name}, {"ends", segment.ends}});
  }
  return DumpJson(json, 2) + "\n";
}

Status RunCheckpointer::Write() {
  GORILA_CHECK(captured_frames_ >= 0, "nothing captured");
  if (std::exchange(unconfirmed_, true)) GORILA_RETURN_IF_ERROR(RemoveUnconfirmed());
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<CheckpointWriter> writer,
      CheckpointWriter::Create(root_, static_cast<std::uint64_t>(captured_frames_)));
  std::vector<std::string> written;
  for (const NewFile& file : captured_) {
    GORILA_RETURN_IF_ERROR(writer->AddFile(file.name, file.contents));
    written.push_back(file.name);
  }
  for (const Segment& segment : segments_) {
    if (std::find(written.begin(), written.end(), segment.name) != written.end()) continue;
    GORILA_CHECK(newest_.has_value(), "segment {} was never written", segment.name);
    GORILA_RETURN_IF_ERROR(writer->LinkFile(segment.name, *newest_));
  }
  GORILA_ASSIGN_OR_RETURN(newest_, writer->Commit());
  newest_frames_ = captured_frames_;
  unconfirmed_ = false;
  captured_.clear();
  return PruneCheckpoints(root_, static_cast<std::size_t>(keep_));
}

bool RunCheckpointer::IsNeeded(const std::string& file) const {
  return !IsSegment(file) ||
         std::any_of(segments_.begin(), segments_.end(),
                     [&](const Segment& segment) { return segment.name == file; });
}

// A Write whose last step failed may have left a checkpoint of this number, which is complete but
// was never used.
Status RunCheckpointer::RemoveUnconfirmed() const {
  if (captured_frames_ == newest_frames_) return OkStatus();
  return DiscardCheckpointsAfter(root_, static_cast<std::uint64_t>(captured_frames_) - 1);
}

StatusOr<RunMemory> RunCheckpointer::Restore(const Checkpoint& checkpoint, Cluster& cluster,
                                             int games_added) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, checkpoint.Read("state.json"));
  GORILA_ASSIGN_OR_RETURN(const Json json, ParseState(text));
  RunMemory memory;
  bool with_replay = false;
  GORILA_RETURN_IF_ERROR(CatchJson([&]() -> Status {
    if (json.at("layout_fingerprint") != cluster.layout().Fingerprint()) {
      return InvalidArgument(
          "the checkpoint's network has other outputs than the configuration's; expected the "
          "learner.algorithm that the run was made with, or a new run");
    }
    if (json.at("bundles") != cluster.bundles().size()) {
      return InvalidArgument("run.bundles is {}; the checkpoint has {}", cluster.bundles().size(),
                             json.at("bundles").get<std::size_t>());
    }
    cluster.clock().Set(json.at("frames"));
    memory.seconds = json.at("seconds");
    memory.metrics_bytes = json.at("metrics_bytes");
    with_replay = json.at("with_replay");
    next_segment_ = json.at("next_segment");
    if (json.contains("best")) {
      memory.best = BestNetwork{json["best"].at("mean"),
                                json["best"].at("frames"),
                                {},
                                json["best"].value("protocol", "")};
    }
    for (const Json& network : json.value("pending", Json::array())) {
      memory.pending.push_back(std::make_shared<NetworkInTraining>(
          NetworkInTraining{network.at("frames"), network.at("updates"), {}}));
    }
    segments_.clear();
    for (const Json& segment : json.at("segments")) {
      segments_.push_back({segment.at("bundle"), segment.at("name"), segment.at("ends")});
    }
    return OkStatus();
  }));
  if (games_added > 0) {
    segments_.clear();
    memory.best.reset();
    memory.pending.clear();
  } else if (with_replay != with_replay_) {
    return InvalidArgument("checkpoint.replay is {}; the checkpoint was written with {}",
                           with_replay_, with_replay);
  }
  GORILA_RETURN_IF_ERROR(RestoreShards(checkpoint, text, cluster));
  if (games_added > 0) {
    GORILA_RETURN_IF_ERROR(cluster.BeginWithFurtherGames(games_added));
  } else {
    GORILA_RETURN_IF_ERROR(RestoreBundles(checkpoint, cluster));
  }
  if (memory.best.has_value()) {
    GORILA_ASSIGN_OR_RETURN(const std::string best, checkpoint.Read("best.safetensors"));
    GORILA_ASSIGN_OR_RETURN(memory.best->parameters, DecodeParameters(cluster.layout(), best));
  }
  for (std::size_t i = 0; i < memory.pending.size(); ++i) {
    NetworkInTraining network = *memory.pending[i];
    GORILA_ASSIGN_OR_RETURN(const std::string encoded, checkpoint.Read(PendingFile(i)));
    GORILA_ASSIGN_OR_RETURN(network.parameters, DecodeParameters(cluster.layout(), encoded));
    memory.pending[i] = std::make_shared<const NetworkInTraining>(std::move(network));
  }
  GORILA_ASSIGN_OR_RETURN(memory.trainer_state, checkpoint.Read("run.state"));
  newest_ = checkpoint;
  newest_frames_ = cluster.clock().frames();
  return memory;
}

Status RunCheckpointer::RestoreShards(const Checkpoint& checkpoint, const std::string& state_json,
                                      Cluster& cluster) const {
  GORILA_ASSIGN_OR_RETURN(const Json json, ParseState(state_json));
  std::vector<ShardSnapshot> saved;
  GORILA_RETURN_IF_ERROR(CatchJson([&]() -> Status {
    for (const Json& shard : json.at("shards")) saved.push_back(ShardFromJson(shard));
    return saved.empty() ? DataLoss("state.json has no shards") : OkStatus();
  }));
  GORILA_ASSIGN_OR_RETURN(const std::string theta, checkpoint.Read("parameters.safetensors"));
  GORILA_ASSIGN_OR_RETURN(const std::string theta_minus, checkpoint.Read("target.safetensors"));
  GORILA_ASSIGN_OR_RETURN(const std::string optimizer, checkpoint.Read("optimizer.safetensors"));
  GORILA_ASSIGN_OR_RETURN(const Safetensors slots, Safetensors::Decode(optimizer));
  GORILA_ASSIGN_OR_RETURN(const auto values, DecodeParameters(cluster.layout(), theta));
  GORILA_ASSIGN_OR_RETURN(const auto target, DecodeParameters(cluster.layout(), theta_minus));

  InProcessParameterStore& store = cluster.store();
  const bool same_number = saved.size() == static_cast<std::size_t>(store.num_shards());
  for (int i = 0; i < store.num_shards(); ++i) {
    const Slice slice = store.partition()[static_cast<std::size_t>(i)];
    const auto part = [&](const std::vector<float>& whole) {
      const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(slice.begin);
      return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(slice.size()));
    };
    // With another number of shards all take shard 0's clock, which is the run's.
    ShardSnapshot snapshot = same_number ? saved[static_cast<std::size_t>(i)] : saved.front();
    snapshot.values = part(values);
    snapshot.target = part(target);
    for (const auto& slot : store.shard(i).Snapshot().optimizer) {
      GORILA_ASSIGN_OR_RETURN(const auto whole,
                              CollectTensors(cluster.layout(), slots, slot.name + "/"));
      snapshot.optimizer.push_back({slot.name, part(whole)});
    }
    GORILA_RETURN_IF_ERROR(store.shard(i).Restore(snapshot));
  }
  return OkStatus();
}

Status RunCheckpointer::RestoreBundles(const Checkpoint& checkpoint, Cluster& cluster) {
  for (std::size_t i = 0; i < cluster.bundles().size(); ++i) {
    Bundle& bundle = *cluster.bundles()[i];
    GORILA_ASSIGN_OR_RETURN(const std::string encoded, checkpoint.Read(BundleFile(i)));
    GORILA_ASSIGN_OR_RETURN(const std::string state,
                            DecodeSegment(kBundleKind, encoded, kMaxStateBytes));
    StateReader reader(state);
    GORILA_RETURN_IF_ERROR(Annotate(bundle.RestoreState(with_replay_, reader), BundleFile(i)));
  }
  for (const Segment& segment : segments_) {
    if (segment.bundle < 0 ||
        static_cast<std::size_t>(segment.bundle) >= cluster.bundles().size()) {
      return DataLoss("state.json: segment '{}' belongs to bundle {}", segment.name,
                      segment.bundle);
    }
    LocalReplay& replay = cluster.bundles()[static_cast<std::size_t>(segment.bundle)]->replay();
    if (segment.ends.size() != replay.SavedRanges().size()) {
      return DataLoss("state.json: segment '{}' has {} streams, expected {}", segment.name,
                      segment.ends.size(), replay.SavedRanges().size());
    }
    GORILA_ASSIGN_OR_RETURN(const std::string encoded, checkpoint.Read(segment.name));
    GORILA_ASSIGN_OR_RETURN(
        const std::string rows,
        DecodeSegment(kRowsKind, encoded, static_cast<std::size_t>(kMaxSegmentRawSize)));
    StateReader reader(rows);
    GORILA_RETURN_IF_ERROR(Annotate(replay.RestoreRows(reader), segment.name));
  }
  for (const auto& bundle : cluster.bundles()) {
    if (with_replay_) GORILA_RETURN_IF_ERROR(bundle->replay().FinishRestore());
  }
  return cluster.RefreshReplicas();
}

}  // namespace gorila
