#include "gorila/launch/capacity_model.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/status.h"

namespace gorila {
namespace {

constexpr double kLatency = 50e-6;               // one way
constexpr double kMessageSeconds = 1e-6;         // of one without a payload, on a link
constexpr double kJitter = 0.1;                  // of a gradient's time, each way
constexpr int kMany = 2000;                      // bundles, of which each is watched for less long
constexpr std::int64_t kWarmGradients = 8;       // a bundle; half of it where there are many
constexpr std::int64_t kMeasuredGradients = 16;  // likewise
constexpr std::int64_t kFewestMeasured = 300;    // of all bundles

// What happens to a bundle.
enum class Happening {
  kStarted,
  kComputed,  // a gradient
  kAtShards,  // all of it
  kDecided,
  kAnswered,  // the shards' verdicts are back
  kAsked,     // a request for parameters is at the shards
  kHas,       // all of them, or that there are no newer ones
};

struct ModelEvent {
  double time = 0;
  std::uint64_t order = 0;  // of equal times
  Happening what = Happening::kComputed;
  int bundle = 0;
};

struct LaterEvent {
  bool operator()(const ModelEvent& a, const ModelEvent& b) const {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
};

// One direction of the links of all shards. A transfer of a bundle is one slice from or to each of
// them. The bundle's slices share its link, and those of all bundles a shard's, equally; so every
// transfer has the same rate, 1 where its bundle's link is the limit, and of equal ones the first
// that began ends first.
class SharedLinks {
 public:
  // `seconds`: of a transfer at rate 1, and of a piece of it.
  SharedLinks(int shards, double seconds, double piece_seconds)
      : shards_(shards), seconds_(seconds), piece_seconds_(piece_seconds) {}

  // Its end, for Behind().
  double Begin(double now, int bundle) {
    Advance(now);
    transfers_.push_back({.end = done_ + seconds_, .bundle = bundle});
    return transfers_.back().end;
  }

  // Seconds that a message takes on the connection of a transfer with this end, which may be over:
  // it waits for a piece of it, or for what is left of it, and arrives after that.
  double Behind(double now, double end) {
    Advance(now);
    return std::clamp(end - done_, 0.0, piece_seconds_) / Rate() + kMessageSeconds;
  }

  // When the first of those in it ends, if no other begins.
  double NextEnd() const {
    if (transfers_.empty()) return std::numeric_limits<double>::infinity();
    return now_ + std::max(transfers_.front().end - done_, 0.0) / Rate();
  }

  // Ends it then; whose it is.
  int End() {
    const Transfer ended = transfers_.front();
    Advance(NextEnd());
    done_ = ended.end;
    transfers_.pop_front();
    return ended.bundle;
  }

  void Advance(double now) {
    const double waited = (now - now_) * static_cast<double>(transfers_.size());
    const double rate = Rate();
    done_ += (now - now_) * rate;
    moved_ += waited * rate;
    (rate < 1 ? shared_ : alone_) += waited;
    now_ = now;
  }

  void Forget() { moved_ = shared_ = alone_ = 0; }
  double moved() const { return moved_; }    // seconds of transfers at rate 1
  double shared() const { return shared_; }  // seconds of transfers at the shards' pace
  double alone() const { return alone_; }    // and at the bundles'

 private:
  struct Transfer {
    double end = 0;  // of done_
    int bundle = 0;
  };

  double Rate() const {
    return std::min(1.0,
                    shards_ / static_cast<double>(std::max(transfers_.size(), std::size_t{1})));
  }

  const double shards_;
  const double seconds_;
  const double piece_seconds_;
  std::deque<Transfer> transfers_;
  double now_ = 0;
  double done_ = 0;  // seconds at rate 1 that a transfer in it since the start would have made
  double moved_ = 0, shared_ = 0, alone_ = 0;
};

struct ModelledBundle {
  // Versions: of the pull under way, the last one, the gradient that is computed, and the one that
  // is sent.
  std::int64_t incoming = -1, latest = -1, used = -1, sent = -1;
  double steps = 0;           // of the actor that are owed
  double gradient_end = 0;    // of the last transfer
  double parameters_end = 0;  // likewise
  // As OverlappedParameterStore has them.
  bool waits = false;       // computed a gradient, while the one before is under way
  bool pushing = false;     // a gradient waits or is under way
  bool push_began = false;  // it is under way
  bool pulling = false;
  bool pulled = false;
  bool wanted = false;
  std::int64_t pushes = 0;      // that have ended
  std::int64_t pull_began = 0;  // after so many of them: the last pull,
  std::int64_t pull_has = 0;    // and the last that has ended
};

class ClusterModel {
 public:
  explicit ClusterModel(const CapacityRequest& request)
      : request_(request),
        figures_(request.figures),
        update_seconds_(figures_.update_seconds / request.shards),
        call_seconds_(2.0 * request.shards * figures_.call_seconds),
        random_(request.seed),
        bundles_(static_cast<std::size_t>(request.bundles)),
        gradients_(MakeLinks(request)),
        parameters_(MakeLinks(request)) {}

