// A replica of the Q-network that follows the parameter server (paper section 4.1: every actor and
// learner has one).
#ifndef GORILA_PARAMETER_SERVER_NETWORK_REPLICA_H_
#define GORILA_PARAMETER_SERVER_NETWORK_REPLICA_H_

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include "gorila/network/q_network.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

// Used by one thread at a time. A bundle's actor and learner share one for theta; the learner has
// another for theta-.
class NetworkReplica {
 public:
  using Follows = ParameterSet;

  // `store` must outlive the replica and have the size of the network's layout. `fetch_every`: the
  // least gradients between two pulls of Follow (DistBelief's n_fetch).
  NetworkReplica(std::unique_ptr<QNetwork> network, ParameterStore& store, Follows follows,
                 int fetch_every = 1);

  // Gives newer parameters to the network, borrowed where the store lends them, else pulled. Blocks
  // as long as the store does. With kNewest none are newer.
  Status Refresh(Newness newness = Newness::kUsual);

  // Refresh, where it is due: always, unless fetch_every is above 1 and gradients are computed with
  // this replica, fewer than fetch_every since the last Refresh.
  Status Follow();

  // A gradient was computed with it.
  void CountGradient() {
    learns_ = true;
    ++gradients_;
  }

  QNetwork& network() { return *network_; }
  const ShardVersions& versions() const { return versions_; }  // of the last Refresh

 private:
  const std::unique_ptr<QNetwork> network_;
  ParameterStore& store_;
  const ParameterSet follows_;
  const int fetch_every_;
  bool learns_ = false;
  std::int64_t gradients_ = 0;  // since the last Refresh
  const bool borrows_;
  std::pmr::vector<float> values_;  // empty if it borrows
  SharedParameters borrowed_;
  ShardVersions versions_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_NETWORK_REPLICA_H_
