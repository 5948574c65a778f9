#include "gorila/parameter_server/remote/remote_store.h"

#include <algorithm>
#include <utility>

#include "gorila/base/runtime.h"
#include "gorila/parameter_server/remote/packed_version.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/rpc/call_threads.h"
#include "gorila/rpc/payload.h"
#include "gorila/rpc/role_status.h"

namespace gorila {
namespace {

// Short, because it is not given up when the process is stopped: the last report comes after that.
constexpr std::chrono::milliseconds kReportTimeout{2000};

Status CheckSizes(std::size_t values, std::size_t size, std::size_t versions, std::size_t shards) {
  if (values == size && versions == shards) return OkStatus();
  return InvalidArgument(
      "parameter store: given {} values and {} versions, expected {} values and {} versions",
      values, versions, size, shards);
}

std::string NameOf(int shard, const rpc::Endpoint& endpoint) {
  return fmt::format("parameter shard {} at {}", shard, rpc::ToString(endpoint));
}

v1::PushRequest::Encoding ToProto(GradientEncoding encoding) {
  switch (encoding) {
    case GradientEncoding::kFloat32:
      return v1::PushRequest::FLOAT32;
    case GradientEncoding::kBf16:
      return v1::PushRequest::BF16;
    case GradientEncoding::kTopK:
      return v1::PushRequest::TOP_K;
  }
  return v1::PushRequest::FLOAT32;
}

// What a gradient's answer says of the parameters that come with it.
StatusOr<v1::PullResponse> PulledWith(const v1::PushResponse& response) {
  if (response.has_pulled()) return response.pulled();
  return DataLoss("the answer to a gradient lacks the parameters that were asked for");
}

StatusOr<v1::PullResponse> PulledIn(const std::string& header) {
  GORILA_ASSIGN_OR_RETURN(const auto response,
                          rpc::Channel::ParseResponse<v1::PushResponse>(header));
  return PulledWith(response);
}

}  // namespace

StatusOr<std::unique_ptr<RemoteParameterStore>> RemoteParameterStore::Connect(
    const RemoteStoreOptions& options) {
  GORILA_RETURN_IF_ERROR(rpc::CheckCallThreads());
  std::unique_ptr<RemoteParameterStore> store(new RemoteParameterStore(options));
  const int shards = static_cast<int>(options.endpoints.size());
  GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                          MakePartition(options.parameters, shards));
  for (int i = 0; i < shards; ++i) {
    const auto k = static_cast<std::size_t>(i);
    store->links_.push_back(std::make_unique<Link>(
        i, partition[k],
        rpc::ChannelOptions{.endpoint = options.endpoints[k],
                            .role = kParameterServerRole,
                            .tls = options.tls,
                            .identity = {.token = options.token, .layout = options.layout},
                            .shared_memory = options.shared_memory},
        options));
  }
  for (const std::unique_ptr<Link>& link : store->links_) {
    GORILA_RETURN_IF_ERROR(store->Introduce(*link));
  }
  store->near_ = std::all_of(store->links_.begin(), store->links_.end(),
                             [](const auto& link) { return link->channel.SharesMemory(); });
  return store;
}

Status RemoteParameterStore::Introduce(Link& link) {
  const auto make = [this](Link& asked) {
    v1::DescribeRequest request;
    request.set_seen_generation(Look(asked).generation);
    return rpc::CallOptions{.method = kDescribeMethod,
                            .header = request.SerializeAsString(),
                            .timeout = options_.timeout};
  };
  const auto take = [this](Link& asked, const std::string& header) -> Status {
    GORILA_ASSIGN_OR_RETURN(const auto place,
                            rpc::Channel::ParseResponse<v1::ShardDescription>(header));
    const bool expected = place.shard() == asked.index && place.shards() == num_shards() &&
                          place.parameters() == size() && place.begin() == asked.slice.begin &&
                          place.end() == asked.slice.end;
    if (!expected) {
      return InvalidArgument(
          "{} says it is shard {} of {} with parameters {}..{}; expected shard "
          "{} of {} with {}..{}",
          rpc::ToString(asked.channel.endpoint()), place.shard(), place.shards(), place.begin(),
          place.end(), asked.index, num_shards(), asked.slice.begin, asked.slice.end);
    }
    GORILA_RETURN_IF_ERROR(Accept(asked, place.generation()));
    const MutexLock lock(asked.mutex);
    asked.known.latest_version = place.version();
    return OkStatus();
  };
  return CallAll({&link}, make, take);
}

