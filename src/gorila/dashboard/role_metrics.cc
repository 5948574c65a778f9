#include "gorila/dashboard/role_metrics.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/dashboard/run_metrics.h"
#include "gorila/launch/role_status.h"
#include "gorila/launch/roles.h"
#include "gorila/metrics/work_clock.h"
#include "gorila/parameter_server/shard.h"
#include "gorila/rpc/refusal.h"

namespace gorila {
namespace {

using Type = PrometheusText::Type;

// A counter or gauge of the status (role_status.h).
struct Source {
  const char* name = nullptr;
  const char* label_value = nullptr;
};

struct RoleFamily {
  const char* name;
  Type type;
  const char* help;
  std::array<Source, 3> sources;  // those without a name are unused
  const char* label = nullptr;    // of several sources
};

constexpr RoleFamily kShardFamilies[] = {
    {"gorila_shard_version_updates",
     Type::kGauge,
     "Updates applied to the slice; goes back when the shard comes back from a snapshot.",
     {{{"version"}}}},
    {"gorila_shard_gradients_total",
     Type::kCounter,
     "Gradients that the shard decided on, by what became of them.",
     {{{"accepted", "accepted"}, {"stale", "stale"}, {"invalid", "invalid"}}},
     "outcome"},
    {"gorila_shard_repeated_gradients_total",
     Type::kCounter,
     "Gradients that came again and were not decided on again.",
     {{{"repeated"}}}},
    {"gorila_run_frames_total",
     Type::kCounter,
     "Environment steps of the whole run, as shard 0 counts them.",
     {{{"frames"}}}},
};

constexpr RoleFamily kReplayFamilies[] = {
    {"gorila_replay_stored_frames", Type::kGauge, "Frames in replay memory.", {{{"replay_rows"}}}},
    {"gorila_replay_capacity_frames",
     Type::kGauge,
     "Frames that fit into it.",
     {{{"replay_capacity"}}}},
    {"gorila_replay_reserved_bytes",
     Type::kGauge,
     "Memory that the shard was given up front.",
     {{{"replay_bytes"}}}},
    {"gorila_replay_transitions",
     Type::kGauge,
     "Transitions that can be sampled.",
     {{{"transitions"}}}},
    {"gorila_replay_inserted_frames_total",
     Type::kCounter,
     "Frames that inserts brought: taken, or taken before.",
     {{{"accepted", "accepted"}, {"repeated", "repeated"}}},
     "outcome"},
    {"gorila_replay_evicted_frames_total",
     Type::kCounter,
     "Frames that made room.",
     {{{"evicted"}}}},
    {"gorila_replay_streams_total",
     Type::kCounter,
     "Streams of frames that began.",
     {{{"streams"}}}},
    {"gorila_replay_broken_streams_total",
     Type::kCounter,
     "Of them, in place of one whose next frames never came.",
     {{{"broken_streams"}}}},
    {"gorila_replay_sampled_minibatches_total",
     Type::kCounter,
     "Minibatches given to learners.",
     {{{"samples"}}}},
    {"gorila_replay_priorities_total",
     Type::kCounter,
     "Priorities that learners sent: updated, or of transitions that are gone.",
     {{{"priorities", "updated"}, {"stale_priorities", "stale"}}},
     "outcome"},
    {"gorila_replay_held_calls_total",
     Type::kCounter,
     "Calls that the rate limiter held since the process began; an insert is tried again.",
     {{{"held_inserts", "insert"}, {"held_samples", "sample"}}},
     "call"},
    {"gorila_replay_waiting_calls",
     Type::kGauge,
     "Calls that wait for the rate limiter now.",
     {{{"waiting_samples", "sample"}}},
     "call"},
    {"gorila_replay_owed_minibatches",
     Type::kGauge,
     "Minibatches that the inserted frames pay for and nobody has sampled yet.",
     {{{"samples_owed"}}}},
};

constexpr RoleFamily kServerFamilies[] = {
    {"gorila_rpc_calls_total",
     Type::kCounter,
     "Calls that came, refused ones included.",
     {{{"calls"}}}},
    {"gorila_rpc_received_bytes_total",
     Type::kCounter,
     "Headers and payloads of whole requests.",
     {{{"bytes_received"}}}},
    {"gorila_rpc_sent_bytes_total",
     Type::kCounter,
     "Headers and payloads of responses.",
     {{{"bytes_sent"}}}},
    {"gorila_rpc_shared_bytes_total",
     Type::kCounter,
     "Of both, payloads that lay in memory that both processes see.",
     {{{"bytes_shared"}}}},
};

constexpr RoleFamily kWorkerFamilies[] = {
    {"gorila_worker_frames_total",
     Type::kCounter,
     "Environment steps of this process.",
     {{{"frames"}}}},
    {"gorila_worker_epsilon_ratio",
     Type::kGauge,
     "Probability of a random action.",
     {{{"epsilon"}}}},
    {"gorila_worker_gradients_total", Type::kCounter, "Gradients computed.", {{{"gradients"}}}},
    {"gorila_worker_outlier_gradients_total",
     Type::kCounter,
     "Of them, dropped for their loss and not sent.",
     {{{"outliers"}}}},
    {"gorila_worker_slices_total",
     Type::kCounter,
     "Slices of gradients sent, one to each shard, by what became of them.",
     {{{"accepted", "accepted"}, {"stale", "stale"}, {"invalid", "invalid"}}},
     "outcome"},
    {"gorila_worker_loss", Type::kGauge, "Running mean of the loss.", {{{"loss"}}}},
    {"gorila_worker_replay_frames",
     Type::kGauge,
     "Frames in its own replay memory.",
     {{{"replay_rows"}}}},
    {"gorila_worker_replay_capacity_frames",
     Type::kGauge,
     "Frames that fit into it.",
     {{{"replay_capacity"}}}},
    {"gorila_worker_pushes_total",
     Type::kCounter,
     "Gradients offered to the parameter server.",
     {{{"pushes"}}}},
    {"gorila_worker_pushed_bytes_total",
     Type::kCounter,
     "Of gradients, with what was sent again.",
     {{{"bytes_pushed"}}}},
    {"gorila_worker_pulled_bytes_total", Type::kCounter, "Of parameters.", {{{"bytes_pulled"}}}},
    {"gorila_worker_retries_total",
     Type::kCounter,
     "Calls to the parameter server that were made again.",
     {{{"retries"}}}},
    {"gorila_worker_lost_gradients_total",
     Type::kCounter,
     "Gradients that a lost member of its group ended.",
     {{{"lost_gradients"}}}},
    {"gorila_worker_inserted_frames_total",
     Type::kCounter,
     "Frames sent to replay shards, by what became of them.",
     {{{"rows_accepted", "accepted"}, {"rows_lost", "lost"}}},
     "outcome"},
    {"gorila_worker_sampled_minibatches_total",
     Type::kCounter,
     "Minibatches got.",
     {{{"samples"}}}},
    {"gorila_worker_replay_failures_total",
     Type::kCounter,
     "Calls that a replay shard did not answer.",
     {{{"replay_failures"}}}},
    {"gorila_worker_held_calls_total",
     Type::kCounter,
     "Inserts and samples that a replay shard's rate limiter held.",
     {{{"insert_waits", "insert"}, {"sample_waits", "sample"}}},
     "call"},
    {"gorila_worker_held_inserts",
     Type::kGauge,
     "1 while the rate limiter holds this actor's frames: learners are behind.",
     {{{"waiting_inserts"}}}},
};

// Writes the families of one status.
class Writer {
 public:
  Writer(const v1::RoleStatus& status, PrometheusText& text) : status_(status), text_(text) {}

