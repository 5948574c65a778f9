#include "gorila/parameter_server/network_replica.h"

#include <span>

namespace gorila {

// Where the network wants memory of another kind, a copy in it is worth more than none.
NetworkReplica::NetworkReplica(std::unique_ptr<QNetwork> network, ParameterStore& store,
                               Follows follows, int fetch_every)
    : network_(std::move(network)),
      store_(store),
      follows_(follows),
      fetch_every_(fetch_every),
      borrows_(store.Lends(follows) && network_->host_memory() == std::pmr::get_default_resource()),
      values_(borrows_ ? 0 : network_->layout().size, network_->host_memory()),
      versions_(static_cast<std::size_t>(store.num_shards()), -1) {
  GORILA_CHECK(network_->layout().size == store.size(), "{} {}", network_->layout().size,
               store.size());
}

Status NetworkReplica::Refresh(Newness newness) {
  gradients_ = 0;
  if (borrows_) {
    GORILA_ASSIGN_OR_RETURN(const bool changed,
                            store_.Borrow(follows_, newness, borrowed_, versions_));
    if (changed) network_->SetParameters(*borrowed_);
    return OkStatus();
  }
  GORILA_ASSIGN_OR_RETURN(const bool changed, follows_ == Follows::kOnline
                                                  ? store_.Pull(values_, versions_)
                                                  : store_.PullTarget(values_, versions_));
  if (changed) network_->SetParameters(values_);
  return OkStatus();
}

Status NetworkReplica::Follow() {
  const bool due = fetch_every_ == 1 || !learns_ || gradients_ >= fetch_every_;
  return due ? Refresh() : OkStatus();
}

}  // namespace gorila
