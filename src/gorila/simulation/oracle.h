// What must hold in every run, whatever fails: judged from outside the processes, by what they
// answer and what they read and write.
#ifndef GORILA_SIMULATION_ORACLE_H_
#define GORILA_SIMULATION_ORACLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gorila/simulation/decided_gradients.h"
#include "gorila/simulation/disk.h"
#include "gorila/simulation/network.h"
#include "gorila/simulation/replay_oracle.h"
#include "gorila/simulation/run_oracle.h"
#include "gorila/v1/parameter_server.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila::simulation {

struct OracleCounters {
  std::int64_t accepted = 0, stale = 0, invalid = 0;
  std::int64_t repeated = 0;     // gradients that came again and were not decided on again
  std::int64_t answered = 0;     // gradients, with parameters
  std::int64_t generations = 0;  // of all shards
  std::int64_t restored = 0;     // generations that began with a snapshot
  std::int64_t snapshots = 0;
  std::int64_t staleness_checks = 0;  // of processes
  std::int64_t counted_reports = 0;   // whose frames are known to be counted once
  std::int64_t refused = 0;           // calls: by an old process, or not understood
};

// Not thread-safe: of the scheduler's thread. The invariants:
//
//  1. A gradient (client, sequence) is decided on at most once in a line of states: within a
//     generation, and not again after a snapshot that has it.
//  2. The parameters of version v are those of the beginning less v gradients: a refused or a
//     repeated gradient changes nothing. (Each gradient lowers the sum of a slice by 1.)
//  3. Within a generation the version never falls; a generation belongs to one process.
//  4. A process decides nothing for a client that told it of a newer generation.
//  5. A snapshot that was committed is there at the next start, or a newer one.
//  6. The run's frames never fall within a generation and are never more than were made. A report
//     adds what its client has made since the last one that the generation took.
//  7. The staleness that a shard counts is the sum, over accepted gradients, of the version that
//  was
//     present less the one that the gradient was computed from.
// Those of the replay memory: replay_oracle.h; of the run as its coordinator sees it: run_oracle.h.
class Oracle final : public CallObserver, public DiskObserver {
 public:
  explicit Oracle(Scheduler& scheduler)
      : scheduler_(scheduler),
        replay_([this](std::string what) { Violated(std::move(what)); }),
        run_([this](std::string what) { Violated(std::move(what)); }) {}

  // `sum` of the slice that the shard begins with in a new run.
  void AddShard(int shard, double sum);
  void AddShardProcess(ProcessId process, int shard);
  // The process serves, from the state that it has read.
  void BeganServing(ProcessId process, std::int64_t generation, std::int64_t version);
  // What a shard's process says of itself while nobody calls it.
  void CheckStatus(ProcessId process, const v1::RoleStatus& status);
  void MadeFrames(std::int64_t frames) { frames_made_ += frames; }
  void Violated(std::string what);

  ReplayOracle& replay() { return replay_; }
  const ReplayOracle& replay() const { return replay_; }
  RunOracle& run() { return run_; }
  const RunOracle& run() const { return run_; }
  std::int64_t frames_made() const { return frames_made_; }

  const std::vector<std::string>& violations() const { return violations_; }
  const OracleCounters& counters() const { return counters_; }

  void Handled(ProcessId server, ProcessId client, const rpc::CallOptions& call,
               const rpc::Response* response) override;
  void Synced(ProcessId process, const std::filesystem::path& folder,
              const std::vector<FolderEntry>& entries) override;
  void HasRead(ProcessId process, const std::filesystem::path& path) override;

 private:
  struct Generation {
    ProcessId process = 0;
    std::int64_t version = -1;  // the last that was answered
    std::int64_t frames = -1;
    std::unordered_map<std::uint64_t, DecidedGradients> decided;  // by client
    // Of gradients accepted before this one began; nothing where one of them was not seen.
    std::optional<std::int64_t> staleness_before = 0;
    std::int64_t first_version = 0;
    std::vector<std::int64_t> staleness = {};  // of each version after it; -1: not seen
    // The run's frames after the last report; nothing where that is not known.
    std::optional<std::int64_t> counted = {};
    std::unordered_map<std::uint64_t, std::int64_t> reported = {};  // to it, by each client
  };
  struct Shard {
    double first_sum = 0;
    std::map<std::int64_t, Generation> generations;
    std::uint64_t committed = 0;  // the newest snapshot
  };

  static std::optional<std::int64_t> StalenessUntil(const Generation& generation,
                                                    std::int64_t version);
  static void NoteStaleness(Generation& generation, const v1::PushRequest& push,
                            const v1::PushResponse& response);
  Generation* Served(ProcessId server, int shard, std::int64_t generation, std::int64_t version);
  void CheckPush(ProcessId server, int shard, const v1::PushRequest& push,
                 const v1::PushResponse& response);
  void CheckDecision(int shard, Generation& generation, const v1::PushRequest& push,
                     const v1::PushResponse& response);
  void CheckPull(ProcessId server, int shard, const v1::PullRequest& pull,
                 const v1::PullResponse& response, const rpc::Payload* payload);
  void CheckFrames(Generation* generation, std::int64_t number, std::int64_t frames);
  void CheckReport(ProcessId server, ProcessId client, int shard, const v1::ReportRequest& report,
                   const v1::ReportResponse& response);
  void CheckCounted(Generation& generation, const v1::ReportRequest& report,
                    const v1::ReportResponse& response);

  Scheduler& scheduler_;
  ReplayOracle replay_;
  RunOracle run_;
  // -1 where it is none of a parameter shard.
  int ShardOf(ProcessId process) const {
    return process < shard_of_.size() ? shard_of_[process] : -1;
  }
  Shard& ShardAt(int shard) { return shards_[static_cast<std::size_t>(shard)]; }

  std::vector<Shard> shards_;
  std::vector<int> shard_of_;  // by process
  // The snapshot that a process has read, and the newest that was committed when it began.
  std::unordered_map<ProcessId, std::uint64_t> read_, committed_before_;
  std::int64_t frames_made_ = 0;
  std::vector<std::string> violations_;
  OracleCounters counters_;
  // Of the call that is looked at.
  v1::PushRequest push_;
  v1::PushResponse pushed_;
  v1::PullRequest pull_;
  v1::PullResponse pulled_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_ORACLE_H_
