#include "gorila/launch/worker_samples.h"

#include <limits>

#include "gorila/launch/role_status.h"

namespace gorila {
namespace {

constexpr double kAlive = 5;  // seconds since the last report
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double MeanOf(double sum, int count) { return count > 0 ? sum / count : kUnknown; }

bool Plays(const v1::RoleStatus& role) { return role.role() == "bundle" || role.role() == "actor"; }

bool Learns(const v1::RoleStatus& role) {
  return role.role() == "bundle" || role.role() == "learner";
}

using Name = std::pair<std::string, int>;

// Of sums that begin at 0 when their process starts again.
LearnerStatistics Since(const LearnerStatistics& before, const LearnerStatistics& now) {
  if (now.batches < before.batches) return now;
  return {.batches = now.batches - before.batches,
          .value_sum = now.value_sum - before.value_sum,
          .value_max = now.value_max,
          .norms = now.norms - before.norms,
          .norm_sum = now.norm_sum - before.norm_sum,
          .entropies = now.entropies - before.entropies,
          .entropy_sum = now.entropy_sum - before.entropy_sum,
          .policy_loss_sum = now.policy_loss_sum - before.policy_loss_sum,
          .baseline_loss_sum = now.baseline_loss_sum - before.baseline_loss_sum,
          .lags = now.lags - before.lags,
          .lag_sum = now.lag_sum - before.lag_sum};
}

WorkerCounts CountsOf(const v1::RoleStatus& role) {
  const LearnerStatistics learning = LearningOf(role);
  return {.frames = CounterOf(role, "frames"),
          .gradients = CounterOf(role, "gradients") - CounterOf(role, "outliers"),
          .lags = learning.lags,
          .lag_sum = learning.lag_sum};
}

}  // namespace

std::vector<const v1::RoleStatus*> LivingProcesses(
    const google::protobuf::RepeatedPtrField<v1::RoleStatus>& roles) {
  std::map<Name, const v1::RoleStatus*> living;
  for (const v1::RoleStatus& role : roles) {
    if (role.silent_seconds() > kAlive) continue;
    const v1::RoleStatus*& newest = living[{role.role(), role.index()}];
    if (newest == nullptr || role.silent_seconds() < newest->silent_seconds()) newest = &role;
  }
  std::vector<const v1::RoleStatus*> processes;
  processes.reserve(living.size());
  for (const auto& [name, status] : living) processes.push_back(status);
  return processes;
}

WorkerSamples::WorkerSamples(int bundles, int actors, int learners) {
  for (int i = 0; i < bundles; ++i) PlayerOf({"bundle", i});
  for (int i = 0; i < actors; ++i) PlayerOf({"actor", i});
  for (int i = 0; i < learners; ++i) {
    learner_work_[i] = {};
    learner_counts_[i] = {};
  }
}

BundleSample& WorkerSamples::PlayerOf(const Name& name) {
  const auto [place, added] = places_.try_emplace(name, players_.size());
  if (added) {
    BundleSample& player = players_.emplace_back();
    player.epsilon = kUnknown;
    player.learns = name.first == "bundle";
  }
  return players_[place->second];
}

void WorkerSamples::AddPlayer(const v1::RoleStatus& role, RunSample& sample) {
  ++(role.role() == "bundle" ? sample.bundles : sample.actors);
  sample.replay_rows += CounterOf(role, "replay_rows");
  sample.replay_capacity += CounterOf(role, "replay_capacity");
  BundleSample& player = PlayerOf({role.role(), role.index()});
  player.epsilon = GaugeOf(role, "epsilon");
  player.work = WorkOf(role);
  player.counts = CountsOf(role);
  sample.epsilon += player.epsilon;
}

void WorkerSamples::AddLearner(const v1::RoleStatus& role, RunSample& sample) {
  if (role.role() == "learner") {
    ++sample.learners;
    learner_work_[role.index()] = WorkOf(role);
    learner_counts_[role.index()] = CountsOf(role);
  }
  sample.outliers += CounterOf(role, "outliers");
  sample.loss += GaugeOf(role, "loss");
  const LearnerStatistics now = LearningOf(role);
  LearnerStatistics& before = learned_[{role.role(), role.index()}];
  learning_ += Since(before, now);
  before = now;
}

void WorkerSamples::AddTo(const google::protobuf::RepeatedPtrField<v1::RoleStatus>& roles,
                          const google::protobuf::RepeatedPtrField<v1::Episode>& episodes,
                          RunSample& sample) {
  for (BundleSample& player : players_) player.episodes.clear();
  for (const v1::RoleStatus* const role : LivingProcesses(roles)) {
    if (Plays(*role)) AddPlayer(*role, sample);
    if (Learns(*role)) AddLearner(*role, sample);
  }
  for (const v1::Episode& episode : episodes) {
    const EpisodeResult result{episode.episode_return(), episode.length(), episode.game()};
    sample.episodes.push_back(result);
    PlayerOf({episode.role(), episode.index()}).episodes.push_back(result);
  }
  sample.epsilon = MeanOf(sample.epsilon, sample.bundles + sample.actors);
  sample.loss = MeanOf(sample.loss, sample.bundles + sample.learners);
  sample.per_bundle = players_;
  for (const auto& [index, work] : learner_work_) sample.learner_work.push_back(work);
  for (const auto& [index, counts] : learner_counts_) sample.learner_counts.push_back(counts);
  sample.learning = learning_;
}

}  // namespace gorila
