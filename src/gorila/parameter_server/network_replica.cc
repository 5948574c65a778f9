#include "gorila/parameter_server/network_replica.h"

namespace gorila {

NetworkReplica::NetworkReplica(std::unique_ptr<QNetwork> network, ParameterStore& store,
                               Follows follows)
    : network_(std::move(network)),
      store_(store),
      follows_(follows),
      values_(network_->layout().size, network_->host_memory()),
      versions_(static_cast<std::size_t>(store.num_shards()), -1) {
  GORILA_CHECK(values_.size() == store.size(), "{} {}", values_.size(), store.size());
}

Status NetworkReplica::Refresh() {
  GORILA_ASSIGN_OR_RETURN(const bool changed, follows_ == Follows::kOnline
                                                  ? store_.Pull(values_, versions_)
                                                  : store_.PullTarget(values_, versions_));
  if (changed) network_->SetParameters(values_);
  return OkStatus();
}

}  // namespace gorila
