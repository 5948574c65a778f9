#include "gorila/simulation/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>

#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/rpc/admission.h"
#include "gorila/rpc/refusal.h"
#include "gorila/simulation/draws.h"

namespace gorila::simulation {
namespace {

using std::chrono::milliseconds;

enum Purpose : std::uint64_t {
  kRequestLeg = 1,
  kAnswerLeg,
  kBroken,
  kLost,
  kWhen,
  kCode,
  kSilence
};

// A connection over a link that is cut is noticed by its pings, and found broken at once after.
constexpr milliseconds kNoticed{3'000};

// What gRPC makes of a stream that is cut: it depends on when.
Status BrokenConnection(double draw) {
  constexpr std::array kCodes = {absl::StatusCode::kUnavailable, absl::StatusCode::kInternal,
                                 absl::StatusCode::kUnknown, absl::StatusCode::kCancelled};
  return Status(kCodes[static_cast<std::size_t>(draw * kCodes.size())],
                "simulated: the connection broke");
}

}  // namespace

// What the calls of one channel have in common.
struct SimulatedLink {
  SimulatedNetwork& network;
  SimulatedNetwork::Address& address;
  const std::string token, layout;
};

// A call under way, shared by its caller and by what happens to it.
class SimulatedCall {
 public:
  SimulatedCall(std::shared_ptr<const SimulatedLink> of, rpc::CallOptions options)
      : link(std::move(of)),
        number(link->network.next_call_++),
        client(link->network.scheduler_.current_process()),
        machine(link->network.scheduler_.MachineOf(client)),
        call(std::move(options)) {
    if (call.payload != nullptr) payload = rpc::CopyToPayload(call.payload->bytes());
  }

  // Once; later outcomes are those of a call that has ended already.
  void End(Scheduler& scheduler, Status outcome) {
    if (ended) return;
    if (receiving) {  // the caller's memory is in use until that is over
      if (!ends_with.has_value()) ends_with = std::move(outcome);
      return;
    }
    ended = true;
    status = std::move(outcome);
    scheduler.Cancel(deadline_event);
    scheduler.Wake(this, /*all=*/true);
  }

  const std::shared_ptr<const SimulatedLink> link;
  const std::uint64_t number;
  const ProcessId client;
  const int machine;
  const rpc::CallOptions call;
  std::shared_ptr<const rpc::Payload> payload;  // a copy: the caller's may change after a failure
  SteadyTime deadline{};
  Scheduler::EventId deadline_event;
  int server_machine = -1;              // where it arrived
  const rpc::Method* method = nullptr;  // once it is admitted
  rpc::Response response;               // once it was handled
  bool receiving = false;
  std::optional<Status> ends_with;  // what came while it was receiving
  bool ended = false;
  Status status;
  std::string header;  // of the response, for the caller
};

// Serves with as many threads as it has workers; calls beyond wait in order.
class SimulatedServer final : public rpc::Server {
 public:
  SimulatedServer(SimulatedNetwork& network, const rpc::ServerOptions& options,
                  std::vector<rpc::Method> methods)
      : network_(network),
        options_(options),
        process_(network.scheduler_.current_process()),
        address_(network.addresses_[rpc::ToString(options_.listen)]),
        admission_(options_, std::move(methods)) {
    address_.push_back(this);
  }
  ~SimulatedServer() override { Stop(milliseconds(0)); }

  const rpc::Endpoint& endpoint() const override { return options_.listen; }
  rpc::ServerTraffic traffic() const override { return traffic_; }
  const rpc::RefusalCounters& refusals() const override { return refusals_; }

  void Stop(milliseconds) override {
    if (std::exchange(stopped_, true)) return;
    std::erase(address_, this);
    for (const auto& call : std::exchange(queue_, {})) {
      network_.FailAfter(call, milliseconds(1), Unavailable("simulated: the server stopped"));
    }
    while (busy_ > 0) network_.scheduler_.Block(this, SteadyTime::max());
  }

