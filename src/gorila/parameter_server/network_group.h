// A group of members that compute one learner's network together (learner.members), from the
// leader's side: model parallelism as DistBelief has it.
#ifndef GORILA_PARAMETER_SERVER_NETWORK_GROUP_H_
#define GORILA_PARAMETER_SERVER_NETWORK_GROUP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/network/q_network.h"
#include "gorila/network/split/member_group.h"
#include "gorila/network/split/split_plan.h"
#include "gorila/parameter_server/group_store.h"

namespace gorila {

struct NetworkGroupOptions {
  int members = 2;
  std::string_view backend = "auto";  // as for MakeSplitNetwork
  int max_batch = 1;                  // observations in one computation
  std::uint64_t client = 0;           // by which the parameter server knows its gradients
};

// Used by the leader's thread alone. The stores must outlive it.
class NetworkGroup {
 public:
  // The other members are threads of this process. InvalidArgument where the network cannot be
  // divided so; ResourceExhausted without threads.
  static StatusOr<std::unique_ptr<NetworkGroup>> OfThreads(const NetworkGroupOptions& options,
                                                           const NetworkSpec& spec,
                                                           ParameterStore& whole,
                                                           PieceStore& pieces);
  // The other members are at the other ends of `links`, options.members - 1 of them.
  static StatusOr<std::unique_ptr<NetworkGroup>> Over(
      const NetworkGroupOptions& options, const NetworkSpec& spec, ParameterStore& whole,
      PieceStore& pieces, std::vector<std::unique_ptr<MemberLink>> links);

  // What the leader's replicas follow and its learner pushes to.
  ParameterStore& store() { return *store_; }

  // The leader's part of a network that follows theta, or theta-.
  StatusOr<std::unique_ptr<QNetwork>> MakeNetwork(bool target);

  const SplitPlan& plan() const { return plan_; }
  // Gradients that a member's death ended before the parameter server had them.
  std::int64_t lost_gradients() const { return group_->lost_gradients(); }
  // As GroupStore::seconds.
  double seconds() const { return store_->seconds(); }

 private:
  NetworkGroup(const NetworkGroupOptions& options, const NetworkSpec& spec, SplitPlan plan)
      : options_(options), backend_(options.backend), spec_(spec), plan_(std::move(plan)) {}

  const NetworkGroupOptions options_;
  const std::string backend_;
  const NetworkSpec spec_;
  const SplitPlan plan_;
  std::unique_ptr<MemberGroup> group_;
  std::unique_ptr<GroupStore> store_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_NETWORK_GROUP_H_
