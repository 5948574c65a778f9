#include "gorila/launch/capacity_model.h"

#include <algorithm>
#include <queue>
#include <utility>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

constexpr double kLatency = 50e-6;               // one way
constexpr double kJitter = 0.1;                  // of a gradient's time, each way
constexpr int kMostModelled = 16;                // shards
constexpr int kFewestModelled = 4;               // of very many bundles
constexpr int kShardsOfBundles = 20'000;         // shards times bundles that are modelled
constexpr int kMany = 2000;                      // bundles, of which each is watched for less long
constexpr std::int64_t kWarmGradients = 8;       // a bundle; half of it where there are many
constexpr std::int64_t kMeasuredGradients = 16;  // likewise
constexpr std::int64_t kFewestMeasured = 300;    // of all bundles

// What happens to a bundle, at or from one shard.
enum class Happening {
  kComputed,  // a gradient
  kAtShard,   // the first bytes of a slice of it
  kDecide,    // the last ones
  kAnswered,  // its answer is back
  kAsked,     // a request for parameters is at the shard
  kReply,     // the shard has them ready
  kAtBundle,  // their first bytes
  kHas,       // the last ones
};

struct ModelEvent {
  double time = 0;
  std::uint64_t order = 0;  // of equal times
  Happening what = Happening::kComputed;
  int bundle = 0;
  int shard = 0;
};

struct LaterEvent {
  bool operator()(const ModelEvent& a, const ModelEvent& b) const {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
};

// Serves one after the other.
class ModelQueue {
 public:
  // When what comes at `now` and takes `seconds` begins.
  double Begin(double now, double seconds) {
    const double begin = std::max(now, free_);
    free_ = begin + seconds;
    busy_ += seconds;
    return begin;
  }
  double free() const { return free_; }
  double TakeBusy() { return std::exchange(busy_, 0); }

 private:
  double free_ = 0;
  double busy_ = 0;
};

enum class ModelTransfer { kNone, kPush, kPull };

// As OverlappedParameterStore has it.
struct ModelledBundle {
  bool waits = false;    // computed a gradient, while the one before is under way
  bool pushing = false;  // a gradient waits or is under way
  bool pushed = false;   // since the last pull
  bool wanted = false;   // newer parameters
  ModelTransfer transfer = ModelTransfer::kNone;
  int missing = 0;  // answers of the transfer
  ModelQueue down;
  double up_busy = 0;
};

struct ModelledShard {
  ModelQueue in, out, work;
  std::int64_t version = 0;
};

class ClusterModel {
 public:
  explicit ClusterModel(const CapacityRequest& request)
      : request_(request),
        figures_(request.figures),
        modelled_(std::min(request.shards, std::clamp(kShardsOfBundles / request.bundles,
                                                      kFewestModelled, kMostModelled))),
        slice_seconds_(8 * figures_.parameter_bytes / request.shards /
                       (kLinkPayload * request.nic_bits)),
        part_seconds_(slice_seconds_ * request.shards / modelled_),
        update_seconds_(figures_.update_seconds / request.shards),
        call_seconds_(2.0 * request.shards * figures_.call_seconds),
        random_(request.seed),
        bundles_(static_cast<std::size_t>(request.bundles)),
        shards_(static_cast<std::size_t>(modelled_)),
        incoming_(bundles_.size() * shards_.size()),
        latest_(incoming_),
        used_(incoming_),
        sent_(incoming_) {}

  CapacityResult Run() {
    const double step = figures_.gradient_seconds + call_seconds_;
    for (int b = 0; b < request_.bundles; ++b) {
      Add(step * random_.Uniform(), Happening::kComputed, b);
      if (request_.overlap) Of(b).wanted = true;
    }
    const int few = request_.bundles > kMany ? 2 : 1;
    RunUntil(kWarmGradients / few * request_.bundles);
    Forget();
    const double begin = now_;
    const std::int64_t before = pushes_;
    RunUntil(before + std::max(kMeasuredGradients / few * request_.bundles, kFewestMeasured));
    return Result(now_ - begin, pushes_ - before);
  }

