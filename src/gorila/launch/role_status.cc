#include "gorila/launch/role_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace gorila {
namespace {

std::string WorkName(std::size_t work) { return fmt::format("work_{}", kWorkNames[work]); }

}  // namespace

std::int64_t CounterOf(const v1::RoleStatus& status, const std::string& name) {
  const auto found = status.counters().find(name);
  return found == status.counters().end() ? 0 : found->second;
}

double GaugeOf(const v1::RoleStatus& status, const std::string& name) {
  const auto found = status.gauges().find(name);
  return found == status.gauges().end() ? 0 : found->second;
}

void AddLearnerCounters(const LearnerCounters& learner, v1::RoleStatus& status) {
  auto& counters = *status.mutable_counters();
  counters["gradients"] = learner.gradients;
  counters["outliers"] = learner.outliers;
  counters["accepted"] = learner.slices.accepted;
  counters["stale"] = learner.slices.stale;
  counters["invalid"] = learner.slices.invalid;
  (*status.mutable_gauges())["loss"] = learner.loss;
}

void AddLearning(const LearnerStatistics& learning, v1::RoleStatus& status) {
  auto& counters = *status.mutable_counters();
  counters["batches"] = learning.batches;
  counters["norms"] = learning.norms;
  counters["lags"] = learning.lags;
  counters["lag_sum"] = learning.lag_sum;
  auto& gauges = *status.mutable_gauges();
  gauges["value_sum"] = learning.value_sum;
  gauges["norm_sum"] = learning.norm_sum;
  gauges["value_max"] = learning.value_max;
  if (learning.entropies == 0) return;
  counters["entropies"] = learning.entropies;
  gauges["entropy_sum"] = learning.entropy_sum;
  gauges["policy_loss_sum"] = learning.policy_loss_sum;
  gauges["baseline_loss_sum"] = learning.baseline_loss_sum;
}

LearnerStatistics LearningOf(const v1::RoleStatus& status) {
  LearnerStatistics learning{.batches = CounterOf(status, "batches"),
                             .value_sum = GaugeOf(status, "value_sum"),
                             .norms = CounterOf(status, "norms"),
                             .norm_sum = GaugeOf(status, "norm_sum"),
                             .entropies = CounterOf(status, "entropies"),
                             .entropy_sum = GaugeOf(status, "entropy_sum"),
                             .policy_loss_sum = GaugeOf(status, "policy_loss_sum"),
                             .baseline_loss_sum = GaugeOf(status, "baseline_loss_sum"),
                             .lags = CounterOf(status, "lags"),
                             .lag_sum = CounterOf(status, "lag_sum")};
  if (learning.batches > 0) learning.value_max = GaugeOf(status, "value_max");
  return learning;
}

void AddGroup(const NetworkGroup* group, v1::RoleStatus& status) {
  if (group == nullptr) return;
  (*status.mutable_counters())["lost_gradients"] = group->lost_gradients();
  // A process's own store knows only its own pieces.
  (*status.mutable_gauges())["parameter_server_seconds"] = group->seconds();
}

void AddWork(const WorkSeconds& work, v1::RoleStatus& status) {
  for (std::size_t i = 0; i < kWorks; ++i) (*status.mutable_gauges())[WorkName(i)] = work[i];
}

WorkSeconds WorkOf(const v1::RoleStatus& status) {
  WorkSeconds work{};
  for (std::size_t i = 0; i < kWorks; ++i) {
    const double seconds = GaugeOf(status, WorkName(i));
    work[i] = std::isfinite(seconds) ? std::max(seconds, 0.0) : 0;  // of a peer; it is summed
  }
  return work;
}

}  // namespace gorila
