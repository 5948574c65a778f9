// The parameter server in other processes.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_REMOTE_STORE_H_
#define GORILA_PARAMETER_SERVER_REMOTE_REMOTE_STORE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/parameter_server/exchange_store.h"
#include "gorila/parameter_server/gradient_codec.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/piece_store.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/retry.h"
#include "gorila/v1/parameter_server.pb.h"

namespace gorila {

struct RemoteStoreOptions {
  std::vector<rpc::Endpoint> endpoints;  // one a shard, in the shards' order
  std::optional<rpc::TlsIdentity> tls = {};
  std::string token = {};
  std::uint64_t layout = 0;                                // fingerprint of the parameter layout
  std::size_t parameters = 0;                              // floats in the flat vector
  std::uint64_t client = 0;                                // of this process, drawn at random
  GradientEncoding encoding = GradientEncoding::kFloat32;  // of the gradients sent
  double topk_fraction = 0.01;                             // of the entries that kTopK sends
  std::chrono::milliseconds timeout{10'000};               // of one call
  rpc::RetryPolicy retry = {};                             // how long an absent shard is waited for
  bool shared_memory = true;                               // rpc::ChannelOptions's
  rpc::StopPredicate stop = {};
  std::function<void(std::string_view)> message = {};  // a shard goes away, or is back; any thread
};

// Traffic of all shards together.
struct RemoteStoreTraffic {
  std::int64_t pushes = 0;        // gradients offered, counted once each
  std::int64_t bytes_pushed = 0;  // of gradients, with what was sent again
  std::int64_t bytes_pulled = 0;  // of parameters
  std::int64_t retries = 0;
  double seconds = 0;  // spent in pushes and pulls, over all threads
};

// Its ShardVersions hold the shard's generation and version in one number, for this store only.
//
// A call that fails is tried again: a shard that is away is waited for, and a gradient that was
// decided on is not decided on again. Errors are final: the wait was too long (Unavailable), it was
// stopped (Cancelled), or a shard refused what was asked.
class RemoteParameterStore final : public ParameterStore, public PieceStore, public ExchangeStore {
 public:
  // Waits until every shard answers. InvalidArgument when they are not the shards of this run in
  // this order.
  static StatusOr<std::unique_ptr<RemoteParameterStore>> Connect(const RemoteStoreOptions& options);

  std::size_t size() const override { return options_.parameters; }
  int num_shards() const override { return static_cast<int>(links_.size()); }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override;
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override;
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override;
  StatusOr<ExchangeOutcome> Exchange(std::span<const float> gradient,
                                     const ShardVersions& computed_from, std::span<float> values,
                                     ShardVersions& versions) override;
  // Itself where every shard is reached through memory, so that calls cost more than what they
  // carry; null where the two directions of a link are better used at once.
  ExchangeStore* exchange() { return near_ ? this : nullptr; }
  // As of the last answer of shard 0.
  std::int64_t UpdateCount() const override;

  // For members of groups. A shard of which the pieces have nothing is not asked, and its version
  // is the largest number.
  StatusOr<bool> PullPieces(const Pieces& pieces, std::span<float> local, ShardVersions& versions,
                            bool target) override;
  Status Stage(const GradientPart& part, const Pieces& pieces, std::span<const float> local,
               float factor) override;
  StatusOr<CommitOutcome> Commit(const GradientPart& part, const Pieces& pieces,
                                 std::span<const float> local, const ShardVersions& versions,
                                 std::span<const Pieces> others) override;

  // Each asks once, without a retry. A report has two seconds and is not ended by `stop`: the last
  // one comes after that.
  StatusOr<v1::ReportResponse> Report(v1::ReportRequest report);
  StatusOr<v1::ProgressResponse> GetProgress(std::int64_t first_episode);
  StatusOr<v1::StatusResponse> GetStatus(int shard, std::chrono::milliseconds timeout);

  RemoteStoreTraffic traffic() const;

 private:
  // The last known state of a shard.
  struct Known {
    std::int64_t generation = 0;
    std::int64_t latest_version = 0;
    std::int64_t target_version = -1;
  };