 private:
  ModelledBundle& Of(int bundle) { return bundles_[static_cast<std::size_t>(bundle)]; }
  ModelledShard& ShardOf(int shard) { return shards_[static_cast<std::size_t>(shard)]; }
  std::size_t At(int bundle, int shard) const {
    return static_cast<std::size_t>(bundle) * shards_.size() + static_cast<std::size_t>(shard);
  }
  void Add(double time, Happening what, int bundle, int shard = 0) {
    events_.push({.time = time, .order = ++order_, .what = what, .bundle = bundle, .shard = shard});
  }

  void RunUntil(std::int64_t pushes) {
    while (pushes_ < pushes) {
      const ModelEvent event = events_.top();
      events_.pop();
      now_ = event.time;
      Handle(event);
    }
  }

  void Handle(const ModelEvent& event) {
    const int b = event.bundle;
    switch (event.what) {
      case Happening::kComputed:
        return EndGradient(b);
      case Happening::kAtShard: {
        const double begin = ShardOf(event.shard).in.Begin(now_, slice_seconds_);
        return Add(begin + slice_seconds_, Happening::kDecide, b, event.shard);
      }
      case Happening::kDecide:
        return Decide(b, event.shard);
      case Happening::kAsked: {
        ModelledShard& shard = ShardOf(event.shard);
        incoming_[At(b, event.shard)] = shard.version;  // with all that it still works on
        return Add(shard.work.Begin(now_, 0), Happening::kReply, b, event.shard);
      }
      case Happening::kReply: {
        const double begin = ShardOf(event.shard).out.Begin(now_, slice_seconds_);
        return Add(begin + kLatency, Happening::kAtBundle, b, event.shard);
      }
      case Happening::kAtBundle: {
        const double begin = Of(b).down.Begin(now_, part_seconds_);
        return Add(begin + part_seconds_, Happening::kHas, b, event.shard);
      }
      case Happening::kAnswered:
      case Happening::kHas:
        if (--Of(b).missing == 0) EndTransfer(b);
        return;
    }
  }

