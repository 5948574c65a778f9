// How many updates a second bundles make through parameter shards: a discrete-event model of links
// and shards, for clusters that do not exist yet. It runs no role's code.
#ifndef GORILA_LAUNCH_CAPACITY_MODEL_H_
#define GORILA_LAUNCH_CAPACITY_MODEL_H_

#include <cstdint>

namespace gorila {

inline constexpr double kLinkPayload = 0.95;  // of a link's bits; the rest are headers
// What a message waits behind in a bundle's link. As much as is written to a connection at once
// (rpc::kPieceBytes), but of all connections together: chosen to fit runs (docs/performance.md).
inline constexpr int kModelledPieceBytes = 512 << 10;

// What a machine takes for each part. The defaults are of the Nature network with 18 actions and
// batches of 32 on a core of a Xeon with AVX-512 (docs/performance.md).
struct CapacityFigures {
  double parameter_bytes = 4.0 * 1'693'362;
  double gradient_seconds = 25e-3;  // of a bundle's gradient, and what it does between two of them
  double update_seconds = 2e-3;     // of the whole vector at one shard: check and optimizer
  double push_seconds = 10e-6;      // of a push at a shard besides, whatever its slice
  double call_seconds = 50e-6;      // of a bundle's processor, for a call
};

struct CapacityRequest {
  CapacityFigures figures = {};
  int bundles = 1;
  int shards = 1;
  double nic_bits = 10e9;  // a second, each way, of each bundle and of each shard
  bool overlap = true;     // parameter_server.overlap
  // Actor steps between two gradients; without overlap each of them pulls what is newer. The
  // default: 8 environments and replay.updates_per_step = 0.25.
  double steps_per_gradient = 0.5;
  std::int64_t max_staleness = 1000;
  std::uint64_t seed = 1;
};

// Shares are of 1; what is busy is so all of the time at 1.
struct CapacityResult {
  double updates_per_second = 0;  // accepted
  double share = 0;               // pushed gradients, of those without a parameter server
  double refused = 0;             // of the pushed ones, for their age
  double shard_link_busy = 0;     // the busier direction
  double bundle_link_busy = 0;    // likewise; without overlap both, which take turns
  double update_busy = 0;         // of a shard's time
  double call_share = 0;          // of a bundle's time, its calls to all shards
  // Seconds of transfers and of gradients at shards, a bundle's second, that these set the pace of.
  double shard_link_waits = 0;
  double bundle_link_waits = 0;
  double update_waits = 0;
  double staleness_mean = 0;  // of pushed gradients, in updates
  std::int64_t staleness_median = 0;
  std::int64_t staleness_90 = 0;  // percentiles
  std::int64_t staleness_99 = 0;
};

// Each direction of a link is shared equally by the transfers in it, as TCP does, and links pass on
// what they receive while it arrives; 0.95 of their bits are payload. A bundle sends to, and
// receives from, all shards at once, so shards are alike at every moment, and one stands for all. A
// shard decides on one push at a time, in order of arrival. With overlap a bundle computes from
// what arrived last while its gradient and newer parameters travel, both at once on one connection;
// so the answer to the one and the request for the other wait behind 512 KiB of what goes their
// way. Bundles start within a gradient's time of each other. Gradients take up to 10 % less or more
// than `gradient_seconds`.
CapacityResult ModelCapacity(const CapacityRequest& request);

}  // namespace gorila

#endif  // GORILA_LAUNCH_CAPACITY_MODEL_H_