Status RemoteParameterStore::Accept(Link& link, std::int64_t generation) {
  {
    const MutexLock lock(link.mutex);
    if (generation < link.known.generation) {
      return Unavailable("{} answered as generation {}; generation {} was seen",
                         NameOf(link.index, link.channel.endpoint()), generation,
                         link.known.generation);
    }
    if (generation == link.known.generation) return OkStatus();
    link.known = {.generation = generation, .latest_version = 0, .target_version = -1};
  }
  // What gradients of the former parameters left out is as stale as they are.
  const MutexLock lock(link.encoder_mutex);
  link.encoder.Forget();
  return OkStatus();
}

RemoteParameterStore::Known RemoteParameterStore::Look(const Link& link) {
  const MutexLock lock(link.mutex);
  return link.known;
}

Status RemoteParameterStore::CallAll(const std::vector<Link*>& links, const MakeCall& make,
                                     const TakeAnswer& take) {
  const auto started = SteadyNow();
  std::vector<rpc::PendingCall> calls;
  calls.reserve(links.size());
  for (Link* const link : links) calls.push_back(link->channel.Start(make(*link)));
  for (std::size_t i = 0; i < links.size(); ++i) {
    const StatusOr<std::string> header = calls[i].Wait(options_.stop);
    Status status = header.ok() ? take(*links[i], *header) : header.status();
    if (!status.ok()) status = TryAgain(*links[i], std::move(status), make, take);
    GORILA_RETURN_IF_ERROR(status);
  }
  const std::chrono::nanoseconds taken = SteadyNow() - started;
  nanoseconds_.fetch_add(taken.count(), std::memory_order_relaxed);
  return OkStatus();
}

// `failure` is what came of the first try.
Status RemoteParameterStore::TryAgain(Link& link, Status failure, const MakeCall& make,
                                      const TakeAnswer& take) {
  bool first = true;
  const auto attempt = [&]() -> Status {
    if (std::exchange(first, false)) return std::move(failure);
    retries_.fetch_add(1, std::memory_order_relaxed);
    GORILA_ASSIGN_OR_RETURN(const std::string header, link.channel.Call(make(link), options_.stop));
    return take(link, header);
  };
  const Status status = rpc::Retry(options_.retry, options_.stop, attempt,
                                   [&](const Status& error) { SayAway(link, error); });
  if (!status.ok()) return Annotate(status, NameOf(link.index, link.channel.endpoint()));
  if (link.away.exchange(false) && options_.message) {
    options_.message(fmt::format("{} is back, generation {}",
                                 NameOf(link.index, link.channel.endpoint()),
                                 Look(link).generation));
  }
  return OkStatus();
}

void RemoteParameterStore::SayAway(Link& link, const Status& failure) {
  if (link.away.exchange(true) || !options_.message) return;
  options_.message(fmt::format("waiting for {}: {}", NameOf(link.index, link.channel.endpoint()),
                               std::string(failure.message())));
}

StatusOr<bool> RemoteParameterStore::Pull(std::span<float> values, ShardVersions& versions) {
  return PullInto(values, versions, /*target=*/false);
}

StatusOr<bool> RemoteParameterStore::PullTarget(std::span<float> values, ShardVersions& versions) {
  return PullInto(values, versions, /*target=*/true);
}

