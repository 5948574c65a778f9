#include "gorila/replay/remote/replay_snapshots.h"

#include <algorithm>

#include "gorila/base/file.h"
#include "gorila/base/serialise.h"
#include "gorila/checkpoint/segment.h"

namespace gorila {
namespace {

constexpr std::size_t kKept = 2;
constexpr std::int64_t kSegmentBytes = std::int64_t{32} << 20;  // of rows, about
constexpr char kStateName[] = "shard.state";
constexpr char kSegmentsName[] = "segments.state";
constexpr char kStateKind[] = "replay shard state";
constexpr char kSegmentsKind[] = "replay shard segments";
constexpr char kRowsKind[] = "replay shard rows";

}  // namespace

StatusOr<ReplaySnapshots> ReplaySnapshots::Open(const std::filesystem::path& folder,
                                                std::uint64_t layout) {
  GORILA_RETURN_IF_ERROR(CreateDurableFolders(folder / "snapshots"));
  GORILA_ASSIGN_OR_RETURN(Generation generation, Generation::Take(folder));
  return ReplaySnapshots(folder, layout, std::move(generation));
}

Status ReplaySnapshots::CheckNotReplaced() const {
  return generation_.CheckNotReplaced(fmt::format("replay shard '{}'", folder_.string()));
}

StatusOr<bool> ReplaySnapshots::Restore(ReplayShard& shard) {
  GORILA_ASSIGN_OR_RETURN(const auto all, ListCheckpoints(SnapshotFolder()));
  if (all.empty()) return false;
  auto found = NewestCompleteCheckpoint(SnapshotFolder());
  if (absl::IsNotFound(found.status()))
    return DataLoss("{}", std::string(found.status().message()));
  GORILA_RETURN_IF_ERROR(found.status());
  warnings_ = std::move(found->warnings);
  const Checkpoint& snapshot = found->checkpoint;
  GORILA_ASSIGN_OR_RETURN(const std::string list, snapshot.Read(kSegmentsName));
  GORILA_ASSIGN_OR_RETURN(const std::string segments,
                          DecodeSegment(kSegmentsKind, list, kMaxSegmentRawSize));
  GORILA_RETURN_IF_ERROR(Annotate(DecodeSegments(segments), snapshot.path().string()));
  GORILA_ASSIGN_OR_RETURN(const std::string encoded, snapshot.Read(kStateName));
  GORILA_ASSIGN_OR_RETURN(const std::string state,
                          DecodeSegment(kStateKind, encoded, kMaxSegmentRawSize));
  StateReader reader(state);
  GORILA_RETURN_IF_ERROR(Annotate(shard.RestoreState(reader), snapshot.path().string()));
  for (const Segment& segment : segments_) {
    GORILA_ASSIGN_OR_RETURN(const std::string bytes, snapshot.Read(segment.name));
    GORILA_ASSIGN_OR_RETURN(const std::string rows,
                            DecodeSegment(kRowsKind, bytes, kMaxSegmentRawSize));
    StateReader rows_reader(rows);
    GORILA_RETURN_IF_ERROR(Annotate(shard.RestoreRows(rows_reader), segment.name));
  }
  GORILA_RETURN_IF_ERROR(Annotate(shard.FinishRestore(), snapshot.path().string()));
  newest_ = snapshot;
  return true;
}

void ReplaySnapshots::StartAnew() {
  segments_.clear();
  newest_.reset();
}

std::string ReplaySnapshots::EncodeSegments() const {
  StateWriter writer;
  writer.Write(layout_);
  writer.Write(next_segment_);
  writer.Write<std::uint64_t>(segments_.size());
  for (const Segment& segment : segments_) {
    writer.WriteString(segment.name);
    writer.Write(segment.last_serial);
  }
  return writer.Take();
}

Status ReplaySnapshots::DecodeSegments(std::string_view bytes) {
  StateReader reader(bytes);
  std::uint64_t layout = 0;
  std::uint64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(layout));
  if (layout != layout_) {
    return InvalidArgument(
        "the snapshot belongs to another network: layout {:016x}, expected {:016x}", layout,
        layout_);
  }
  GORILA_RETURN_IF_ERROR(reader.Read(next_segment_));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  segments_.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    Segment segment;
    GORILA_RETURN_IF_ERROR(reader.ReadString(segment.name));
    GORILA_RETURN_IF_ERROR(reader.Read(segment.last_serial));
    segments_.push_back(std::move(segment));
  }
  return reader.Finish();
}

Status ReplaySnapshots::Write(ReplayShard& shard) {
  GORILA_RETURN_IF_ERROR(CheckNotReplaced());
  Status status = WriteAll(shard);
  if (status.ok()) return PruneCheckpoints(SnapshotFolder(), kKept);
  // Rows that the shard takes for saved may be in no snapshot.
  StartAnew();
  shard.ForgetSaved();
  return status;
}

Status ReplaySnapshots::WriteAll(ReplayShard& shard) {
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointWriter> writer,
                          CheckpointWriter::Create(SnapshotFolder(), generation_.NextSnapshot()));
  const std::size_t old_segments = segments_.size();
  GORILA_RETURN_IF_ERROR(AddNewRows(shard, *writer));
  StateWriter state;
  const std::int64_t oldest_serial = shard.SaveState(state);
  for (std::size_t i = 0; i < old_segments; ++i) {
    if (segments_[i].last_serial < oldest_serial) continue;
    GORILA_CHECK(newest_.has_value(), "segment {} was never written", segments_[i].name);
    GORILA_RETURN_IF_ERROR(writer->LinkFile(segments_[i].name, *newest_));
  }
  std::erase_if(segments_,
                [&](const Segment& segment) { return segment.last_serial < oldest_serial; });
  GORILA_ASSIGN_OR_RETURN(const std::string encoded, EncodeSegment(kStateKind, state.bytes()));
  GORILA_RETURN_IF_ERROR(writer->AddFile(kStateName, encoded));
  GORILA_ASSIGN_OR_RETURN(const std::string segments,
                          EncodeSegment(kSegmentsKind, EncodeSegments()));
  GORILA_RETURN_IF_ERROR(writer->AddFile(kSegmentsName, segments));
  GORILA_ASSIGN_OR_RETURN(newest_, writer->Commit());
  return OkStatus();
}

// Ends although rows keep coming: what comes meanwhile is less than one segment.
Status ReplaySnapshots::AddNewRows(ReplayShard& shard, CheckpointWriter& writer) {
  for (bool more = true; more;) {
    StateWriter rows;
    const ReplayShard::SavedRows saved = shard.SaveNewRows(kSegmentBytes, rows);
    more = saved.more;
    if (saved.rows == 0) continue;
    const std::string name = fmt::format("rows/{}.segment", next_segment_++);
    GORILA_ASSIGN_OR_RETURN(const std::string encoded, EncodeSegment(kRowsKind, rows.bytes()));
    GORILA_RETURN_IF_ERROR(writer.AddFile(name, encoded));
    segments_.push_back({name, saved.last_serial});
  }
  return OkStatus();
}

}  // namespace gorila
