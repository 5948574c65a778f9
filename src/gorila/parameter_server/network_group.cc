#include "gorila/parameter_server/network_group.h"

#include <utility>

#include "gorila/network/split/split_network.h"
#include "gorila/parameter_server/member_thread.h"

namespace gorila {

StatusOr<std::unique_ptr<NetworkGroup>> NetworkGroup::OfThreads(const NetworkGroupOptions& options,
                                                                const NetworkSpec& spec,
                                                                ParameterStore& whole,
                                                                PieceStore& pieces) {
  GORILA_ASSIGN_OR_RETURN(const SplitPlan plan, PlanSplitNetwork(spec, options.members));
  const std::size_t rows = static_cast<std::size_t>(options.max_batch) * plan.rows;
  std::vector<std::unique_ptr<MemberLink>> links;
  for (int m = 1; m < options.members; ++m) {
    GORILA_ASSIGN_OR_RETURN(auto thread,
                            MemberThread::Make(std::make_unique<Member>(plan, m, rows, pieces)));
    links.push_back(std::move(thread));
  }
  return Over(options, spec, whole, pieces, std::move(links));
}

StatusOr<std::unique_ptr<NetworkGroup>> NetworkGroup::Over(
    const NetworkGroupOptions& options, const NetworkSpec& spec, ParameterStore& whole,
    PieceStore& pieces, std::vector<std::unique_ptr<MemberLink>> links) {
  GORILA_CHECK(static_cast<int>(links.size()) == options.members - 1);
  GORILA_ASSIGN_OR_RETURN(SplitPlan plan, PlanSplitNetwork(spec, options.members));
  std::unique_ptr<NetworkGroup> made(new NetworkGroup(options, spec, std::move(plan)));
  made->group_ = std::make_unique<MemberGroup>(std::move(links));
  made->store_ =
      std::make_unique<GroupStore>(made->plan_, options.client, whole, pieces, *made->group_);
  return made;
}

StatusOr<std::unique_ptr<QNetwork>> NetworkGroup::MakeNetwork(bool target) {
  return MakeSplitNetwork(backend_, spec_, options_.max_batch, plan_, target, *group_);
}

}  // namespace gorila