StatusOr<bool> RemoteParameterStore::PullInto(std::span<float> values, ShardVersions& versions,
                                              bool target) {
  GORILA_RETURN_IF_ERROR(CheckSizes(values.size(), size(), versions.size(), links_.size()));
  Arrivals arrivals{.values = values, .versions = versions};
  std::vector<Link*> asked;
  for (const std::unique_ptr<Link>& link : links_) {
    const std::int64_t have = versions[static_cast<std::size_t>(link->index)];
    if (!target || !IsPresentTarget(*link, have)) asked.push_back(link.get());
  }
  const FindPulled find = &rpc::Channel::ParseResponse<v1::PullResponse>;
  const auto make = [&](Link& link) {
    const std::int64_t have = versions[static_cast<std::size_t>(link.index)];
    rpc::CallOptions call{.method = kPullMethod,
                          .header = AskFor(link, have, target).SerializeAsString(),
                          .timeout = options_.timeout};
    Expect(link, find, arrivals, call);
    return call;
  };
  const auto take = [&](Link& link, const std::string& header) -> Status {
    GORILA_ASSIGN_OR_RETURN(const auto response, find(header));
    return Arrive(link, response, arrivals);
  };
  GORILA_RETURN_IF_ERROR(CallAll(asked, make, take));
  return arrivals.changed;
}

void RemoteParameterStore::Expect(Link& link, FindPulled find, Arrivals& arrivals,
                                  rpc::CallOptions& call) {
  arrivals.received.resize(links_.size());
  arrivals.received[static_cast<std::size_t>(link.index)] = 0;
  call.expected_bytes = link.slice.size() * sizeof(float);
  call.sink = [&link, find, &arrivals](std::string_view header,
                                       std::uint64_t bytes) -> StatusOr<std::span<std::byte>> {
    GORILA_ASSIGN_OR_RETURN(const auto response, find(std::string(header)));
    // Before the first byte: what an older generation has must not overwrite anything.
    GORILA_RETURN_IF_ERROR(Accept(link, response.generation()));
    const auto slice =
        std::as_writable_bytes(arrivals.values.subspan(link.slice.begin, link.slice.size()));
    if (bytes != slice.size()) {
      return DataLoss("a slice of {} bytes; expected {}", bytes, slice.size());
    }
    arrivals.received[static_cast<std::size_t>(link.index)] = 1;
    return slice;
  };
}

Status RemoteParameterStore::Arrive(Link& link, const v1::PullResponse& response,
                                    Arrivals& arrivals) {
  const auto i = static_cast<std::size_t>(link.index);
  const bool received = arrivals.received[i] != 0;
  GORILA_ASSIGN_OR_RETURN(arrivals.versions[i],
                          TakePull(link, response, received, arrivals.versions[i]));
  if (!received) return OkStatus();
  arrivals.changed = true;
  bytes_pulled_.fetch_add(static_cast<std::int64_t>(link.slice.size() * sizeof(float)),
                          std::memory_order_relaxed);
  return OkStatus();
}

// Target copies change seldom, and every answer tells which one is present.
bool RemoteParameterStore::IsPresentTarget(const Link& link, std::int64_t version) {
  const Known known = Look(link);
  const GenerationVersion have = UnpackVersion(version);
  return have.generation == known.generation && have.version == known.target_version;
}

v1::PullRequest RemoteParameterStore::AskFor(const Link& link, std::int64_t version, bool target) {
  const GenerationVersion have = UnpackVersion(version);
  v1::PullRequest request;
  request.set_seen_generation(Look(link).generation);
  request.set_have_generation(have.generation);
  request.set_have_version(have.version);
  request.set_target(target);
  return request;
}

