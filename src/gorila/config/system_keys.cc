// [parameter_server], [evaluation], [checkpoint], [cluster] and what starts it.
#include <array>
#include <vector>

#include "gorila/config/field_makers.h"
#include "gorila/config/key_tables.h"

namespace gorila {
namespace {

using namespace config_fields;  // NOLINT(google-build-using-namespace): a table of nothing else

constexpr int kMostEpisodes = 1000000;  // all their returns are kept

using namespace std::string_view_literals;
constexpr std::array kEncodingNames = {"float32"sv, "bf16"sv, "topk"sv};
static_assert(static_cast<int>(GradientEncoding::kTopK) == 2);

constexpr std::array kActNames = {"auto"sv, "sample"sv, "argmax"sv};
static_assert(static_cast<int>(EvaluationAct::kArgmax) == 2);

const std::array kSystemKeys = {
    ConfigKey{
        "parameter_server.shards",
        "Parts of the parameter vector; 0 = one a bundle, or one for two processes that push; "
        "2 at least",
        "Gorila: 31", Integer(GORILA_FIELD(parameter_server.shards), 0, 4096)},
    ConfigKey{"parameter_server.max_staleness",
              "Updates that a gradient may lag behind; older ones are discarded",
              "Gorila: unpublished",
              Integer(GORILA_FIELD(parameter_server.options.max_staleness), 0, kMaxInt64)},
    ConfigKey{"parameter_server.target_period",
              "Updates between two copies of the parameters to the target network",
              "Gorila: 60000; DQN: 2500 in the code (10000 agent steps), 10000 in the article",
              Integer(GORILA_FIELD(parameter_server.options.target_period), 1, kMaxInt64)},
    ConfigKey{"parameter_server.encoding",
              "How gradients travel to shards in other processes; what is left out is sent later",
              "", Enumeration<kEncodingNames>(GORILA_FIELD(parameter_server.encoding))},
    ConfigKey{"parameter_server.topk_fraction",
              "topk: part of a gradient's entries that is sent, the largest", "",
              Real(GORILA_FIELD(parameter_server.topk_fraction),
                   {.low = 0, .high = kMaxTopKFraction, .without_low = true})},
    ConfigKey{"parameter_server.overlap",
              "Whether processes compute on while gradients and parameters travel, with older ones",
              "", Boolean(GORILA_FIELD(parameter_server.overlap))},
    ConfigKey{"parameter_server.publish_every",
              "Updates between copies of theta that bundles of a process share; 1 = each "
              "copies for itself",
              "", Integer(GORILA_FIELD(parameter_server.publish_every), 1, 1000)},

    ConfigKey{"evaluation.protocol", "How a network is scored",
              "Gorila, DQN: noop30; Gorila: human-starts too",
              Name(GORILA_FIELD(evaluation.protocol), nullptr)},
    ConfigKey{"evaluation.epsilon",
              "Probability of a random action in evaluations; -1: the protocol's, or 0 of sampled "
              "actions",
              "DQN: 0.05; Gorila: unpublished",
              Real(GORILA_FIELD(evaluation.epsilon), {.low = -1, .high = 1})},
    ConfigKey{"evaluation.act",
              "How a policy chooses in evaluations; auto: from its distribution, if it is one",
              "IMPALA: sample", Enumeration<kActNames>(GORILA_FIELD(evaluation.act))},
    ConfigKey{"evaluation.starts",
              "File of start points of protocol human-starts, from gorila play --record-starts", "",
              Name(GORILA_FIELD(evaluation.starts), nullptr)},
    ConfigKey{"evaluation.episodes", "Episodes of the final evaluation", "Gorila, DQN: 30",
              Integer(GORILA_FIELD(evaluation.episodes), 1, kMostEpisodes)},
    ConfigKey{"evaluation.every_frames", "Frames between two evaluations; 0 = only at the end",
              "DQN: 250000", Integer(GORILA_FIELD(evaluation.every_frames), 0, kMaxInt64)},
    ConfigKey{"evaluation.periodic_episodes", "Episodes of each evaluation while training",
              "DQN: as many as 125000 steps hold",
              Integer(GORILA_FIELD(evaluation.periodic_episodes), 1, kMostEpisodes)},
    ConfigKey{"evaluation.best",
              "Whether the best network of the evaluations is scored, or the last one",
              "Gorila, DQN: true", Boolean(GORILA_FIELD(evaluation.best))},

    ConfigKey{"checkpoint.every_seconds", "Seconds between two checkpoints; 0 = only at the end",
              "", Real(GORILA_FIELD(checkpoint.every_seconds), kNotNegative)},
    ConfigKey{"checkpoint.every_frames",
              "Frames between two checkpoints of a deterministic run; 0 = only at the end", "",
              Integer(GORILA_FIELD(checkpoint.every_frames), 0, kMaxInt64)},
    ConfigKey{"checkpoint.keep", "Newest checkpoints that are kept; of launched runs always two",
              "", Integer(GORILA_FIELD(checkpoint.keep), 1, kMaxInt)},
    ConfigKey{"checkpoint.replay", "Whether a checkpoint holds the replay memory (exact resume)",
              "", Boolean(GORILA_FIELD(checkpoint.replay))},
    ConfigKey{"checkpoint.milestones_every_frames",
              "Frames between two networks that are kept for good; 0 = none", "",
              Integer(GORILA_FIELD(checkpoint.milestones_every_frames), 0, kMaxInt64)},

    ConfigKey{"cluster.actors", "Actor processes of gorila launch, which fill a global replay", "",
              Integer(GORILA_FIELD(cluster.actors), 0, 4096)},
    ConfigKey{"cluster.learners", "Learner processes, which learn from the global replay", "",
              Integer(GORILA_FIELD(cluster.learners), 0, 4096)},
    ConfigKey{"cluster.replays",
              "Shards of the global replay, a process each; [replay] holds for each of them", "",
              Integer(GORILA_FIELD(cluster.replays), 0, 4096)},
    ConfigKey{"cluster.cpus", "Cores that Slurm or Kubernetes is asked for, for each process", "",
              Integer(GORILA_FIELD(cluster.cpus), 1, 1024)},
    ConfigKey{"cluster.memory_mb", "Memory in MiB that they are asked for, for each process", "",
              Integer(GORILA_FIELD(cluster.memory_mb), 64, kMaxInt, kNoUnits)},
    ConfigKey{"cluster.metrics_port",
              "First port of the /metrics of gorila launch's processes; 0 = none", "",
              Integer(GORILA_FIELD(cluster.metrics_port), 0, 65535, kNoUnits)},
    ConfigKey{"cluster.shared_memory",
              "Whether what processes of one machine exchange goes through memory that both see",
              "", Boolean(GORILA_FIELD(cluster.shared_memory))},

    ConfigKey{"slurm.partition", "Partition of the job; default = Slurm's own choice", "",
              Name(GORILA_FIELD(slurm.partition), nullptr)},
    ConfigKey{"slurm.account", "Account that the job is charged to; default = Slurm's own choice",
              "", Name(GORILA_FIELD(slurm.account), nullptr)},
    ConfigKey{"slurm.minutes", "Time limit of the job; 0 = the partition's", "",
              Integer(GORILA_FIELD(slurm.minutes), 0, kMaxInt, kNoUnits)},

    ConfigKey{"kubernetes.image", "Container image of the program (Dockerfile)", "",
              Name(GORILA_FIELD(kubernetes.image), nullptr)},
    ConfigKey{"kubernetes.namespace", "Namespace of everything that is created", "",
              Name(GORILA_FIELD(kubernetes.name_space), nullptr)},
    ConfigKey{"kubernetes.storage_class",
              "Storage class of the volumes; default = the cluster's own choice", "",
              Name(GORILA_FIELD(kubernetes.storage_class), nullptr)},
    ConfigKey{"kubernetes.storage_gb", "GiB of each volume: one a server, one for the run", "",
              Integer(GORILA_FIELD(kubernetes.storage_gb), 1, kMaxInt, kNoUnits)},
};

}  // namespace

std::span<const ConfigKey> SystemKeys() { return kSystemKeys; }

}  // namespace gorila
