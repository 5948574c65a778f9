// Everything that decides a run, in one value. config_keys.cc lists every key once, with its
// meaning, unit, range and default; files, --set and flags all go through that list.
#ifndef GORILA_CONFIG_CONFIG_H_
#define GORILA_CONFIG_CONFIG_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "gorila/actor/actor_options.h"
#include "gorila/env/environment_options.h"
#include "gorila/learner/learner.h"
#include "gorila/network/network_spec.h"
#include "gorila/parameter_server/gradient_codec.h"
#include "gorila/parameter_server/shard.h"
#include "gorila/replay/local_replay.h"

namespace gorila {

// [run]
struct RunOptions {
  std::int64_t frames = 1000000;  // environment steps of all actors together
  double seconds = 0;             // stop after so much wall time; 0 = no limit
  std::uint64_t seed = 1;
  int bundles = 2;                   // actor + local replay + learner, a thread or process each
  bool deterministic = false;        // one thread steps everything in a fixed order
  double metrics_every_seconds = 5;  // threaded runs
  std::int64_t metrics_every_frames = 10000;  // deterministic runs
  std::string cpus = "any";                   // cores of this machine (base/cores.h), or "any"
};

// [environment]
struct EnvironmentSection {
  std::string name = "minatar/breakout";  // or several games, with ',' between (games.h)
  EnvironmentOptions options;
};

enum class GameHeads { kShared, kPerGame };

// [network]
struct NetworkSection {
  std::string preset = "auto";                // a row of NetworkPresets(), "auto" or "custom"
  std::vector<ConvolutionSpec> convolutions;  // preset = "custom": [[filters, kernel, stride], ...]
  std::vector<int> hidden;                    // preset = "custom"
  GameHeads heads = GameHeads::kShared;       // with several games
  std::string backend = "auto";               // a row of QNetworkBackends() or "auto"
  std::string device = "cpu";                 // where bundles and learners compute it
  std::string init_from = "none";             // the network that a new run begins with
  std::string init_record = "none";           // what was read from it (run/initial_network.h)
};

// [actor]
struct ActorSection {
  int environments = 8;  // per actor, stepped with one batched forward pass
  ActorOptions options;
};

// [parameter_server]
struct ParameterServerSection {
  int shards = 0;        // 0 = NumberOfShards() chooses
  ShardOptions options;  // its optimizer is the [optimizer] section
  GradientEncoding encoding = GradientEncoding::kFloat32;  // between processes
  double topk_fraction = 0.01;                             // of kTopK
  bool overlap = false;  // computing goes on while parameters travel between processes
  std::int64_t publish_every =
      1;  // updates, in one process: a copy of theta for all bundles; 1: own
};

// [replay]
struct ReplaySection {
  LocalReplayOptions options;    // per bundle; its transition is part of [learner]
  std::int64_t byte_budget = 0;  // for all bundles together; 0 = four fifths of the memory
  bool prefetch = false;         // learners of a global replay sample while they compute
};

// auto: a policy that is a distribution is sampled from.
enum class EvaluationAct { kAuto, kSample, kArgmax };

// [evaluation]
struct EvaluationSection {
  std::string protocol = "greedy";           // a row of EvaluationProtocols()
  double epsilon = -1;                       // of every protocol; -1 = the protocol's own
  EvaluationAct act = EvaluationAct::kAuto;  // how a policy chooses
  std::string starts = "none";               // file of start points (start_points.h); "none"
  int episodes = 100;                        // of the final evaluation
  std::int64_t every_frames = 0;  // periodic evaluation while training; 0 = only at the end
  int periodic_episodes = 30;     // of each periodic evaluation
  bool best = false;  // score the best periodic network (the paper's rule), not the last
};

// [checkpoint]
struct CheckpointSection {
  double every_seconds = 60;                 // threaded runs; 0 = only at the end
  std::int64_t every_frames = 0;             // deterministic runs; 0 = only at the end
  int keep = 2;                              // newest checkpoints kept
  bool replay = true;                        // whether replay memory is part of it (exact resume)
  std::int64_t milestones_every_frames = 0;  // parameters that are kept for good; 0 = none
};

// [cluster]: what `gorila launch` starts, beside run.bundles and parameter_server.shards
struct ClusterSection {
  int actors = 0;    // of a global replay, with learners and replays
  int learners = 0;  // the same
  int replays = 0;   // shards of the global replay
  int cpus = 1;      // of each process; asked of Slurm and Kubernetes
  int memory_mb = 2048;
  int metrics_port = 0;       // first port of the /metrics of its processes; 0: none
  bool shared_memory = true;  // between processes of one machine, instead of sockets
};

// [slurm]
struct SlurmSection {
  std::string partition = "default";  // "default": Slurm's own
  std::string account = "default";
  int minutes = 0;  // 0: the partition's limit
};

// [kubernetes]
struct KubernetesSection {
  std::string image = "gorila:latest";
  std::string name_space = "default";
  std::string storage_class = "default";  // "default": the cluster's own
  int storage_gb = 2;                     // of each parameter server, replay shard and the run
};

struct Config {
  RunOptions run;
  EnvironmentSection environment;
  NetworkSection network;
  ActorSection actor;
  ReplaySection replay;
  LearnerOptions learner;
  ParameterServerSection parameter_server;
  EvaluationSection evaluation;
  CheckpointSection checkpoint;
  ClusterSection cluster;
  SlurmSection slurm;
  KubernetesSection kubernetes;
};

// parameter_server.shards. Where that is 0: one process for two of those who push, so that they
// seldom wait for each other (docs/performance.md), and two at least.
inline int NumberOfShards(const Config& config) {
  if (config.parameter_server.shards > 0) return config.parameter_server.shards;
  return std::max(2, (config.run.bundles + config.cluster.learners + 1) / 2);
}

// The same where bundles and shards are in one process: a shard costs a lock there, so each bundle
// gets one, as far as there are `parameters` for them. Changes no bit of a deterministic run.
inline int NumberOfShardsInProcess(const Config& config, std::size_t parameters) {
  if (config.parameter_server.shards > 0) return config.parameter_server.shards;
  constexpr std::size_t kMost = 4096;  // as the key
  const std::size_t most = std::clamp<std::size_t>(parameters, 1, kMost);
  return std::clamp(config.run.bundles, 2, std::max(2, static_cast<int>(most)));
}

}  // namespace gorila

#endif  // GORILA_CONFIG_CONFIG_H_