  CapacityResult Run() {
    const double step = figures_.gradient_seconds + call_seconds_;
    for (int b = 0; b < request_.bundles; ++b) {
      Add(step * random_.Uniform(), Happening::kStarted, b);
    }
    const int few = request_.bundles > kMany ? 2 : 1;
    RunUntil(kWarmGradients / few * request_.bundles);
    Forget();
    const double begin = now_;
    const std::int64_t before = pushes_;
    RunUntil(before + std::max(kMeasuredGradients / few * request_.bundles, kFewestMeasured));
    gradients_.Advance(now_);
    parameters_.Advance(now_);
    return Result(now_ - begin, pushes_ - before);
  }

 private:
  static SharedLinks MakeLinks(const CapacityRequest& request) {
    const double byte_seconds = 8 / (kLinkPayload * request.nic_bits);
    return {request.shards, byte_seconds * request.figures.parameter_bytes,
            byte_seconds * kModelledPieceBytes};
  }

  ModelledBundle& Of(int bundle) { return bundles_[static_cast<std::size_t>(bundle)]; }
  void Add(double time, Happening what, int bundle) {
    events_.push({.time = time, .order = ++order_, .what = what, .bundle = bundle});
  }

  void RunUntil(std::int64_t pushes) {
    while (pushes_ < pushes) {
      const double next =
          events_.empty() ? std::numeric_limits<double>::infinity() : events_.top().time;
      const double arrives = gradients_.NextEnd();
      const double comes = parameters_.NextEnd();
      now_ = std::min({next, arrives, comes});
      if (arrives == now_) {
        Add(now_ + kLatency, Happening::kAtShards, gradients_.End());
      } else if (comes == now_) {
        Add(now_ + kLatency, Happening::kHas, parameters_.End());
      } else {
        const ModelEvent event = events_.top();
        events_.pop();
        Handle(event);
      }
    }
  }

  void Handle(const ModelEvent& event) {
    const int b = event.bundle;
    switch (event.what) {
      case Happening::kStarted:
        return Pull(b);
      case Happening::kComputed:
        return EndGradient(b);
      case Happening::kAtShards:
        deciding_.push_back(b);
        waits_ -= now_;
        if (deciding_.size() == 1) Decide();
        return;
      case Happening::kDecided:
        return EndDecision(b);
      case Happening::kAnswered:
        return EndPush(b);
      case Happening::kAsked:
        // Behind the update that is made, before those that wait.
        return deciding_.empty() ? Reply(b) : asking_.push_back(b);
      case Happening::kHas:
        return EndPull(b);
    }
  }

  void BeginGradient(int b) {
    ModelledBundle& bundle = Of(b);
    bundle.used = bundle.latest;
    bundle.wanted = true;
    const double jitter = 1 + kJitter * (2 * random_.Uniform() - 1);
    Add(now_ + figures_.gradient_seconds * jitter + call_seconds_, Happening::kComputed, b);
  }

  void EndGradient(int b) {
    if (Of(b).pushing) {
      Of(b).waits = true;
      return;
    }
    Offer(b);
    Continue(b);
  }

  void Offer(int b) {
    ModelledBundle& bundle = Of(b);
    bundle.sent = bundle.used;
    bundle.pushing = true;
    bundle.waits = false;
    if (request_.overlap) BeginGradient(b);
  }

  // Begins what OverlappedParameterStore's threads would. Without overlap a gradient is sent, and
  // then parameters are asked for.
  void Continue(int b) {
    ModelledBundle& bundle = Of(b);
    if (bundle.pushing && !bundle.push_began && bundle.pushes - bundle.pull_has <= 1) {
      bundle.push_began = true;
      bundle.gradient_end = gradients_.Begin(now_, b);
    }
    if (bundle.pulling) return;
    const bool wanted = request_.overlap && !bundle.pushing && bundle.wanted;
    if (bundle.pushes - bundle.pull_began >= 1 || wanted) Pull(b);
  }

  void Pull(int b) {
    ModelledBundle& bundle = Of(b);
    bundle.pulling = true;
    bundle.wanted = false;
    bundle.pull_began = bundle.pushes;
    Add(now_ + kLatency + gradients_.Behind(now_, bundle.gradient_end), Happening::kAsked, b);
  }

  void Reply(int b) {
    ModelledBundle& bundle = Of(b);
    bundle.incoming = version_;
    if (bundle.incoming == bundle.latest) return Add(now_ + kLatency, Happening::kHas, b);
    bundle.parameters_end = parameters_.Begin(now_, b);
  }

