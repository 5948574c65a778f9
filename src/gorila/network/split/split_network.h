// A network of which a group of members computes the wide layers together.
#ifndef GORILA_NETWORK_SPLIT_SPLIT_NETWORK_H_
#define GORILA_NETWORK_SPLIT_SPLIT_NETWORK_H_

#include <memory>
#include <string_view>

#include "gorila/network/q_network.h"
#include "gorila/network/split/member_group.h"
#include "gorila/network/split/split_plan.h"

namespace gorila {

// How `spec` is divided. InvalidArgument, naming learner.members, where its layers are too narrow.
StatusOr<SplitPlan> PlanSplitNetwork(const NetworkSpec& spec, int members);

// InvalidArgument unless networks of this backend and device can be divided.
Status CheckSplitBackend(std::string_view backend, std::string_view device, int members);

// The leader's part. Its layout() describes the leader's local vector (PiecesOf(plan, 0));
// `target`: whether the other members compute with theta-. `group` must outlive it. Fails as
// MakeQNetwork and CheckSplitBackend do.
StatusOr<std::unique_ptr<QNetwork>> MakeSplitNetwork(std::string_view backend,
                                                     const NetworkSpec& spec, int max_batch,
                                                     const SplitPlan& plan, bool target,
                                                     MemberGroup& group);

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_SPLIT_NETWORK_H_
