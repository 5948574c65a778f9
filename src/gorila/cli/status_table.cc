#include "gorila/cli/status_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "gorila/launch/role_status.h"

namespace gorila::cli {
namespace {

// A bundle that spends more than this share of its time in pushes and pulls waits for the parameter
// server.
constexpr double kMuchWaiting = 0.5;

// A worker that is silent for this many seconds is ignored when looking for the bottleneck.
constexpr double kSilent = 5;

// The same process in the earlier sample; null when it is new, or was started again in between.
const v1::RoleStatus* FindBefore(const StatusSamples& samples, const v1::RoleStatus& now) {
  for (const v1::RoleStatus& before : samples.before) {
    if (before.role() == now.role() && before.index() == now.index() &&
        before.generation() == now.generation() && before.process() == now.process() &&
        before.seconds() <= now.seconds()) {
      return &before;
    }
  }
  return nullptr;
}

// Growth per second, by the clock in the report. 0 for a process that was not seen twice, or whose
// counter went back because it restarted.
double RateOf(const StatusSamples& samples, const v1::RoleStatus& now, const std::string& name) {
  const v1::RoleStatus* const before = FindBefore(samples, now);
  if (before == nullptr) return 0;
  const double seconds = now.seconds() - before->seconds();
  const std::int64_t grown = CounterOf(now, name) - CounterOf(*before, name);
  return seconds <= 0 || grown < 0 ? 0 : static_cast<double>(grown) / seconds;
}

double MeanStaleness(const v1::RoleStatus& shard) {
  const std::int64_t accepted = CounterOf(shard, "accepted");
  return accepted == 0 ? 0
                       : static_cast<double>(CounterOf(shard, "staleness_sum")) /
                             static_cast<double>(accepted);
}

// The share of its time since the earlier sample that a bundle spent in pushes and pulls; since its
// start if it restarted.
double WaitingShare(const StatusSamples& samples, const v1::RoleStatus& bundle) {
  const std::string name = "parameter_server_seconds";
  const v1::RoleStatus* before = FindBefore(samples, bundle);
  if (before != nullptr && GaugeOf(*before, name) > GaugeOf(bundle, name)) before = nullptr;
  const double seconds = bundle.seconds() - (before == nullptr ? 0 : before->seconds());
  const double waited = GaugeOf(bundle, name) - (before == nullptr ? 0 : GaugeOf(*before, name));
  // Clamped: a pull's whole time is counted when it ends, so part of it may precede the sample.
  return seconds > 0 ? std::clamp(waited / seconds, 0.0, 1.0) : 0;
}

std::string SizeText(double bytes) {
  constexpr double kKib = 1024;
  if (bytes < kKib * kKib) return fmt::format("{:.1f} KiB", bytes / kKib);
  return fmt::format("{:.1f} MiB", bytes / (kKib * kKib));
}

std::string BytesPerUpdate(const v1::RoleStatus& bundle) {
  const auto pushes = static_cast<double>(CounterOf(bundle, "pushes"));
  if (pushes == 0) return "-";
  return fmt::format("{} + {}",
                     SizeText(static_cast<double>(CounterOf(bundle, "bytes_pushed")) / pushes),
                     SizeText(static_cast<double>(CounterOf(bundle, "bytes_pulled")) / pushes));
}

void AppendShards(const StatusSamples& samples, std::string& text) {
  text += fmt::format("{:<20}{:>5}{:>10}{:>10}{:>10}{:>10}{:>8}{:>9}{:>10}{:>9}\n",
                      "parameter server", "gen", "version", "updates/s", "pushed", "accepted",
                      "stale", "invalid", "staleness", "refused");
  for (const v1::RoleStatus& shard : samples.after) {
    if (shard.role() != "parameter-server") continue;
    text += fmt::format(
        "  shard {:<12}{:>5}{:>10}{:>10.1f}{:>10}{:>10}{:>8}{:>9}{:>10.2f}{:>9}\n", shard.index(),
        shard.generation(), CounterOf(shard, "version"), RateOf(samples, shard, "version"),
        CounterOf(shard, "pushed"), CounterOf(shard, "accepted"), CounterOf(shard, "stale"),
        CounterOf(shard, "invalid"), MeanStaleness(shard), CounterOf(shard, "refused"));
  }
}

void AppendWorkers(const StatusSamples& samples, std::string& text) {
  text += fmt::format("{:<20}{:>5}{:>10}{:>10}{:>10}{:>9}{:>8}{:>21}{:>9}\n", "worker", "up s",
                      "frames", "frames/s", "gradients", "grad/s", "waits", "bytes/update up+down",
                      "silent s");
  for (const v1::RoleStatus& worker : samples.after) {
    if (worker.role() == "parameter-server" || worker.role() == "replay") continue;
    text += fmt::format("  {:<18}{:>5.0f}{:>10}{:>10.1f}{:>10}{:>9.1f}{:>7.0f}%{:>21}{:>9.1f}\n",
                        fmt::format("{} {}", worker.role(), worker.index()), worker.seconds(),
                        CounterOf(worker, "frames"), RateOf(samples, worker, "frames"),
                        CounterOf(worker, "gradients"), RateOf(samples, worker, "gradients"),
                        100 * WaitingShare(samples, worker), BytesPerUpdate(worker),
                        worker.silent_seconds());
  }
}

void AppendReplays(const StatusSamples& samples, std::string& text) {
  bool any = false;
  for (const v1::RoleStatus& replay : samples.after) {
    if (replay.role() != "replay") continue;
    if (!std::exchange(any, true)) {
      text += fmt::format("{:<20}{:>5}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>9}\n", "replay", "gen",
                          "steps", "inserted", "steps/s", "repeated", "samples", "samples/s",
                          "refused");
    }
    text += fmt::format("  shard {:<12}{:>5}{:>10}{:>10}{:>10.1f}{:>10}{:>10}{:>10.1f}{:>9}\n",
                        replay.index(), replay.generation(), CounterOf(replay, "replay_rows"),
                        CounterOf(replay, "accepted"), RateOf(samples, replay, "accepted"),
                        CounterOf(replay, "repeated"), CounterOf(replay, "samples"),
                        RateOf(samples, replay, "samples"), CounterOf(replay, "refused"));
    if (!replay.waiting().empty()) text += fmt::format("    {}\n", replay.waiting());
  }
}

// The bottleneck of a run with a global replay.
std::string GlobalBottleneck(const StatusSamples& samples) {
  double waiting = 0;
  int learners = 0;
  std::int64_t inserts = 0;
  std::int64_t sampling = 0;
  for (const v1::RoleStatus& status : samples.after) {
    inserts += CounterOf(status, "waiting_inserts");
    sampling += CounterOf(status, "waiting_samples");
    if (status.role() != "learner" || status.silent_seconds() > kSilent) continue;
    waiting += WaitingShare(samples, status);
    ++learners;
  }
  if (learners == 0) return "no bundle or learner reports";
  if (inserts > sampling) return "learners (actors wait to insert)";
  if (sampling > 0) return "actors (learners wait for samples)";
  return waiting / learners > kMuchWaiting ? "parameter server" : "learners";
}

void AppendRefusals(const StatusSamples& samples, std::string& text) {
  constexpr std::string_view kPrefix = "refused_";
  std::map<std::string, std::int64_t> reasons;
  for (const v1::RoleStatus& status : samples.after) {
    for (const auto& [name, count] : status.counters()) {
      if (name.starts_with(kPrefix)) reasons[name.substr(kPrefix.size())] += count;
    }
  }
  if (reasons.empty()) return;
  text += "refused:";
  for (const auto& [reason, count] : reasons) text += fmt::format(" {} {}", reason, count);
  text += "\n";
}

// The share of the traffic between servers and clients that goes through shared memory.
void AppendSharedMemory(const StatusSamples& samples, std::string& text) {
  std::int64_t shared = 0;
  std::int64_t all = 0;
  for (const v1::RoleStatus& status : samples.after) {
    shared += CounterOf(status, "bytes_shared");
    all += CounterOf(status, "bytes_received") + CounterOf(status, "bytes_sent");
  }
  if (shared == 0) return;
  text += fmt::format("shared memory: {:.0f} % of the servers' {}\n",
                      100 * static_cast<double>(shared) / static_cast<double>(all),
                      SizeText(static_cast<double>(all)));
}

void AppendBottleneck(const StatusSamples& samples, std::string& text) {
  double waiting = 0;
  int bundles = 0;
  for (const v1::RoleStatus& status : samples.after) {
    if (status.role() != "bundle" || status.silent_seconds() > kSilent) continue;
    waiting += WaitingShare(samples, status);
    ++bundles;
  }
  if (bundles == 0) {
    text += fmt::format("bottleneck: {}\n", GlobalBottleneck(samples));
  } else {
    waiting /= bundles;
    text += fmt::format(
        "bottleneck: {} (bundles spend {:.0f} % of their time in pushes and pulls)\n",
        waiting > kMuchWaiting ? "parameter server" : "bundles (actor and learner)", 100 * waiting);
  }
}

}  // namespace

std::string FormatStatus(const StatusSamples& samples) {
  std::string text;
  AppendShards(samples, text);
  AppendReplays(samples, text);
  AppendWorkers(samples, text);
  for (const v1::RoleStatus& shard : samples.after) {
    if (shard.role() != "parameter-server" || shard.index() != 0) continue;
    text += fmt::format("run: {} frames, {} updates\n", CounterOf(shard, "frames"),
                        CounterOf(shard, "version"));
  }
  AppendRefusals(samples, text);
  AppendSharedMemory(samples, text);
  AppendBottleneck(samples, text);
  return text;
}

}  // namespace gorila::cli
