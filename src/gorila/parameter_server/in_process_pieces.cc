#include "gorila/parameter_server/in_process_pieces.h"

#include <algorithm>

namespace gorila {
namespace {

void Scatter(const Pieces& pieces, std::span<const float> local, float factor,
             std::span<float> flat) {
  ForEachRun(pieces, 0, flat.size(), [&](std::size_t to, std::size_t from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) flat[to + i] = factor * local[from + i];
  });
}

}  // namespace

StatusOr<bool> InProcessPieceStore::PullPieces(const Pieces& pieces, std::span<float> local,
                                               ShardVersions& versions, bool target) {
  bool changed = false;
  for (int s = 0; s < store_.num_shards(); ++s) {
    const auto k = static_cast<std::size_t>(s);
    const Slice& slice = store_.partition()[k];
    const ParameterShard& shard = store_.shard(s);
    const auto values = target ? shard.ShareTarget(versions[k]) : shard.Share(versions[k]);
    if (values == nullptr) continue;
    changed = true;
    ForEachRun(pieces, slice.begin, slice.end,
               [&](std::size_t from, std::size_t to, std::size_t count) {
                 std::copy_n(&(*values)[from - slice.begin], count, &local[to]);
               });
  }
  return changed;
}

InProcessPieceStore::Group& InProcessPieceStore::GroupOf(const GradientPart& part) {
  const MutexLock lock(mutex_);
  Group& group = groups_[part.client];
  if (group.gradient.empty()) group.gradient.resize(store_.size());
  if (group.sequence != part.sequence) {
    group.sequence = part.sequence;
    group.staged = 0;
  }
  if (part.member > 0) ++group.staged;
  return group;
}

// Counted before it is written: the leader commits after all members have said that they are done.
Status InProcessPieceStore::Stage(const GradientPart& part, const Pieces& pieces,
                                  std::span<const float> local, float factor) {
  Scatter(pieces, local, factor, GroupOf(part).gradient);
  return OkStatus();
}

StatusOr<CommitOutcome> InProcessPieceStore::Commit(const GradientPart& part, const Pieces& pieces,
                                                    std::span<const float> local,
                                                    const ShardVersions& versions,
                                                    std::span<const Pieces> others) {
  static_cast<void>(others);  // every member stages
  Group& group = GroupOf(part);
  Scatter(pieces, local, 1, group.gradient);
  CommitOutcome outcome;
  {
    const MutexLock lock(mutex_);
    outcome.complete = group.staged >= part.members - 1;
  }
  if (!outcome.complete) return outcome;
  GORILA_ASSIGN_OR_RETURN(outcome.slices, store_.Push(group.gradient, versions));
  return outcome;
}

}  // namespace gorila