  void Add(std::span<const RoleFamily> families) {
    for (const RoleFamily& family : families) AddFamily(family);
  }

  void AddOne(const char* name, Type type, const char* help, double value) {
    text_.Begin(name, type, help);
    text_.Add(Labels(), value);
  }

  void AddRefusals() {
    text_.Begin("gorila_rpc_refused_calls_total", Type::kCounter, "Calls refused, by the reason.");
    for (int i = 0; i < rpc::kRefusals; ++i) {
      const std::string reason(rpc::RefusalName(static_cast<rpc::Refusal>(i)));
      text_.Add(Labels("reason", reason),
                static_cast<double>(CounterOf(status_, "refused_" + reason)));
    }
    if (status_.role() != RowOf(Role::kReplay).name) return;
    text_.Add(Labels("reason", "inserts"),
              static_cast<double>(CounterOf(status_, "refused_inserts")));
  }

  void AddWork() {
    const WorkSeconds work = WorkOf(status_);
    text_.Begin("gorila_worker_seconds_total", Type::kCounter,
                "Time of the working thread, by what it went into.");
    for (std::size_t i = 0; i < kWorks; ++i) {
      text_.Add(Labels("work", std::string(kWorkNames[i])), work[i]);
    }
  }

  void AddStaleness() {
    std::vector<std::uint64_t> counts;
    for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
      counts.push_back(
          static_cast<std::uint64_t>(CounterOf(status_, fmt::format("staleness_{}", i))));
    }
    BeginStaleness("gorila_shard_staleness_versions", text_);
    AddStalenessHistogram(Labels(), counts, text_);
  }

 private:
  PrometheusLabels Labels() const {
    return {{"role", status_.role()}, {"index", fmt::format("{}", status_.index())}};
  }
  PrometheusLabels Labels(std::string_view name, std::string value) const {
    PrometheusLabels labels = Labels();
    labels.emplace_back(name, std::move(value));
    return labels;
  }

  std::optional<double> Value(const Source& source) const {
    if (source.name == nullptr) return std::nullopt;
    if (const auto found = status_.counters().find(source.name);
        found != status_.counters().end()) {
      return static_cast<double>(found->second);
    }
    const auto found = status_.gauges().find(source.name);
    if (found == status_.gauges().end()) return std::nullopt;
    return found->second;
  }

  void AddFamily(const RoleFamily& family) {
    bool begun = false;
    for (const Source& source : family.sources) {
      const std::optional<double> value = Value(source);
      if (!value.has_value()) continue;
      if (!std::exchange(begun, true)) text_.Begin(family.name, family.type, family.help);
      text_.Add(family.label == nullptr ? Labels() : Labels(family.label, source.label_value),
                *value);
    }
  }

  const v1::RoleStatus& status_;
  PrometheusText& text_;
};

}  // namespace

void AddRoleMetrics(const v1::RoleStatus& status, PrometheusText& text) {
  Writer writer(status, text);
  writer.AddOne("gorila_role_uptime_seconds", Type::kGauge, "Since the process began to work.",
                status.seconds());
  const bool shard = status.role() == RowOf(Role::kParameterServer).name;
  if (!shard && status.role() != RowOf(Role::kReplay).name) {
    writer.Add(kWorkerFamilies);
    writer.AddWork();
    return;
  }
  writer.AddOne("gorila_role_generation", Type::kGauge, "How often the shard was started.",
                static_cast<double>(status.generation()));
  if (shard) {
    writer.Add(kShardFamilies);
    writer.AddStaleness();
  } else {
    writer.Add(kReplayFamilies);
  }
  writer.Add(kServerFamilies);
  writer.AddRefusals();
}

}  // namespace gorila