  // After all that it was told to do before.
  void WorkFor(double seconds) {
    done_at_ = std::max(done_at_, SteadyNow()) + Seconds(seconds);
    SleepUntil(done_at_);
  }

  bool listening() const { return !stopped_ && network_.scheduler_.IsAlive(process_); }
  ProcessId process() const { return process_; }

  void Take(const std::shared_ptr<SimulatedCall>& call) {
    if (busy_ >= options_.workers) {
      queue_.push_back(call);
      return;
    }
    ++busy_;
    network_.scheduler_.Spawn(process_, "server", [this, call] { Work(call); });
  }

 private:
  friend class SimulatedNetwork;

  void Work(std::shared_ptr<SimulatedCall> call) {
    for (;;) {
      network_.Handle(*this, call);
      if (queue_.empty()) break;
      call = std::move(queue_.front());
      queue_.pop_front();
    }
    --busy_;
    network_.scheduler_.Wake(this, /*all=*/true);
  }

  SimulatedNetwork& network_;
  const rpc::ServerOptions options_;
  const ProcessId process_;
  SimulatedNetwork::Address& address_;
  rpc::Admission admission_;
  rpc::RefusalCounters refusals_;
  rpc::ServerTraffic traffic_;
  std::deque<std::shared_ptr<SimulatedCall>> queue_;
  int busy_ = 0;
  bool stopped_ = false;
  SteadyTime done_at_{};
};

namespace {

class CallHandle final : public rpc::Call {
 public:
  CallHandle(Scheduler& scheduler, std::shared_ptr<SimulatedCall> call)
      : scheduler_(scheduler), call_(std::move(call)) {}

  StatusOr<std::string> Wait(const rpc::StopPredicate& stop) override {
    constexpr milliseconds kLook{50};
    bool stopped = false;
    while (!call_->ended) {
      const bool look = stop && !stopped;
      scheduler_.Block(call_.get(), look ? SteadyNow() + kLook : SteadyTime::max());
      if (!look || call_->ended || !stop()) continue;
      stopped = true;
      Cancel();
    }
    if (!call_->status.ok() && stopped) return absl::CancelledError("stopped during a call");
    if (!call_->status.ok()) return call_->status;
    return std::move(call_->header);
  }
  bool done() const override { return call_->ended; }
  void Cancel() override { call_->End(scheduler_, absl::CancelledError("simulated: cancelled")); }

 private:
  Scheduler& scheduler_;
  const std::shared_ptr<SimulatedCall> call_;
};

}  // namespace

class SimulatedCaller final : public rpc::Caller {
 public:
  explicit SimulatedCaller(std::shared_ptr<const SimulatedLink> link) : link_(std::move(link)) {}

  std::unique_ptr<rpc::Call> Start(rpc::CallOptions options) override {
    auto call = std::make_shared<SimulatedCall>(link_, std::move(options));
    link_->network.Send(call);
    return std::make_unique<CallHandle>(link_->network.scheduler_, std::move(call));
  }
  bool SharesMemory() const override { return link_->network.options_.near; }