StatusOr<std::int64_t> RemoteParameterStore::TakePull(Link& link, const v1::PullResponse& response,
                                                      bool received, std::int64_t version) {
  GORILA_RETURN_IF_ERROR(Accept(link, response.generation()));
  GORILA_ASSIGN_OR_RETURN(const std::int64_t now,
                          PackVersion(response.generation(), response.version()));
  if (!received && now != version) {
    return DataLoss("{} sent no parameters", NameOf(link.index, link.channel.endpoint()));
  }
  const MutexLock lock(link.mutex);
  if (link.known.generation == response.generation()) {
    link.known.latest_version = std::max(link.known.latest_version, response.latest_version());
    link.known.target_version = std::max(link.known.target_version, response.target_version());
  }
  return now;
}

StatusOr<v1::PushResponse> RemoteParameterStore::TakePush(Link& link, const std::string& header) {
  GORILA_ASSIGN_OR_RETURN(auto response, rpc::Channel::ParseResponse<v1::PushResponse>(header));
  GORILA_RETURN_IF_ERROR(Accept(link, response.generation()));
  const MutexLock lock(link.mutex);
  if (link.known.generation == response.generation()) {
    link.known.latest_version = std::max(link.known.latest_version, response.version());
  }
  return response;
}

// Borrowed, or a copy: what the transport still holds of a call that failed must not be the
// caller's.
std::shared_ptr<const rpc::Payload> RemoteParameterStore::Encode(
    Link& link, std::span<const float> gradient) const {
  if (options_.encoding == GradientEncoding::kFloat32) return rpc::Payload::Borrow(gradient);
  std::vector<std::byte> bytes;
  {
    const MutexLock lock(link.encoder_mutex);
    link.encoder.Encode(gradient, bytes);
  }
  return rpc::CopyToPayload(std::span<const std::byte>(bytes));
}

StatusOr<PushOutcome> RemoteParameterStore::Push(std::span<const float> gradient,
                                                 const ShardVersions& versions) {
  return PushAll(gradient, versions, nullptr);
}

StatusOr<ExchangeOutcome> RemoteParameterStore::Exchange(std::span<const float> gradient,
                                                         const ShardVersions& computed_from,
                                                         std::span<float> values,
                                                         ShardVersions& versions) {
  GORILA_RETURN_IF_ERROR(CheckSizes(values.size(), size(), versions.size(), links_.size()));
  Arrivals arrivals{.values = values, .versions = versions};
  GORILA_ASSIGN_OR_RETURN(const PushOutcome slices, PushAll(gradient, computed_from, &arrivals));
  return ExchangeOutcome{.slices = slices, .changed = arrivals.changed};
}

StatusOr<PushOutcome> RemoteParameterStore::PushAll(std::span<const float> gradient,
                                                    const ShardVersions& versions,
                                                    Arrivals* arrivals) {
  GORILA_RETURN_IF_ERROR(CheckSizes(gradient.size(), size(), versions.size(), links_.size()));
  const bool pulled = std::all_of(versions.begin(), versions.end(), [](auto v) { return v >= 0; });
  if (!pulled)
    return InvalidArgument("a gradient without parameters; expected a pull before the first push");
  const std::int64_t sequence = sequence_.fetch_add(1) + 1;
  std::vector<Link*> all;
  // Encoded once, whatever is sent again.
  std::vector<std::shared_ptr<const rpc::Payload>> payloads;
  for (const std::unique_ptr<Link>& link : links_) {
    all.push_back(link.get());
    payloads.push_back(Encode(*link, gradient.subspan(link->slice.begin, link->slice.size())));
  }
  const auto make = [&](Link& link) {
    const auto i = static_cast<std::size_t>(link.index);
    v1::PushRequest request = Offer(link, sequence, versions[i]);
    if (arrivals != nullptr) {
      *request.mutable_then() = AskFor(link, arrivals->versions[i], /*target=*/false);
    }
    bytes_pushed_.fetch_add(static_cast<std::int64_t>(payloads[i]->size()),
                            std::memory_order_relaxed);
    rpc::CallOptions call{.method = kPushMethod,
                          .header = request.SerializeAsString(),
                          .payload = payloads[i],
                          .timeout = options_.timeout};
    if (arrivals != nullptr) Expect(link, &PulledIn, *arrivals, call);
    return call;
  };
  PushOutcome outcome;
  const auto take = [&](Link& link, const std::string& header) -> Status {
    GORILA_ASSIGN_OR_RETURN(const auto response, TakePush(link, header));
    // First, because a failure is tried again, and a verdict counts once.
    if (arrivals != nullptr) {
      GORILA_ASSIGN_OR_RETURN(const auto with, PulledWith(response));
      GORILA_RETURN_IF_ERROR(Arrive(link, with, *arrivals));
    }
    if (response.verdict() != v1::PushResponse::ACCEPTED) {
      const MutexLock lock(link.encoder_mutex);
      link.encoder.Forget();
    }
    return CountVerdict(response.verdict(), outcome);
  };
  GORILA_RETURN_IF_ERROR(CallAll(all, make, take));
  return outcome;
}

