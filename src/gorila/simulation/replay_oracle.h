// What must hold of the global replay memory, whatever fails.
#ifndef GORILA_SIMULATION_REPLAY_ORACLE_H_
#define GORILA_SIMULATION_REPLAY_ORACLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "gorila/simulation/network.h"
#include "gorila/v1/replay.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila::simulation {

// What a replay was told to do.
struct ReplayRules {
  int n_step = 1;
  std::int64_t min_size = 0;
  double updates_per_step = 0;
};

struct ReplayCounters {
  std::int64_t accepted = 0, repeated = 0, held = 0;  // rows
  std::int64_t lost = 0;                              // as actors say
  std::int64_t minibatches = 0;
  std::int64_t generations = 0;
};

// Not thread-safe: of the scheduler's thread. The invariants:
//
//  1. A row is accepted by one shard, and once in the life of its process.
//  2. What an actor counts as accepted was accepted; the rows that it gave are accepted, lost, or
//     few enough to be on their way.
//  3. A transition's states are of one episode of one process, without a gap.
//  4. Minibatches are no more than the rows have paid for.
//  5. A generation belongs to one process.
class ReplayOracle {
 public:
  using Violated = std::function<void(std::string what)>;
  explicit ReplayOracle(Violated violated) : violated_(std::move(violated)) {}

  void SetRules(const ReplayRules& rules) { rules_ = rules; }
  void AddProcess(ProcessId process, int shard) { shard_of_[process] = shard; }
  // Its state is lost: its next process begins like the first.
  void LoseState(int shard);

  // Of a replay shard's process. `response` is null after an error.
  void Handled(ProcessId server, ProcessId client, const rpc::CallOptions& call,
               const rpc::Response* response);
  // What a process says of itself.
  void Reported(ProcessId client, const v1::RoleStatus& status);

  // Calls of the process that replay shards answered.
  std::int64_t CallsOf(ProcessId client) const {
    const auto found = calls_of_.find(client);
    return found == calls_of_.end() ? 0 : found->second;
  }
  const ReplayCounters& counters() const { return counters_; }

 private:
  // Rows of a stream that a process accepted: the end of each stretch by its first row.
  using Stretches = std::map<std::int64_t, std::int64_t>;

  void CheckInsert(ProcessId server, ProcessId client, const v1::InsertRequest& insert,
                   const v1::InsertResponse& response);
  static std::int64_t FirstOf(const Stretches& stretches, std::int64_t first, std::int64_t end);
  void AddStretch(ProcessId server, const v1::RowRun& run, std::int64_t first, std::int64_t end);
  void CheckSample(ProcessId server, const v1::SampleResponse& response,
                   const rpc::Payload& payload);

  const Violated violated_;
  ReplayRules rules_;
  std::unordered_map<ProcessId, int> shard_of_;
  // By life and stream, and by process: those of a shard forgot what their predecessor accepted.
  std::map<std::pair<std::uint64_t, int>, std::map<ProcessId, Stretches>> streams_;
  std::map<std::pair<int, std::int64_t>, ProcessId> generations_;
  std::unordered_map<ProcessId, std::int64_t> calls_of_;               // by client
  std::unordered_map<ProcessId, std::int64_t> accepted_of_, lost_of_;  // by client
  ReplayCounters counters_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_REPLAY_ORACLE_H_
