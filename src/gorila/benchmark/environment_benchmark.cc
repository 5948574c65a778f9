#include <barrier>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/base/thread.h"
#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/env/atari/ale_source.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/atari/rom_folder.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

// One environment with random actions.
class Game {
 public:
  static StatusOr<Game> Make(std::string_view name, std::uint64_t seed,
                             const EnvironmentOptions& options = {}) {
    GORILA_ASSIGN_OR_RETURN(auto environment,
                            MakeEnvironment(name, options, MakeRandomDraws(RandomStream(seed))));
    return Game(std::move(environment), seed + 1);
  }

  void Step() {
    const StatusOr<TimeStep> now =
        over_ ? environment_->Reset(frame_)
              : environment_->Step(random_.Integer(0, environment_->spec().num_actions()), frame_);
    GORILA_CHECK(now.ok(), "{}", now.status().ToString());  // no game that is built in fails
    over_ = now->last();
  }
  void Step(long steps) {
    for (long i = 0; i < steps; ++i) Step();
  }

 private:
  Game(std::unique_ptr<Environment> environment, std::uint64_t seed)
      : environment_(std::move(environment)),
        random_(seed),
        frame_(environment_->spec().observation.frame_bytes()) {}

  std::unique_ptr<Environment> environment_;
  RandomStream random_;
  std::vector<std::byte> frame_;
  bool over_ = true;
};

StatusOr<BenchmarkResult> MeasureEnvironment(const EnvironmentRow& row,
                                             const BenchmarkOptions& options) {
  GORILA_ASSIGN_OR_RETURN(Game game, Game::Make(row.name, 1));
  return Measure({.name = fmt::format("env/{}", row.name), .unit = "frames/s"}, options.seconds,
                 ThreadSeconds, {.call = [&] { game.Step(); }});
}

int FramesOfAStep() { return AtariOptions().action_repeat; }

// An emulator by itself, each random position held as long as the preprocessing repeats an action.
class Emulator {
 public:
  explicit Emulator(std::unique_ptr<atari::FrameSource> source)
      : source_(std::move(source)), draws_(MakeRandomDraws(RandomStream(1))), random_(2) {
    source_->Reset(*draws_);
  }

  void Step() {
    const std::vector<atari::Joystick>& positions = source_->spec().legal_actions;
    const atari::Joystick position = positions[random_.Below(positions.size())];
    for (int i = 0; i < FramesOfAStep(); ++i) source_->Act(position, *draws_);
    if (source_->game_over()) source_->Reset(*draws_);
  }

 private:
  std::unique_ptr<atari::FrameSource> source_;
  std::unique_ptr<DrawSource> draws_;
  RandomStream random_;
};

// What the preprocessing costs on top of ALE.
StatusOr<BenchmarkResult> MeasurePreprocessing(std::string_view game, const std::string& roms,
                                               const BenchmarkOptions& options) {
  const std::string name = fmt::format("{}{}", atari::kAtariFolder, game);
  GORILA_ASSIGN_OR_RETURN(Game whole, Game::Make(name, 1, {.atari = {.rom_folder = roms}}));
  GORILA_ASSIGN_OR_RETURN(auto source, atari::MakeAleSource(game, roms));
  Emulator emulator(std::move(source));
  const double frames = FramesOfAStep();
  const TimedWork alone{.call = [&] { emulator.Step(); }, .amount = frames};
  return Measure({.name = fmt::format("env/{}", name),
                  .unit = "emulator frames/s",
                  .limit_name = "the emulator alone"},
                 options.seconds, ThreadSeconds, {.call = [&] { whole.Step(); }, .amount = frames},
                 &alone);
}

// Threads that play a game each, which they have made themselves: memory of their own, so that no
// two of them write to one cache line.
class Players {
 public:
  // `name` can be made.
  Players(std::string_view name, int threads) : barrier_(threads + 1) {
    for (int i = 0; i < threads; ++i) {
      threads_.push_back(StartThreadOrEnd(
          "benchmark", [this, name, i] { Loop(name, static_cast<std::uint64_t>(i)); }));
    }
    barrier_.arrive_and_wait();
  }
  ~Players() {
    steps_ = 0;
    barrier_.arrive_and_wait();
    for (Thread& thread : threads_) thread.join();
  }
  Players(const Players&) = delete;
  Players& operator=(const Players&) = delete;

  // Each of them plays as many steps, above 0.
  void Play(long steps) {
    steps_ = steps;
    barrier_.arrive_and_wait();
    barrier_.arrive_and_wait();
  }

 private:
  void Loop(std::string_view name, std::uint64_t seed) {
    Game game = Game::Make(name, seed).value();
    barrier_.arrive_and_wait();
    while (true) {
      barrier_.arrive_and_wait();
      if (steps_ == 0) return;
      game.Step(steps_);
      barrier_.arrive_and_wait();
    }
  }

  std::barrier<> barrier_;  // between Play()'s thread and all others
  long steps_ = 0;
  std::vector<Thread> threads_;
};

// Steps that take so long that waking a thread for them does not count.
long StepsOfASlice(Game& game) {
  constexpr double kLong = 0.02;
  long steps = 1;
  for (double spent = 0; spent < kLong; steps *= 2) {
    const double start = WallSeconds();
    game.Step(steps);
    spent = WallSeconds() - start;
  }
  return steps;
}

// One environment in each of `threads`, against as many times one alone.
StatusOr<BenchmarkResult> MeasureThreads(std::string_view name, int threads,
                                         const BenchmarkOptions& options) {
  GORILA_ASSIGN_OR_RETURN(Game game, Game::Make(name, 1));
  const long steps = StepsOfASlice(game);
  Players players(name, threads);
  const double amount = static_cast<double>(steps) * threads;
  const TimedWork alone{.call = [&] { game.Step(steps); }, .amount = amount};
  return Measure({.name = fmt::format("env/{}/threads/{}", name, threads),
                  .unit = "frames/s",
                  .limit_name = "one thread's rate x threads"},
                 options.seconds, WallSeconds,
                 {.call = [&] { players.Play(steps); }, .amount = amount}, &alone);
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunEnvironmentBenchmark(const BenchmarkOptions& options) {
  std::vector<BenchmarkResult> results;
  for (const EnvironmentRow& row : EnvironmentTable()) {
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasureEnvironment(row, options));
    results.push_back(std::move(result));
  }
  const std::string roms = atari::RomFolder();
  const auto games = atari::AleIsBuiltIn() ? atari::GamesIn(roms) : std::vector<std::string_view>();
  for (const std::string_view game : games) {
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasurePreprocessing(game, roms, options));
    results.push_back(std::move(result));
  }
  for (const char* const name : {"minatar/breakout", "pixel/breakout"}) {
    for (int threads = 2; threads <= options.cores; threads *= 2) {
      GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasureThreads(name, threads, options));
      results.push_back(std::move(result));
    }
  }
  for (const auto part : {&MeasurePlugins, &MeasureWorkers}) {
    GORILA_ASSIGN_OR_RETURN(const std::vector<BenchmarkResult> measured, part(options));
    results.insert(results.end(), measured.begin(), measured.end());
  }
  return results;
}

}  // namespace gorila