 private:
  const std::shared_ptr<const SimulatedLink> link_;
};

SimulatedNetwork::SimulatedNetwork(Scheduler& scheduler, const NetworkOptions& options,
                                   CallObserver* observer)
    : scheduler_(scheduler), options_(options), observer_(observer) {
  rpc::simulated_network = this;
}

SimulatedNetwork::~SimulatedNetwork() { rpc::simulated_network = nullptr; }

std::unique_ptr<rpc::Caller> SimulatedNetwork::Connect(const rpc::ChannelOptions& options) {
  const rpc::RunIdentity& identity = options.identity;
  return std::make_unique<SimulatedCaller>(std::make_shared<const SimulatedLink>(SimulatedLink{
      .network = *this,
      .address = addresses_[rpc::ToString(options.endpoint)],
      .token = identity.token,
      .layout = identity.layout.has_value() ? rpc::LayoutText(*identity.layout) : ""}));
}

StatusOr<std::unique_ptr<rpc::Server>> SimulatedNetwork::Listen(const rpc::ServerOptions& options,
                                                                std::vector<rpc::Method> methods) {
  return std::make_unique<SimulatedServer>(*this, options, std::move(methods));
}

void SimulatedNetwork::Cut(int from, int to) { cuts_.insert({from, to}); }
void SimulatedNetwork::Mend(int from, int to) { cuts_.erase({from, to}); }
void SimulatedNetwork::MendAll() { cuts_.clear(); }

void SimulatedNetwork::Heal() {
  options_.broken = 0;
  options_.lost = 0;
  astray_until_.clear();
}

Duration SimulatedNetwork::Latency(const SimulatedCall& call, std::uint64_t leg,
                                   std::size_t bytes) const {
  const double unit = Chance(call, leg);
  // A tail: one in a thousand takes some 30 times the median.
  const double factor = 0.5 * std::pow(1 - unit, -0.6) + 0.25;
  return Seconds(options_.latency * factor +
                 static_cast<double>(bytes) / options_.bytes_per_second);
}

double SimulatedNetwork::Chance(const SimulatedCall& call, std::uint64_t purpose) const {
  return UnitOf(DrawBits({options_.seed, purpose, call.number}));
}

void SimulatedNetwork::FailAfter(const std::shared_ptr<SimulatedCall>& call, Duration time,
                                 Status status) {
  scheduler_.At(scheduler_.Now() + time, [this, call, status = std::move(status)]() mutable {
    call->End(scheduler_, std::move(status));
  });
}

// What travels is the time that is left, so that wrong clocks do no harm.
WallTime SimulatedNetwork::DeadlineHere(const SimulatedCall& call) {
  return scheduler_.WallNow() +
         std::chrono::duration_cast<WallTime::duration>(call.deadline - scheduler_.Now());
}

// The connection's pings are not answered either, unless the deadline comes first.
void SimulatedNetwork::NothingHeard(const std::shared_ptr<SimulatedCall>& call) {
  FailAfter(call, kNoticed + Seconds(Chance(*call, kSilence)),
            Unavailable("simulated: keepalive watchdog timeout"));
}

void SimulatedNetwork::Send(const std::shared_ptr<SimulatedCall>& call) {
  ++counters_.calls;
  call->deadline = scheduler_.Now() + call->call.timeout;
  call->deadline_event = scheduler_.At(call->deadline, [this, call] {
    call->End(scheduler_, absl::DeadlineExceededError("simulated: deadline exceeded"));
  });
  const std::size_t bytes = call->payload == nullptr ? 0 : call->payload->size();
  const Duration travel = Latency(*call, kRequestLeg, bytes);
  const bool before_work = Chance(*call, kWhen) < 0.5;
  if (Chance(*call, kLost) < options_.lost && before_work) {
    ++counters_.lost_before;  // until the deadline
    return;
  }
  if (Chance(*call, kBroken) < options_.broken && before_work) {
    ++counters_.broken_before;
    return FailAfter(call, travel, BrokenConnection(Chance(*call, kCode)));
  }
  scheduler_.At(scheduler_.Now() + travel, [this, call] { Arrive(call); });
}

SimulatedServer* SimulatedNetwork::Find(const Address& address, int from_machine) {
  const auto listens = [](const SimulatedServer* server) { return server->listening(); };
  const auto newest = std::find_if(address.rbegin(), address.rend(), listens);
  if (newest == address.rend()) return nullptr;
  if (astray_until_.empty()) return *newest;
  const auto astray = astray_until_.find(from_machine);
  if (astray == astray_until_.end() || astray->second < scheduler_.Now()) return *newest;
  SimulatedServer* const oldest = *std::find_if(address.begin(), address.end(), listens);
  if (oldest != *newest) ++counters_.led_astray;
  return oldest;
}

void SimulatedNetwork::Arrive(const std::shared_ptr<SimulatedCall>& call) {
  SimulatedServer* const server = Find(call->link->address, call->machine);
  if (server == nullptr) {
    ++counters_.unreachable;
    return FailAfter(call, Seconds(options_.latency), Unavailable("simulated: connection refused"));
  }
  call->server_machine = scheduler_.MachineOf(server->process());
  if (IsCut(call->machine, call->server_machine)) {
    ++counters_.cut;
    return NothingHeard(call);
  }
  server->traffic_.calls += 1;
  const StatusOr<const rpc::Method*> method =
      server->admission_.Admit({.method = call->call.method,
                                .token = call->link->token,
                                .layout = call->link->layout,
                                .deadline = DeadlineHere(*call)});
  if (!method.ok()) {
    ++counters_.refused;
    if (const auto why = rpc::RefusalOf(method.status())) server->refusals_.Count(*why);
    return FailAfter(call, Latency(*call, kAnswerLeg, 0), method.status());
  }
  call->method = *method;
  server->Take(call);
}

// In a thread of the server.
void SimulatedNetwork::Handle(SimulatedServer& server, const std::shared_ptr<SimulatedCall>& call) {
  if (call->ended) ++counters_.late;
  if (options_.update > 0 && call->call.method == kPushMethod) server.WorkFor(options_.update);
  const std::span<const std::byte> payload =
      call->payload == nullptr ? std::span<const std::byte>() : call->payload->bytes();
  StatusOr<rpc::Response> response =
      call->method->handle({.header = call->call.header,
                            .payload = payload,
                            .peer = "simulated",
                            .role = {},
                            .deadline = DeadlineHere(*call),
                            .cancelled = [&call = *call] { return call.ended; }});
  ++counters_.handled;
  if (observer_ != nullptr) {
    observer_->Handled(server.process(), call->client, call->call,
                       response.ok() ? &*response : nullptr);
  }
  server.admission_.Release();
  if (const auto why = rpc::RefusalOf(response.status())) server.refusals_.Count(*why);
  Answer(server, call, std::move(response));
}

void SimulatedNetwork::Answer(SimulatedServer& server, const std::shared_ptr<SimulatedCall>& call,
                              StatusOr<rpc::Response> response) {
  if (Chance(*call, kLost) < options_.lost) {
    ++counters_.lost_after;
    return;
  }
  const Duration travel =
      Latency(*call, kAnswerLeg,
              response.ok() && response->payload != nullptr ? response->payload->size() : 0);
  if (Chance(*call, kBroken) < options_.broken) {
    ++counters_.broken_after;
    return FailAfter(call, travel, BrokenConnection(Chance(*call, kCode)));
  }
  if (IsCut(scheduler_.MachineOf(server.process()), call->machine)) {
    ++counters_.cut;
    return NothingHeard(call);
  }
  if (!response.ok()) return FailAfter(call, travel, response.status());
  call->response = *std::move(response);
  scheduler_.At(scheduler_.Now() + travel, [this, call] { Receive(call); });
}

// Where the response's payload goes is decided in a thread of the caller's process.
void SimulatedNetwork::Receive(const std::shared_ptr<SimulatedCall>& call) {
  if (call->ended) return;
  if (call->response.payload == nullptr) {
    call->header = std::move(call->response.header);
    return call->End(scheduler_, OkStatus());
  }
  scheduler_.Spawn(call->client, "response", [this, call] { TakePayload(*call); });
}

void SimulatedNetwork::TakePayload(SimulatedCall& call) {
  if (call.ended) return;
  const rpc::Payload& payload = *call.response.payload;
  call.receiving = true;
  const auto place = call.call.sink(call.response.header, payload.size());
  call.receiving = false;
  if (call.ends_with.has_value()) return call.End(scheduler_, *call.ends_with);
  if (!place.ok()) return call.End(scheduler_, place.status());
  std::memcpy(place->data(), payload.bytes().data(), place->size());
  call.header = std::move(call.response.header);
  call.End(scheduler_, OkStatus());
}

}  // namespace gorila::simulation
