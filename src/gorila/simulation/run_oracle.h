// What must hold of a run as its coordinator sees it, whatever fails.
#ifndef GORILA_SIMULATION_RUN_ORACLE_H_
#define GORILA_SIMULATION_RUN_ORACLE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gorila/network/parameter_layout.h"
#include "gorila/run/trainer.h"

namespace gorila::simulation {

struct RunCounters {
  std::int64_t looks = 0;        // of coordinators
  std::int64_t evaluations = 0;  // periodic ones, that were logged
  std::int64_t finished = 0, stopped = 0;
  std::int64_t networks = 0;  // files of them that were there at the end
};

// Not thread-safe: of the scheduler's thread. The invariants:
//
//  1. The frames that a coordinator shows are what shard 0 answered it, and never an answer before
//     one that it has shown; the last may have been lost.
//  2. A run is finished only when it has its frames.
//  3. No network is evaluated twice, as far as the run's log has survived; there may be others of
//  as
//     many frames where shard 0 began again with fewer. A network that its file names is whole, and
//     its values are numbers; each line of the log is one.
//  4. A finished run has its final network, unless the coordinator says that it could not write it.
class RunOracle {
 public:
  using Violated = std::function<void(std::string what)>;
  explicit RunOracle(Violated violated) : violated_(std::move(violated)) {}

  void SetRun(std::int64_t frames, ParameterLayout layout) {
    frames_ = frames;
    layout_ = std::move(layout);
  }
  std::int64_t frames() const { return frames_; }  // at which the run ends; 0: never

  // A process of shard 0 serves.
  void BeganServing() { ++generations_; }
  // By shard 0, to a process that asked for the run's progress.
  void Answered(std::uint64_t client, std::int64_t frames) { answers_[client].push_back(frames); }
  void Shows(std::uint64_t coordinator, std::int64_t frames);
  void Evaluated() { ++counters_.evaluations; }
  void Ended(const TrainingOutcome& outcome);
  // The files of the run's folder at the end, by their names; empty where it was lost.
  void CheckFiles(const std::map<std::string, std::string>& files);
  // The folder was lost, and with it what was there.
  void LoseFolder() { must_have_final_ = false; }

  const RunCounters& counters() const { return counters_; }

 private:
  void CheckLog(std::string_view lines);

  const Violated violated_;
  std::int64_t frames_ = 0;
  ParameterLayout layout_;
  std::int64_t generations_ = 0;
  // By process: the answer that it shows, and those after it.
  std::map<std::uint64_t, std::deque<std::int64_t>> answers_;
  bool must_have_final_ = false;
  RunCounters counters_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_RUN_ORACLE_H_