  // On the first that waits.
  void Decide() {
    const int b = deciding_.front();
    const std::int64_t staleness = version_ - Of(b).sent;
    accepted_ = staleness <= request_.max_staleness;
    ++decided_;
    refused_ += accepted_ ? 0 : 1;
    staleness_.push_back(staleness);
    const double seconds = figures_.push_seconds + (accepted_ ? update_seconds_ : 0);
    working_ += seconds;
    Add(now_ + seconds, Happening::kDecided, b);
  }

  void EndDecision(int b) {
    if (accepted_) ++version_;
    deciding_.pop_front();
    waits_ += now_;
    Add(now_ + kLatency + parameters_.Behind(now_, Of(b).parameters_end), Happening::kAnswered, b);
    for (const int asking : std::exchange(asking_, {})) Reply(asking);
    if (!deciding_.empty()) Decide();
  }

  void EndPush(int b) {
    ModelledBundle& bundle = Of(b);
    ++pushes_;
    ++bundle.pushes;
    bundle.pushing = bundle.push_began = false;
    if (bundle.waits) Offer(b);
    Continue(b);
  }

  void EndPull(int b) {
    ModelledBundle& bundle = Of(b);
    bundle.latest = bundle.incoming;
    bundle.pull_has = bundle.pull_began;
    bundle.pulling = false;
    const bool first = !std::exchange(bundle.pulled, true);
    if (!request_.overlap) return Act(b);
    if (first) BeginGradient(b);
    Continue(b);
  }

  // The actor steps that are due pull first, then the learner.
  void Act(int b) {
    ModelledBundle& bundle = Of(b);
    if (bundle.steps >= 1) {
      bundle.steps -= 1;
      return Pull(b);
    }
    bundle.steps += request_.steps_per_gradient;
    BeginGradient(b);
  }

  // Of the warming up.
  void Forget() {
    for (SharedLinks* links : {&gradients_, &parameters_}) {
      links->Advance(now_);
      links->Forget();
    }
    working_ = 0;
    waits_ = -now_ * static_cast<double>(deciding_.size());
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
    const double in = gradients_.moved();
    const double out = parameters_.moved();
    const double all = seconds * request_.bundles;
    double staleness = 0;
    for (const std::int64_t age : staleness_) staleness += static_cast<double>(age);
    const double rate = static_cast<double>(pushes) / seconds;
    const double refused = static_cast<double>(refused_) / static_cast<double>(decided_);
    const double waits = waits_ + now_ * static_cast<double>(deciding_.size());
    const auto part = [](double busy, double of) { return std::min(busy / of, 1.0); };
    return {.updates_per_second = rate * (1 - refused),
            .share = rate * figures_.gradient_seconds / request_.bundles,
            .refused = refused,
            .shard_link_busy = part(std::max(in, out), seconds * request_.shards),
            .bundle_link_busy = part(request_.overlap ? std::max(in, out) : in + out, all),
            .update_busy = part(working_, seconds),
            .call_share = call_seconds_ * rate / request_.bundles,
            .shard_link_waits = (gradients_.shared() + parameters_.shared()) / all,
            .bundle_link_waits = (gradients_.alone() + parameters_.alone()) / all,
            .update_waits = waits / all,
            .staleness_mean = staleness / static_cast<double>(decided_),
            .staleness_median = Percentile(0.5),
            .staleness_90 = Percentile(0.9),
            .staleness_99 = Percentile(0.99)};
  }

  const CapacityRequest request_;
  const CapacityFigures figures_;
  const double update_seconds_;  // of a slice
  const double call_seconds_;    // of a bundle, for a push and a pull
  RandomStream random_;
  std::vector<ModelledBundle> bundles_;
  SharedLinks gradients_, parameters_;
  std::deque<int> deciding_;  // bundles whose gradients are at the shards; the first is decided on
  std::vector<int> asking_;   // bundles that wait for its end
  bool accepted_ = false;     // it is
  std::int64_t version_ = 0;
  std::priority_queue<ModelEvent, std::vector<ModelEvent>, LaterEvent> events_;
  std::uint64_t order_ = 0;
  double now_ = 0;
  double working_ = 0;                      // seconds of a shard
  double waits_ = 0;                        // seconds of gradients at a shard
  std::int64_t pushes_ = 0;                 // that the shards have answered
  std::int64_t decided_ = 0, refused_ = 0;  // likewise, or nearly
  std::vector<std::int64_t> staleness_;     // of the decided ones
};

}  // namespace

CapacityResult ModelCapacity(const CapacityRequest& request) {
  GORILA_CHECK(request.bundles > 0 && request.shards > 0 && request.nic_bits > 0,
               "{} bundles, {} shards, {} bits", request.bundles, request.shards, request.nic_bits);
  return ClusterModel(request).Run();
}

}  // namespace gorila
