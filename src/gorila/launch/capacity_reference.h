// Tests: the cluster of capacity_model.h again, by another method: in small steps of time, with
// every slice at every shard by itself, and rates on links by progressive filling (max-min fair).
#ifndef GORILA_LAUNCH_CAPACITY_REFERENCE_H_
#define GORILA_LAUNCH_CAPACITY_REFERENCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "gorila/launch/capacity_model.h"

namespace gorila {

class CapacityReference {
 public:
  struct Rates {
    double updates_per_second = 0;
    double staleness_mean = 0;
  };

  // Gradients all take `gradient_seconds`. Calls cost nothing, and no gradient is refused.
  CapacityReference(const CapacityRequest& request, double step)
      : request_(request),
        step_(step),
        bundles_(Size(request.bundles)),
        shards_(Size(request.shards)) {
    for (std::size_t b = 0; b < bundles_.size(); ++b) {
      Bundle& bundle = bundles_[b];
      bundle.up.resize(shards_.size());
      bundle.down.resize(shards_.size());
      bundle.latest.assign(shards_.size(), -1);
      bundle.wait = request.figures.gradient_seconds * static_cast<double>(b) / request.bundles;
    }
  }

  // From the time when each bundle has made `warm` pushes, until it has made so many `more`.
  Rates Run(std::int64_t warm, std::int64_t more) {
    while (pushes_ < warm * request_.bundles) Step();
    const double begin = now_;
    const std::int64_t before = pushes_;
    decided_ = staleness_ = 0;
    while (pushes_ < before + more * request_.bundles) Step();
    return {.updates_per_second = static_cast<double>(pushes_ - before) / (now_ - begin),
            .staleness_mean = static_cast<double>(staleness_) / static_cast<double>(decided_)};
  }

 private:
  // A bundle's to or from one shard, in one direction.
  struct Connection {
    double bytes = 0;  // of a slice, still to come
    double ahead = 0;  // bytes before the message
    bool message = false;
    double rate = 0;
    bool Present() const { return bytes > 0; }
    void Tell(double piece) {
      message = true;
      ahead = std::min(bytes, piece);
    }
  };
  enum class Doing { kStarts, kComputes, kOffers, kPulls };
  struct Bundle {
    std::vector<Connection> up, down;
    std::vector<std::int64_t> latest, incoming, used, sent;
    Doing doing = Doing::kStarts;
    double wait = 0;  // what it does lasts so much longer
    double steps = 0;
    int wanted = 0;
    bool pushing = false, travels = false, pulls = false, pulled = false;
    std::size_t push_misses = 0, pull_misses = 0;  // shards
    std::int64_t pushes = 0, pull_began = 0, pull_has = 0;
  };
  struct Shard {
    std::deque<std::size_t> gradients;  // of bundles; it works on the first
    std::vector<std::size_t> asking;
    double work = 0;  // left
    std::int64_t version = 0;
  };

  static std::size_t Size(int n) { return static_cast<std::size_t>(n); }
  double slice() const { return request_.figures.parameter_bytes / request_.shards; }
  double piece() const { return double{kModelledPieceBytes} / request_.shards; }  // of a slice
  double link() const { return kLinkPayload * request_.nic_bits / 8; }

  void Step() {
    now_ += step_;
    Share(&Bundle::up);
    Share(&Bundle::down);
    for (std::size_t b = 0; b < bundles_.size(); ++b) {
      for (std::size_t s = 0; s < shards_.size(); ++s) Move(b, s);
    }
    for (Shard& shard : shards_) Work(shard);
    for (Bundle& bundle : bundles_) Live(bundle);
  }

  // Visits connections with something in them, with their two links.
  template <typename Visit>
  void ForEachPresent(std::vector<Connection> Bundle::*way, const Visit& visit) {
    for (std::size_t b = 0; b < bundles_.size(); ++b) {
      for (std::size_t s = 0; s < shards_.size(); ++s) {
        Connection& connection = (bundles_[b].*way)[s];
        if (connection.Present()) visit(connection, b, bundles_.size() + s);
      }
    }
  }

  struct Link {
    double free = 0;
    int open = 0;  // connections whose rates are not known yet
    double Part() const {
      return open == 0 ? std::numeric_limits<double>::infinity() : free / open;
    }
  };

  // The link with the smallest parts sets the rates of its connections, then the next one with what
  // is left.
  void Share(std::vector<Connection> Bundle::*way) {
    std::vector<Link> links(bundles_.size() + shards_.size(), {.free = link()});
    int open = 0;
    ForEachPresent(way, [&](Connection& connection, std::size_t b, std::size_t s) {
      connection.rate = -1;
      ++links[b].open;
      ++links[s].open;
      ++open;
    });
    while (open > 0) {
      const auto tightest = static_cast<std::size_t>(
          std::min_element(links.begin(), links.end(),
                           [](const Link& x, const Link& y) { return x.Part() < y.Part(); }) -
          links.begin());
      const double rate = std::max(links[tightest].Part(), 0.0);
      ForEachPresent(way, [&](Connection& connection, std::size_t b, std::size_t s) {
        if (connection.rate >= 0 || (b != tightest && s != tightest)) return;
        connection.rate = rate;
        --open;
        for (Link* const side : {&links[b], &links[s]}) {
          side->free -= rate;
          --side->open;
        }
      });
    }
  }

