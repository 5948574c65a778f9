#include "gorila/parameter_server/group_store.h"

#include <algorithm>
#include <chrono>

#include "gorila/base/runtime.h"

namespace gorila {
namespace {

// Each but the first is for a shard that restarted meanwhile.
constexpr int kMostAttempts = 10;

class TimeTaken {
 public:
  explicit TimeTaken(std::atomic<std::int64_t>& nanoseconds) : nanoseconds_(nanoseconds) {}
  ~TimeTaken() {
    const std::chrono::nanoseconds taken = SteadyNow() - started_;
    nanoseconds_.fetch_add(taken.count(), std::memory_order_relaxed);
  }
  TimeTaken(const TimeTaken&) = delete;
  TimeTaken& operator=(const TimeTaken&) = delete;

 private:
  std::atomic<std::int64_t>& nanoseconds_;
  const std::chrono::steady_clock::time_point started_ = SteadyNow();
};

}  // namespace

GroupStore::GroupStore(const SplitPlan& plan, std::uint64_t client, ParameterStore& whole,
                       PieceStore& pieces, MemberGroup& group)
    : pieces_of_leader_(PiecesOf(plan, 0)),
      size_(LocalSize(plan, 0)),
      client_(client),
      whole_(whole),
      pieces_(pieces),
      group_(group) {
  for (int m = 1; m < plan.members; ++m) {
    pieces_of_others_.push_back(PiecesOf(plan, m));
    sizes_of_others_.push_back(LocalSize(plan, m));
  }
  for (ShardVersions& versions : own_) {
    versions.assign(static_cast<std::size_t>(whole.num_shards()), -1);
  }
}

StatusOr<bool> GroupStore::PullAll(std::span<float> values, ShardVersions& versions, bool target) {
  const TimeTaken taken(nanoseconds_);
  GORILA_RETURN_IF_ERROR(group_.failure());
  ShardVersions& own = own_[target ? 1 : 0];
  StatusOr<bool> changed = false;
  const auto call = [&](std::size_t) {
    return MemberCall{.kind = MemberCall::Kind::kPull, .target = target};
  };
  group_.Do(call, [&] { changed = pieces_.PullPieces(pieces_of_leader_, values, own, target); });
  GORILA_RETURN_IF_ERROR(changed.status());
  GORILA_RETURN_IF_ERROR(group_.failure());
  versions = own;
  for (const MemberAnswer& answer : group_.answers()) {
    if (answer.versions.size() != versions.size()) {
      return DataLoss("a member has versions of {} shards; expected {}", answer.versions.size(),
                      versions.size());
    }
    *changed = *changed || answer.changed;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      versions[i] = std::min(versions[i], answer.versions[i]);
    }
  }
  return changed;
}

std::vector<std::vector<float>> GroupStore::LocalVectors() const {
  std::vector<std::vector<float>> vectors;
  for (const std::size_t size : sizes_of_others_) vectors.emplace_back(size);
  return vectors;
}

std::vector<float> GroupStore::WholeSum(std::span<const float> own, int summed) {
  std::vector<std::vector<float>> others = LocalVectors();
  if (!group_.ReadSums(summed, others)) return {};
  std::vector<float> whole(whole_.size());
  CopyToFlat(pieces_of_leader_, own, whole);
  for (std::size_t i = 0; i < others.size(); ++i)
    CopyToFlat(pieces_of_others_[i], others[i], whole);
  return whole;
}

Status GroupStore::RestoreWholeSum(std::span<const float> whole, int summed, std::span<float> own) {
  if (whole.size() != whole_.size()) {
    return DataLoss("a sum of gradients has {} numbers; expected {}", whole.size(), whole_.size());
  }
  std::vector<std::vector<float>> others = LocalVectors();
  CopyFromFlat(pieces_of_leader_, whole, own);
  for (std::size_t i = 0; i < others.size(); ++i)
    CopyFromFlat(pieces_of_others_[i], whole, others[i]);
  group_.WriteSums(summed, others);
  return group_.failure();
}

bool GroupStore::StageOthers(std::int64_t sequence) {
  const float factor = group_.factor();
  const auto call = [&](std::size_t) {
    return MemberCall{.kind = MemberCall::Kind::kStage,
                      .client = client_,
                      .sequence = sequence,
                      .factor = factor};
  };
  return group_.Do(call, [] {});
}

StatusOr<PushOutcome> GroupStore::Push(std::span<const float> gradient,
                                       const ShardVersions& versions) {
  const TimeTaken taken(nanoseconds_);
  return PushAll(gradient, versions);
}

// A shard that restarted lacks what was staged there before.
StatusOr<PushOutcome> GroupStore::PushAll(std::span<const float> gradient,
                                          const ShardVersions& versions) {
  const GradientPart own{
      .client = client_, .sequence = ++sequence_, .member = 0, .members = group_.members()};
  PushOutcome decided;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const bool staged = !group_.lost() && StageOthers(own.sequence);
    GORILA_RETURN_IF_ERROR(group_.failure());
    if (!staged) return decided;
    GORILA_ASSIGN_OR_RETURN(
        const CommitOutcome outcome,
        pieces_.Commit(own, pieces_of_leader_, gradient, versions, pieces_of_others_));
    decided = outcome.slices;
    if (outcome.complete) return decided;
  }
  return absl::FailedPreconditionError(fmt::format(
      "gradient {} was staged {} times by {} members, and shards still lack parts of it; expected "
      "members of this run alone",
      own.sequence, kMostAttempts, own.members));
}

}  // namespace gorila
