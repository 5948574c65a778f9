// A member above 0 of a group, in the thread or process that it runs in.
#ifndef GORILA_PARAMETER_SERVER_MEMBER_H_
#define GORILA_PARAMETER_SERVER_MEMBER_H_

#include <array>
#include <cstdint>
#include <vector>

#include "gorila/network/split/member_group.h"
#include "gorila/network/split/member_network.h"
#include "gorila/parameter_server/piece_store.h"

namespace gorila {

// Has its pieces of theta and theta-, and its part of the present gradient. Used by one thread at a
// time. `store` must outlive it.
class Member {
 public:
  Member(const SplitPlan& plan, int index, std::size_t max_rows, PieceStore& store);

  // Does what its leader asks. FailedPrecondition when it lacks what an earlier call would have
  // left (this member is new); InvalidArgument for sizes that do not fit; the store's errors. With
  // kForward and Pass::kForward, `call.in` is borrowed until kBackward.
  StatusOr<MemberAnswer> Do(const MemberCall& call);

  const SplitPlan& plan() const { return plan_; }
  int index() const { return index_; }
  std::size_t max_rows() const { return replicas_[0].network.max_rows(); }
  std::size_t local_size() const { return gradient_.size(); }
  // Bytes of parameters, target parameters, gradient, and the sum of gradients, if there is one.
  std::size_t bytes() const { return (3 * gradient_.size() + sum_.size()) * sizeof(float); }

 private:
  struct Replica {
    Replica(const SplitPlan& plan, int index, std::size_t max_rows, int shards)
        : network(plan, index, max_rows),
          values(network.local_size()),
          versions(static_cast<std::size_t>(shards), -1) {}

    MemberNetwork network;
    std::vector<float> values;
    ShardVersions versions;
  };

  StatusOr<MemberAnswer> Pull(bool target);
  StatusOr<MemberAnswer> Forward(const MemberCall& call);
  StatusOr<MemberAnswer> Backward(const MemberCall& call);
  StatusOr<MemberAnswer> SetNoise(const MemberCall& call);
  StatusOr<MemberAnswer> AddUp(const MemberCall& call);
  StatusOr<MemberAnswer> Sum(const MemberCall& call);
  StatusOr<MemberAnswer> Stage(const MemberCall& call);
  bool HasGradient() const;
  Status CheckCall(const MemberCall& call) const;
  Replica& Of(bool target) { return replicas_[target ? 1 : 0]; }

  const SplitPlan plan_;
  const int index_;
  PieceStore& store_;
  std::array<Replica, 2> replicas_;  // theta, theta-
  std::vector<float> gradient_;
  int parts_ = 0;           // stages of the present gradient that are there
  std::vector<float> sum_;  // of `summed_` gradients; empty until it is used
  int summed_ = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_MEMBER_H_
