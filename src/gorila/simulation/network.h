// Calls between simulated processes: latency, cut links, broken connections, answers that are lost,
// addresses that lead to an old process for a while. Admission and the handlers are the real ones.
#ifndef GORILA_SIMULATION_NETWORK_H_
#define GORILA_SIMULATION_NETWORK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gorila/rpc/network.h"
#include "gorila/simulation/scheduler.h"

namespace gorila::simulation {

struct NetworkOptions {
  std::uint64_t seed = 1;
  double latency = 100e-6;        // seconds, the median one way
  double bytes_per_second = 1e9;  // of one call's payload
  double broken = 0;              // of calls: the connection breaks before or after the work
  double lost = 0;                // of calls: nothing is heard until the deadline
  double update = 0;              // seconds: a server works on one gradient after the other
  bool near = false;              // callers take servers to be on their machine
};

// Counts of what happened, for the report of what a run has covered.
struct NetworkCounters {
  std::int64_t calls = 0;
  std::int64_t handled = 0;
  std::int64_t refused = 0;      // by a server: busy, layout, method, ...
  std::int64_t unreachable = 0;  // nobody listened
  std::int64_t cut = 0;          // requests and answers that a cut link swallowed
  std::int64_t broken_before = 0, broken_after = 0;  // connections, before and after the work
  std::int64_t lost_before = 0, lost_after = 0;
  std::int64_t late = 0;        // requests that were handled after their caller gave up
  std::int64_t led_astray = 0;  // that an address led to an old process
};

// Told of every call that a server has handled, in the handler's thread, before anything else runs.
// `response` is null after an error.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void Handled(ProcessId server, ProcessId client, const rpc::CallOptions& call,
                       const rpc::Response* response) = 0;
};

class SimulatedCall;
class SimulatedCaller;
class SimulatedServer;

// Not thread-safe: of the scheduler's thread.
class SimulatedNetwork final : public rpc::Network {
 public:
  // All must outlive it; `observer` may be null.
  SimulatedNetwork(Scheduler& scheduler, const NetworkOptions& options, CallObserver* observer);
  ~SimulatedNetwork() override;

  std::unique_ptr<rpc::Caller> Connect(const rpc::ChannelOptions& options) override;
  StatusOr<std::unique_ptr<rpc::Server>> Listen(const rpc::ServerOptions& options,
                                                std::vector<rpc::Method> methods) override;

  // From machine to machine, one way, until mended.
  void Cut(int from, int to);
  void Mend(int from, int to);
  void MendAll();
  // Until `time` the machine reaches, at every address, the oldest living process that listens.
  void LeadAstray(int machine, SteadyTime until) { astray_until_[machine] = until; }
  // No more broken connections and lost calls.
  void Heal();

  const NetworkCounters& counters() const { return counters_; }

 private:
  friend class SimulatedCall;
  friend class SimulatedCaller;
  friend class SimulatedServer;
  friend struct SimulatedLink;
  // Who listens there, in the order of birth; those of killed processes stay.
  using Address = std::vector<SimulatedServer*>;

  void Send(const std::shared_ptr<SimulatedCall>& call);
  void Arrive(const std::shared_ptr<SimulatedCall>& call);
  void Handle(SimulatedServer& server, const std::shared_ptr<SimulatedCall>& call);
  void Answer(SimulatedServer& server, const std::shared_ptr<SimulatedCall>& call,
              StatusOr<rpc::Response> response);
  void Receive(const std::shared_ptr<SimulatedCall>& call);
  void TakePayload(SimulatedCall& call);
  void FailAfter(const std::shared_ptr<SimulatedCall>& call, Duration time, Status status);
  void NothingHeard(const std::shared_ptr<SimulatedCall>& call);
  WallTime DeadlineHere(const SimulatedCall& call);
  SimulatedServer* Find(const Address& address, int from_machine);
  bool IsCut(int from, int to) const { return !cuts_.empty() && cuts_.contains({from, to}); }
  Duration Latency(const SimulatedCall& call, std::uint64_t leg, std::size_t bytes) const;
  double Chance(const SimulatedCall& call, std::uint64_t purpose) const;

  Scheduler& scheduler_;
  NetworkOptions options_;
  CallObserver* const observer_;
  std::map<std::string, Address> addresses_;
  std::set<std::pair<int, int>> cuts_;
  std::map<int, SteadyTime> astray_until_;
  std::uint64_t next_call_ = 1;
  NetworkCounters counters_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_NETWORK_H_