  struct Link {
    Link(int shard_index, const Slice& shard_slice, const rpc::ChannelOptions& channel_options,
         const RemoteStoreOptions& options)
        : index(shard_index),
          slice(shard_slice),
          channel(channel_options),
          encoder(options.encoding, options.topk_fraction, shard_slice.size()) {}

    const int index;
    const Slice slice;
    rpc::Channel channel;
    std::atomic<bool> away{false};
    mutable Mutex mutex;
    Known known GORILA_GUARDED_BY(mutex);
    // Its residual belongs to all gradients of this process, whichever thread sends them.
    Mutex encoder_mutex;
    GradientEncoder encoder GORILA_GUARDED_BY(encoder_mutex);
  };

  explicit RemoteParameterStore(const RemoteStoreOptions& options) : options_(options) {}

  // Where parameters go that the shards send.
  struct Arrivals {
    std::span<float> values;
    ShardVersions& versions;
    std::vector<char> received = {};  // whether a shard's present call brought any
    bool changed = false;
  };
  using FindPulled = StatusOr<v1::PullResponse> (*)(const std::string& header);

  StatusOr<bool> PullInto(std::span<float> values, ShardVersions& versions, bool target);
  // With `arrivals` each shard answers with its parameters.
  StatusOr<PushOutcome> PushAll(std::span<const float> gradient, const ShardVersions& versions,
                                Arrivals* arrivals);
  // Lets `call` bring the slice's parameters; `find` finds in its response's header what they are.
  void Expect(Link& link, FindPulled find, Arrivals& arrivals, rpc::CallOptions& call);
  Status Arrive(Link& link, const v1::PullResponse& response, Arrivals& arrivals);
  StatusOr<CommitOutcome> PushParts(const GradientPart& part, const Pieces& pieces,
                                    std::span<const float> local, float factor,
                                    const ShardVersions& versions, std::span<const Pieces> others);
  static Status CountVerdict(v1::PushResponse::Verdict verdict, PushOutcome& outcome);
  // Whether `version` (packed) is the shard's present target copy, as far as is known.
  static bool IsPresentTarget(const Link& link, std::int64_t version);
  static v1::PullRequest AskFor(const Link& link, std::int64_t version, bool target);
  v1::PushRequest Offer(const Link& link, std::int64_t sequence, std::int64_t version) const;
  // Both note the versions that the answer tells. TakePull gives the one that is had now, where
  // `version` was before and parameters were received or not.
  static StatusOr<std::int64_t> TakePull(Link& link, const v1::PullResponse& response,
                                         bool received, std::int64_t version);
  static StatusOr<v1::PushResponse> TakePush(Link& link, const std::string& header);
  Status Introduce(Link& link);
  // Unavailable when `generation` is older than one that was seen; otherwise it is the one seen.
  static Status Accept(Link& link, std::int64_t generation);
  static Known Look(const Link& link);
  std::shared_ptr<const rpc::Payload> Encode(Link& link, std::span<const float> gradient) const;

  using MakeCall = std::function<rpc::CallOptions(Link&)>;
  using TakeAnswer = std::function<Status(Link&, const std::string& header)>;
  // One call to each of `links` at once, each tried again as often as it takes.
  Status CallAll(const std::vector<Link*>& links, const MakeCall& make, const TakeAnswer& take);
  Status TryAgain(Link& link, Status failure, const MakeCall& make, const TakeAnswer& take);
  void SayAway(Link& link, const Status& failure);

  const RemoteStoreOptions options_;
  std::vector<std::unique_ptr<Link>> links_;  // constant after Connect
  bool near_ = false;                         // the same
  std::atomic<std::int64_t> sequence_{0};
  std::atomic<std::int64_t> parts_{0};  // of gradients, that were sent as members
  std::atomic<std::int64_t> bytes_pushed_{0};
  std::atomic<std::int64_t> bytes_pulled_{0};
  std::atomic<std::int64_t> retries_{0};
  std::atomic<std::int64_t> nanoseconds_{0};  // in CallAll
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_REMOTE_STORE_H_