  void Move(std::size_t b, std::size_t s) {
    Bundle& bundle = bundles_[b];
    if (Advance(bundle.up[s])) {
      Shard& shard = shards_[s];
      if (shard.gradients.empty()) Begin(shard, b, s);
      shard.gradients.push_back(b);
    }
    if (Arrives(bundle.up[s])) Ask(b, s);
    if (Advance(bundle.down[s]) && --bundle.pull_misses == 0) EndPull(bundle);
    if (Arrives(bundle.down[s]) && --bundle.push_misses == 0) EndPush(bundle);
  }

  // Whether a slice has come, and whether a message has.
  bool Advance(Connection& connection) const {
    if (!connection.Present()) return false;
    const double moved = connection.rate * step_;
    connection.ahead -= moved;
    connection.bytes -= moved;
    return connection.bytes <= 0;
  }
  static bool Arrives(Connection& connection) {
    const bool arrives = connection.message && (connection.ahead <= 0 || !connection.Present());
    if (arrives) connection.message = false;
    return arrives;
  }

  void Begin(Shard& shard, std::size_t b, std::size_t s) {
    staleness_ += shard.version - bundles_[b].sent[s];
    ++decided_;
    shard.work += request_.figures.push_seconds + request_.figures.update_seconds / request_.shards;
  }

  void Work(Shard& shard) {
    const auto s = static_cast<std::size_t>(&shard - shards_.data());
    if (shard.gradients.empty()) return;
    shard.work -= step_;
    while (shard.work <= 0 && !shard.gradients.empty()) {
      ++shard.version;
      bundles_[shard.gradients.front()].down[s].Tell(piece());
      shard.gradients.pop_front();
      const std::vector<std::size_t> asking = std::exchange(shard.asking, {});
      for (const std::size_t b : asking) Answer(b, s);
      if (shard.gradients.empty()) {
        shard.work = 0;
      } else {
        Begin(shard, shard.gradients.front(), s);
      }
    }
  }

  void Ask(std::size_t b, std::size_t s) {
    if (shards_[s].gradients.empty()) {
      Answer(b, s);
    } else {
      shards_[s].asking.push_back(b);
    }
  }

  void Answer(std::size_t b, std::size_t s) {
    Bundle& bundle = bundles_[b];
    bundle.incoming[s] = shards_[s].version;
    if (bundle.incoming[s] != bundle.latest[s]) {
      bundle.down[s].bytes = slice();
    } else if (--bundle.pull_misses == 0) {
      EndPull(bundle);
    }
  }

  void EndPush(Bundle& bundle) {
    ++pushes_;
    ++bundle.pushes;
    bundle.pushing = bundle.travels = false;
  }

  void EndPull(Bundle& bundle) {
    bundle.latest = bundle.incoming;
    bundle.pulls = false;
    bundle.pulled = true;
    bundle.pull_has = bundle.pull_began;
  }

  // What the bundle's threads do: the learner's, and with overlap the two that push and pull.
  void Live(Bundle& bundle) {
    bundle.wait -= step_;
    Learn(bundle);
    if (request_.overlap) {
      if (bundle.pushing && !bundle.travels && bundle.pushes - bundle.pull_has <= 1) Push(bundle);
      const bool after_push = bundle.pushes - bundle.pull_began >= 1;
      const bool idle = !bundle.pushing && bundle.wanted > 0;
      if (!bundle.pulls && (after_push || idle)) Pull(bundle);
    } else if (bundle.pushing && !bundle.travels) {
      Push(bundle);
    }
  }

  void Learn(Bundle& bundle) {
    switch (bundle.doing) {
      case Doing::kStarts:
        if (bundle.wait > 0) return;
        bundle.doing = Doing::kPulls;
        bundle.pulled = false;
        ++bundle.wanted;
        if (!request_.overlap) Pull(bundle);
        return;
      case Doing::kPulls:
        if (!bundle.pulled || (!request_.overlap && bundle.pulls)) return;
        if (!request_.overlap && bundle.steps >= 1) {
          bundle.steps -= 1;
          return Pull(bundle);
        }
        bundle.steps += request_.steps_per_gradient;
        bundle.used = bundle.latest;
        bundle.wait = request_.figures.gradient_seconds;
        bundle.doing = Doing::kComputes;
        return;
      case Doing::kComputes:
        if (bundle.wait <= 0) bundle.doing = Doing::kOffers;
        return;
      case Doing::kOffers:
        return Offer(bundle);
    }
  }

  void Offer(Bundle& bundle) {
    if (request_.overlap) {
      if (bundle.pushing) return;
      bundle.sent = bundle.used;
      bundle.pushing = true;
      ++bundle.wanted;
      bundle.doing = Doing::kPulls;
      return;
    }
    if (bundle.pushes == bundle.pull_began) {
      if (bundle.pushing) return;
      bundle.sent = bundle.used;
      bundle.pushing = true;
      return;
    }
    bundle.doing = Doing::kPulls;
    Pull(bundle);
  }

  void Push(Bundle& bundle) {
    bundle.travels = true;
    bundle.push_misses = shards_.size();
    for (Connection& connection : bundle.up) connection.bytes = slice();
  }

  void Pull(Bundle& bundle) {
    bundle.pulls = true;
    bundle.wanted = 0;
    bundle.pull_began = bundle.pushes;
    bundle.pull_misses = shards_.size();
    bundle.incoming = bundle.latest;
    for (Connection& connection : bundle.up) connection.Tell(piece());
  }

  const CapacityRequest request_;
  const double step_;
  std::vector<Bundle> bundles_;
  std::vector<Shard> shards_;
  double now_ = 0;
  std::int64_t pushes_ = 0;
  std::int64_t decided_ = 0, staleness_ = 0;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_CAPACITY_REFERENCE_H_
