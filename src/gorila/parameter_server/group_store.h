// The parameter server as the leader of a group sees it.
#ifndef GORILA_PARAMETER_SERVER_GROUP_STORE_H_
#define GORILA_PARAMETER_SERVER_GROUP_STORE_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "gorila/network/split/member_group.h"
#include "gorila/network/split/split_plan.h"
#include "gorila/parameter_server/piece_store.h"

namespace gorila {

// A store of the leader's local vector (PiecesOf(plan, 0)); each pull and push has the other
// members pull and push their own pieces. `whole` has the update clock; all must outlive it. Not
// thread-safe: the leader's thread alone.
class GroupStore final : public ParameterStore {
 public:
  GroupStore(const SplitPlan& plan, std::uint64_t client, ParameterStore& whole, PieceStore& pieces,
             MemberGroup& group);

  std::size_t size() const override { return size_; }
  int num_shards() const override { return whole_.num_shards(); }

  // Versions are the oldest that a member has. Fails, for good, as a member or the store does.
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    return PullAll(values, versions, /*target=*/false);
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    return PullAll(values, versions, /*target=*/true);
  }

  // The group's gradient, of which `gradient` is the leader's part: all of it, or, when a member
  // was lost with its part, nothing.
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override;

  void AddUpElsewhere(int summed, bool last) override { group_.AddUp(summed, last); }
  std::vector<float> WholeSum(std::span<const float> own, int summed) override;
  Status RestoreWholeSum(std::span<const float> whole, int summed, std::span<float> own) override;

  std::int64_t UpdateCount() const override { return whole_.UpdateCount(); }

  // Seconds that pulls and pushes have taken, of all members. Thread-safe.
  double seconds() const { return static_cast<double>(nanoseconds_.load()) * 1e-9; }

 private:
  StatusOr<bool> PullAll(std::span<float> values, ShardVersions& versions, bool target);
  StatusOr<PushOutcome> PushAll(std::span<const float> gradient, const ShardVersions& versions);
  bool StageOthers(std::int64_t sequence);
  std::vector<std::vector<float>> LocalVectors() const;

  const Pieces pieces_of_leader_;
  std::vector<Pieces> pieces_of_others_;
  std::vector<std::size_t> sizes_of_others_;  // of their local vectors
  const std::size_t size_;
  const std::uint64_t client_;
  ParameterStore& whole_;
  PieceStore& pieces_;
  MemberGroup& group_;
  std::array<ShardVersions, 2> own_;  // of the leader's pieces: theta, theta-
  std::int64_t sequence_ = 0;
  std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_GROUP_STORE_H_