  void BeginGradient(int b) {
    std::copy_n(latest_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)), modelled_,
                used_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)));
    const double jitter = 1 + kJitter * (2 * random_.Uniform() - 1);
    Add(now_ + figures_.gradient_seconds * jitter + call_seconds_, Happening::kComputed, b);
    if (!request_.overlap) return;
    Of(b).wanted = true;
    Continue(b);
  }

  void EndGradient(int b) {
    if (Of(b).pushing) {
      Of(b).waits = true;
    } else {
      Offer(b);
    }
  }

  void Offer(int b) {
    std::copy_n(used_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)), modelled_,
                sent_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)));
    Of(b).pushing = true;
    Of(b).waits = false;
    if (request_.overlap) {
      BeginGradient(b);
    } else {
      Continue(b);
    }
  }

  // What the thread does that carries gradients and parameters: a gradient before the parameters
  // that have it, and never two in a row.
  void Continue(int b) {
    ModelledBundle& bundle = Of(b);
    if (bundle.transfer != ModelTransfer::kNone) return;
    if (bundle.pushing && !bundle.pushed) {
      bundle.transfer = ModelTransfer::kPush;
      bundle.up_busy += part_seconds_ * modelled_;
      const double last_part = part_seconds_ - slice_seconds_ + kLatency;
      SendToAll(b, Happening::kAtShard, part_seconds_, last_part);
    } else if (bundle.pushed || bundle.wanted) {
      bundle.transfer = ModelTransfer::kPull;
      bundle.wanted = false;
      SendToAll(b, Happening::kAsked, 0, kLatency);
    }
  }

  void SendToAll(int b, Happening what, double apart, double delay) {
    Of(b).missing = modelled_;
    for (int i = 0; i < modelled_; ++i) Add(now_ + i * apart + delay, what, b, (b + i) % modelled_);
  }

  void Decide(int b, int s) {
    ModelledShard& shard = ShardOf(s);
    const std::int64_t staleness = shard.version - sent_[At(b, s)];
    const bool accepted = staleness <= request_.max_staleness;
    if (accepted) ++shard.version;
    ++decided_;
    refused_ += accepted ? 0 : 1;
    staleness_.push_back(staleness);
    shard.work.Begin(now_, figures_.push_seconds + (accepted ? update_seconds_ : 0));
    Add(shard.work.free() + kLatency, Happening::kAnswered, b, s);
  }

  void EndTransfer(int b) {
    ModelledBundle& bundle = Of(b);
    const ModelTransfer ended = std::exchange(bundle.transfer, ModelTransfer::kNone);
    if (ended == ModelTransfer::kPush) {
      ++pushes_;
      bundle.pushing = false;
      bundle.pushed = true;
      Continue(b);  // pulls, before a waiting gradient goes
      if (bundle.waits) Offer(b);
      return;
    }
    std::copy_n(incoming_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)), modelled_,
                latest_.begin() + static_cast<std::ptrdiff_t>(At(b, 0)));
    bundle.pushed = false;
    if (request_.overlap) {
      Continue(b);
    } else {
      BeginGradient(b);
    }
  }

  // Of the warming up.
  void Forget() {
    for (ModelledBundle& bundle : bundles_) {
      bundle.up_busy = 0;
      bundle.down.TakeBusy();
    }
    for (ModelledShard& shard : shards_) {
      for (ModelQueue* queue : {&shard.in, &shard.out, &shard.work}) queue->TakeBusy();
    }
    staleness_.clear();
    decided_ = refused_ = 0;
  }

  std::int64_t Percentile(double part) {
    const auto place = static_cast<std::size_t>(part * static_cast<double>(staleness_.size() - 1));
    const auto at = staleness_.begin() + static_cast<std::ptrdiff_t>(place);
    std::nth_element(staleness_.begin(), at, staleness_.end());
    return *at;
  }

  CapacityResult Result(double seconds, std::int64_t pushes) {
    double in = 0, out = 0, work = 0, up = 0, down = 0, staleness = 0;
    for (ModelledShard& shard : shards_) {
      in += shard.in.TakeBusy();
      out += shard.out.TakeBusy();
      work += shard.work.TakeBusy();
    }
    for (ModelledBundle& bundle : bundles_) {
      up += bundle.up_busy;
      down += bundle.down.TakeBusy();
    }
    for (const std::int64_t age : staleness_) staleness += static_cast<double>(age);
    const double rate = static_cast<double>(pushes) / seconds;
    const double refused = static_cast<double>(refused_) / static_cast<double>(decided_);
    const auto part = [](double busy, double of) { return std::min(busy / of, 1.0); };
    return {.updates_per_second = rate * (1 - refused),
            .share = rate * figures_.gradient_seconds / request_.bundles,
            .refused = refused,
            .shard_link_busy = part(std::max(in, out), seconds * modelled_),
            .bundle_link_busy = part(up + down, seconds * request_.bundles),
            .update_busy = part(work, seconds * modelled_),
            .call_share = call_seconds_ * rate / request_.bundles,
            .staleness_mean = staleness / static_cast<double>(decided_),
            .staleness_median = Percentile(0.5),
            .staleness_90 = Percentile(0.9),
            .staleness_99 = Percentile(0.99)};
  }

  const CapacityRequest request_;
  const CapacityFigures figures_;
  const int modelled_;          // shards
  const double slice_seconds_;  // of a slice on a link
  const double part_seconds_;  // of the slices that a modelled shard stands for, on a bundle's link
  const double update_seconds_;  // of a slice
  const double call_seconds_;    // of a bundle, for a push and a pull
  RandomStream random_;
  std::vector<ModelledBundle> bundles_;
  std::vector<ModelledShard> shards_;
  // Versions by bundle and shard: of the pull under way, the last one, the gradient that is
  // computed, and the one that is sent.
  std::vector<std::int64_t> incoming_, latest_, used_, sent_;
  std::priority_queue<ModelEvent, std::vector<ModelEvent>, LaterEvent> events_;
  std::uint64_t order_ = 0;
  double now_ = 0;
  std::int64_t pushes_ = 0;                 // that all shards have answered
  std::int64_t decided_ = 0, refused_ = 0;  // slices
  std::vector<std::int64_t> staleness_;     // of the same
};

}  // namespace

CapacityResult ModelCapacity(const CapacityRequest& request) {
  GORILA_CHECK(request.bundles > 0 && request.shards > 0 && request.nic_bits > 0,
               "{} bundles, {} shards, {} bits", request.bundles, request.shards, request.nic_bits);
  return ClusterModel(request).Run();
}

}  // namespace gorila
