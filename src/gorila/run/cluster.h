// The whole system in one process: bundles as threads around a sharded parameter server in memory.
#ifndef GORILA_RUN_CLUSTER_H_
#define GORILA_RUN_CLUSTER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "gorila/base/thread.h"
#include "gorila/config/config.h"
#include "gorila/parameter_server/in_process_pieces.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/run/bundle.h"
#include "gorila/run/run_gate.h"

namespace gorila {

// Called by one coordinating thread. Either threaded (Start, then Wait / Pause / Resume / Stop) or
// deterministic (StepAll again and again).
class Cluster {
 public:
  // `initial`: what the parameters begin as; nullopt: RunInitialParameters.
  static StatusOr<std::unique_ptr<Cluster>> Make(
      const Config& config, std::optional<std::vector<float>> initial = std::nullopt);
  ~Cluster();  // stops and joins

  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // One iteration of every bundle, in order, in the calling thread.
  Status StepAll();

  // A record of the log ends, for every bundle.
  void EndRecord();

  // Gives every replica the present parameters, as a checkpoint does. Only between two iterations.
  Status RefreshReplicas();

  // After the clock and the store were restored without the bundles: all frames were those of the
  // games but the last `added`, in equal parts.
  Status BeginWithFurtherGames(int added);

  // Starts one thread per bundle; they end when the frame clock reaches config.run.frames.
  void Start();
  // Blocks until all bundles ended (true) or `deadline`.
  bool Wait(std::chrono::steady_clock::time_point deadline) { return gate_->WaitForAll(deadline); }
  // Blocks until every bundle is between two iterations.
  Status Pause(std::chrono::steady_clock::time_point deadline) { return gate_->Pause(deadline); }
  void Resume() { gate_->Resume(); }
  // Asks the bundles to end after their present iteration; Wait or the destructor waits for them.
  void Stop() { gate_->Stop(); }
  Status failure() const { return gate_->failure(); }

  bool finished() const { return clock_.frames() >= config_.run.frames; }

  const Config& config() const { return config_; }
  const NetworkSpec& network() const { return network_; }
  const ParameterLayout& layout() const { return layout_; }
  FrameClock& clock() { return clock_; }
  InProcessParameterStore& store() { return *store_; }
  std::vector<std::unique_ptr<Bundle>>& bundles() { return bundles_; }

 private:
  explicit Cluster(const Config& config) : config_(config) {}
  void RunBundle(std::size_t index);
  // Null where each bundle's thread computes its network alone.
  StatusOr<std::unique_ptr<NetworkGroup>> MakeGroup(int bundle);

  const Config config_;
  NetworkSpec network_;
  ParameterLayout layout_;
  FrameClock clock_;
  std::unique_ptr<InProcessParameterStore> store_;
  std::unique_ptr<InProcessPieceStore> pieces_;  // the same, for groups
  std::vector<std::unique_ptr<Bundle>> bundles_;
  std::unique_ptr<RunGate> gate_;
  std::vector<int> cores_;  // of each bundle's thread; empty: as the thread that starts them
  std::vector<Thread> threads_;
};

}  // namespace gorila

#endif  // GORILA_RUN_CLUSTER_H_
