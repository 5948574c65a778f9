#include "gorila/dashboard/progress_json.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "gorila/base/json.h"
#include "gorila/run/thread_values.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

// NaN as null.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json BundleJson(const BundleProgress& bundle) {
  return {{"return", Number(bundle.recent_return)},
          {"epsilon", Number(bundle.epsilon)},
          {"work", bundle.work}};
}

Json GamesJson(const std::vector<GameProgress>& games) {
  Json json = Json::array();
  for (const GameProgress& game : games) {
    json.push_back({{"name", game.name},
                    {"frames", game.frames},
                    {"episodes", game.episodes},
                    {"return", Number(game.recent_return)}});
  }
  return json;
}

// The most that the page shows: a thousand would make each of two events a second 100 kB.
template <typename Thread>
std::span<const Thread> FirstThreads(const std::vector<Thread>& threads) {
  return std::span(threads).first(std::min(threads.size(), kMostThreadsInFull));
}

}  // namespace

std::string SnapshotJson(const ProgressSnapshot& snapshot) {
  Json json = {{"frames", snapshot.frames},
               {"total_frames", snapshot.total_frames},
               {"updates", snapshot.updates},
               {"frames_per_second", snapshot.frames_per_second},
               {"updates_per_second", snapshot.updates_per_second},
               {"epsilon", Number(snapshot.epsilon)},
               {"return", Number(snapshot.recent_return)},
               {"episodes", snapshot.episodes},
               {"accepted", snapshot.accepted},
               {"stale", snapshot.stale},
               {"outliers", snapshot.outliers},
               {"invalid", snapshot.invalid},
               {"replay_size", snapshot.replay_size},
               {"replay_capacity", snapshot.replay_capacity},
               {"seconds_elapsed", snapshot.seconds_elapsed},
               {"seconds_left", Number(snapshot.seconds_left)},
               {"resident_bytes", snapshot.resident_bytes},
               {"staleness", snapshot.staleness},
               {"work", snapshot.work},
               {"bottleneck", snapshot.bottleneck},
               {"bundle_count", snapshot.per_bundle.size()},
               {"learner_count", snapshot.learner_work.size()},
               {"learners", Json::array()},
               {"bundles", Json::array()}};
  for (const WorkSeconds& learner : FirstThreads(snapshot.learner_work)) {
    json["learners"].push_back(learner);
  }
  for (const BundleProgress& bundle : FirstThreads(snapshot.per_bundle)) {
    json["bundles"].push_back(BundleJson(bundle));
  }
  if (!snapshot.per_game.empty()) json["games"] = GamesJson(snapshot.per_game);
  return DumpJson(json);
}

}  // namespace gorila