v1::PushRequest RemoteParameterStore::Offer(const Link& link, std::int64_t sequence,
                                            std::int64_t version) const {
  const GenerationVersion computed = UnpackVersion(version);
  v1::PushRequest request;
  request.set_seen_generation(Look(link).generation);
  request.set_client(options_.client);
  request.set_sequence(sequence);
  request.set_computed_generation(computed.generation);
  request.set_computed_version(computed.version);
  request.set_encoding(ToProto(options_.encoding));
  return request;
}

Status RemoteParameterStore::CountVerdict(v1::PushResponse::Verdict verdict, PushOutcome& outcome) {
  switch (verdict) {
    case v1::PushResponse::ACCEPTED:
      ++outcome.accepted;
      return OkStatus();
    case v1::PushResponse::STALE:
      ++outcome.stale;
      return OkStatus();
    case v1::PushResponse::INVALID:
      ++outcome.invalid;
      return OkStatus();
    default:
      return DataLoss("a shard answered a gradient with verdict {}", static_cast<int>(verdict));
  }
}

std::int64_t RemoteParameterStore::UpdateCount() const {
  return Look(*links_.front()).latest_version;
}

StatusOr<v1::ReportResponse> RemoteParameterStore::Report(v1::ReportRequest report) {
  Link& link = *links_.front();
  report.set_seen_generation(Look(link).generation);
  report.set_client(options_.client);
  GORILA_ASSIGN_OR_RETURN(auto response, link.channel.CallProto<v1::ReportResponse>(
                                             kReportMethod, report, kReportTimeout));
  GORILA_RETURN_IF_ERROR(Accept(link, response.generation()));
  return response;
}

StatusOr<v1::ProgressResponse> RemoteParameterStore::GetProgress(std::int64_t first_episode) {
  Link& link = *links_.front();
  v1::ProgressRequest request;
  request.set_seen_generation(Look(link).generation);
  request.set_first_episode(first_episode);
  GORILA_ASSIGN_OR_RETURN(
      auto response, link.channel.CallProto<v1::ProgressResponse>(kProgressMethod, request,
                                                                  options_.timeout, options_.stop));
  GORILA_RETURN_IF_ERROR(Accept(link, response.generation()));
  return response;
}

StatusOr<v1::StatusResponse> RemoteParameterStore::GetStatus(int shard,
                                                             std::chrono::milliseconds timeout) {
  return rpc::AskStatus(links_[static_cast<std::size_t>(shard)]->channel, timeout, options_.stop);
}

RemoteStoreTraffic RemoteParameterStore::traffic() const {
  return {.pushes = sequence_.load() + parts_.load(),
          .bytes_pushed = bytes_pushed_.load(),
          .bytes_pulled = bytes_pulled_.load(),
          .retries = retries_.load(),
          .seconds = static_cast<double>(nanoseconds_.load()) * 1e-9};
}

}  // namespace gorila
