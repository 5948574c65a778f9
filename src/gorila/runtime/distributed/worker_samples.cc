#include "gorila/runtime/distributed/worker_samples.h"

#include <algorithm>

#include "gorila/runtime/distributed/role_report.h"

namespace gorila {
namespace {

constexpr double kAlive = 5;  // seconds since the last report

bool Plays(const v1::RoleStatus& role) { return role.role() == "bundle" || role.role() == "actor"; }

bool Learns(const v1::RoleStatus& role) {
  return role.role() == "bundle" || role.role() == "learner";
}

using Name = std::pair<std::string, int>;

// Of a process that was started again there may still be the last report of the one before.
std::map<Name, const v1::RoleStatus*> Living(
    const google::protobuf::RepeatedPtrField<v1::RoleStatus>& roles) {
  std::map<Name, const v1::RoleStatus*> living;
  for (const v1::RoleStatus& role : roles) {
    if (role.silent_seconds() > kAlive) continue;
    const v1::RoleStatus*& newest = living[{role.role(), role.index()}];
    if (newest == nullptr || role.silent_seconds() < newest->silent_seconds()) newest = &role;
  }
  return living;
}

// Of sums that begin at 0 when their process starts again.
LearnerStatistics Since(const LearnerStatistics& before, const LearnerStatistics& now) {
  if (now.batches < before.batches) return now;
  return {.batches = now.batches - before.batches,
          .value_sum = now.value_sum - before.value_sum,
          .value_max = now.value_max,
          .norms = now.norms - before.norms,
          .norm_sum = now.norm_sum - before.norm_sum};
}

}  // namespace

BundleSample& WorkerSamples::PlayerOf(const Name& name) {
  const auto [place, added] = places_.try_emplace(name, players_.size());
  if (added) players_.emplace_back();
  return players_[place->second];
}

void WorkerSamples::AddPlayer(const v1::RoleStatus& role, RunSample& sample) {
  ++(role.role() == "bundle" ? sample.bundles : sample.actors);
  sample.replay_rows += CounterOf(role, "replay_rows");
  sample.replay_capacity += CounterOf(role, "replay_capacity");
  BundleSample& player = PlayerOf({role.role(), role.index()});
  player.epsilon = GaugeOf(role, "epsilon");
  player.work = WorkOf(role);
  sample.epsilon += player.epsilon;
}

void WorkerSamples::AddLearner(const v1::RoleStatus& role, RunSample& sample) {
  if (role.role() == "learner") ++sample.learners;
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
  for (const auto& [name, role] : Living(roles)) {
    if (Plays(*role)) AddPlayer(*role, sample);
    if (Learns(*role)) AddLearner(*role, sample);
  }
  for (const v1::Episode& episode : episodes) {
    const EpisodeResult result{episode.episode_return(), episode.length()};
    sample.episodes.push_back(result);
    PlayerOf({episode.role(), episode.index()}).episodes.push_back(result);
  }
  sample.epsilon /= std::max(sample.bundles + sample.actors, 1);
  sample.loss /= std::max(sample.bundles + sample.learners, 1);
  sample.per_bundle = players_;
  sample.learning = learning_;
}

}  // namespace gorila
