#include <memory>
#include <vector>

#include "gorila/actor/actor.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/base/denormals.h"
#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"
#include "gorila/env/registry.h"
#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

constexpr int kEnvironments = 8;
constexpr std::string_view kActorGame = "minatar/breakout";

StatusOr<std::vector<std::unique_ptr<Environment>>> MakeGames() {
  std::vector<std::unique_ptr<Environment>> games;
  for (std::uint64_t i = 0; i < kEnvironments; ++i) {
    GORILA_ASSIGN_OR_RETURN(
        std::unique_ptr<Environment> game,
        MakeEnvironment(kActorGame, {},
                        MakeRandomDraws(RandomStream::Derive(1, "environment", i))));
    games.push_back(std::move(game));
  }
  return games;
}

// Plays with random actions: what stepping the games alone costs.
class GamesAlone {
 public:
  explicit GamesAlone(std::vector<std::unique_ptr<Environment>> games)
      : games_(std::move(games)),
        frame_(games_.front()->spec().observation.frame_bytes()),
        over_(games_.size(), 1) {}

  void StepAll() {
    for (std::size_t i = 0; i < games_.size(); ++i) {
      const StatusOr<TimeStep> step =
          over_[i] != 0
              ? games_[i]->Reset(frame_)
              : games_[i]->Step(random_.Integer(0, games_[i]->spec().num_actions()), frame_);
      over_[i] = step.value().last() ? 1 : 0;
    }
  }

 private:
  std::vector<std::unique_ptr<Environment>> games_;
  std::vector<std::byte> frame_;
  std::vector<char> over_;
  RandomStream random_{4};
};

}  // namespace

// The limit is the games alone plus the network's arithmetic at the rate of SGEMM.
StatusOr<std::vector<BenchmarkResult>> RunActorBenchmark(const BenchmarkOptions& options) {
  FlushDenormalsInThisThread();
  GORILA_ASSIGN_OR_RETURN(auto games, MakeGames());
  const EnvironmentSpec spec = games.front()->spec();
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, MakeNetworkSpec("minatar_dqn", spec));
  GORILA_ASSIGN_OR_RETURN(const auto store, MakeBenchmarkStore(network, 1));
  GORILA_ASSIGN_OR_RETURN(auto q_network, MakeQNetwork("auto", network, kEnvironments));
  NetworkReplica replica(std::move(q_network), *store, NetworkReplica::Follows::kOnline);
  GORILA_ASSIGN_OR_RETURN(
      const auto replay,
      LocalReplay::Make({.capacity = 20000}, spec.observation, kEnvironments, RandomStream(1)));
  GORILA_ASSIGN_OR_RETURN(const auto actor,
                          Actor::Make({.exploration = {.epsilon_start = 0.01, .epsilon_end = 0.01}},
                                      {}, std::move(games), replica,
                                      std::make_unique<EpsilonGreedyPolicy>(replica.network()),
                                      *replay, RandomStream(2)));
  std::vector<EpisodeResult> finished;
  const auto act = [&] {
    finished.clear();
    const Status status = actor->Step(0, finished);
    GORILA_CHECK(status.ok(), "{}", status.ToString());
  };
  GORILA_ASSIGN_OR_RETURN(auto same_games, MakeGames());
  GamesAlone alone(std::move(same_games));
  SgemmLimit sgemm;
  const double flops = MakeNetworkShape(network).forward_flops() * kEnvironments;
  const auto rounds = static_cast<int>(SgemmLimit::flops() / flops);  // for one SGEMM
  const TimedWork limit{.call =
                            [&] {
                              for (int i = 0; i < rounds; ++i) alone.StepAll();
                              sgemm.Call();
                            },
                        .amount = static_cast<double>(rounds) * kEnvironments};
  return std::vector{Measure({.name = fmt::format("actor/{}/{}", kActorGame, kEnvironments),
                              .unit = "frames/s",
                              .limit_name = "games + SGEMM"},
                             options.seconds, ThreadSeconds, {.call = act, .amount = kEnvironments},
                             &limit)};
}

}  // namespace gorila
