// The fully connected layers of a network that a group computes, as its leader has them.
#ifndef GORILA_NETWORK_SPLIT_SPLIT_DENSE_H_
#define GORILA_NETWORK_SPLIT_SPLIT_DENSE_H_

#include <memory>

#include "gorila/network/dense_stack.h"
#include "gorila/network/split/member_group.h"
#include "gorila/network/split/split_plan.h"

namespace gorila {

// Reads and writes the leader's local vector (PiecesOf(plan, 0)). `group` must outlive it;
// `target`: whether it computes with theta-. What a failed group computes is 0
// (MemberGroup::failure).
std::unique_ptr<DenseStack> MakeSplitDense(const SplitPlan& plan, std::size_t max_rows, bool target,
                                           MemberGroup& group);

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_SPLIT_DENSE_H_
