#include "gorila/cli/training_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>
#include <utility>

#include "gorila/base/command.h"
#include "gorila/cli/machine.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/version.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/external/external_name.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/number_format.h"
#include "gorila/metrics/progress_history.h"
#include "gorila/report/run_history.h"
#include "gorila/report/run_report.h"
#include "gorila/run/initial_network.h"

namespace gorila::cli {
namespace {

constexpr int kStderr = 2;

std::string DescribeLayers(const NetworkSpec& network) {
  std::vector<std::string> layers;
  for (const ConvolutionSpec& layer : network.convolutions) {
    layers.push_back(
        fmt::format("conv {} {}x{}/{}", layer.filters, layer.kernel, layer.kernel, layer.stride));
  }
  for (const int units : network.hidden) layers.push_back(fmt::format("dense {}", units));
  for (const HeadSpec& head : network.heads) {
    layers.push_back(fmt::format("{} {}", head.name, head.width));
  }
  if (network.game_heads) layers.emplace_back("heads of each game");
  layers.push_back(fmt::format("{} actions{}", network.num_actions,
                               network.noise > 0 ? ", noisy from the first dense layer on" : ""));
  return fmt::format("{}", fmt::join(layers, ", "));
}

// A file that cannot be written is a runtime failure, whatever code the system gave it.
Status AsFailure(const Status& status) {
  if (status.ok()) return status;
  return Unavailable("{}; everything else was written", std::string(status.message()));
}

std::string DescribeLength(const RunOptions& run) {
  std::string frames = fmt::format("{} frames", run.frames);
  if (run.seconds == 0) return frames;
  return fmt::format("{}, at most {}", frames, FormatDuration(run.seconds));
}

void PrintGames(const EvaluationResult& result) {
  std::string_view heading = "games";
  for (const std::string& line : DescribeGames(result)) {
    fmt::print("{:<14} {}\n", std::exchange(heading, ""), line);
  }
}

// The caveats of the score.
void PrintContext(const EvaluationRecord& record) {
  const ScoreContext& context = *record.context;
  if (context.evaluations > 0) {
    const bool last = record.frames == context.last_frames;
    fmt::print("               {}, {}\n", DescribeNetwork(context),
               last ? "which is the last network"
                    : fmt::format("after {} frames", record.frames.value_or(0)));
  }
  if (context.last.has_value()) {
    fmt::print("last network   {}, after {} frames\n", DescribeMean(context.last->summary),
               context.last_frames);
  }
  if (context.skipped > 0) {
    fmt::print("skipped        {} evaluation{} that training did not wait for\n", context.skipped,
               context.skipped == 1 ? "" : "s");
  }
  if (std::isfinite(context.training_return)) {
    fmt::print("training       return {:.2f} in the end\n", context.training_return);
  }
  for (const std::string& warning : ScoreWarnings(record.result, context)) {
    if (warning != context.problem) fmt::print("warning        {}\n", warning);
  }
}

}  // namespace

TrainingConsole::TrainingConsole(bool quiet)
    : quiet_(quiet), options_(DetectProgressOptions(kStderr, quiet)), view_(std::cerr, options_) {}

TrainerHooks TrainingConsole::Hooks() {
  return {.stop_requested = [this] { return StopWanted(); },
          .progress = [this](const ProgressSnapshot& snapshot) { Show(snapshot); },
          .message = [this](std::string_view message) { view_.Print(message); },
          .warning = [this](std::string_view warning) { Warn(warning); },
          .evaluated =
              [this](std::int64_t frames, double mean) {
                view_.AddEvaluation(static_cast<std::uint64_t>(frames), mean);
              }};
}

void TrainingConsole::BeginWith(const std::filesystem::path& run_directory, const Config& config) {
  if (quiet_ || !options_.terminal) return;
  RunHistory log;
  // Whoever continues the log tells of what is wrong with it; curves of what can be read are right.
  ReadRunHistory(run_directory / "metrics.jsonl", log).IgnoreError();
  ProgressHistory history;
  for (const CurveSample& sample : log.return_over_frames().samples()) {
    history.AddReturn("", sample);
  }
  for (const std::string& name : GamesOf(config)) {
    const GameHistory* const game = log.game(name);
    if (game == nullptr) continue;
    for (const CurveSample& sample : game->return_over_frames.samples()) {
      history.AddReturn(name, sample);
    }
  }
  for (const CurvePoint& point : log.evaluations()) history.AddEvaluation({point.x, point.mean});
  view_.BeginWith(std::move(history));
}

// Shown even with --quiet.
void TrainingConsole::Warn(std::string_view warning) {
  if (quiet_) {
    std::cerr << fmt::format("gorila: {}\n", warning);
  } else {
    view_.Print(warning);
  }
}

// A terminal is updated with every snapshot; a log file gets a line now and then, and the last.
void TrainingConsole::Show(const ProgressSnapshot& snapshot) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = snapshot.frames >= snapshot.total_frames;
  if (!options_.terminal && !last && now < next_line_) return;
  next_line_ = now + std::chrono::seconds(10);
  view_.Show(snapshot);
}

bool TrainingConsole::StopWanted() {
  if (!StopRequested()) return false;
  if (!stopping_) {
    stopping_ = true;
    view_.Print("stopping with a checkpoint; press Ctrl-C again to quit at once");
  }
  return true;
}

Status RecordEnvironmentAndNote(Config& config) {
  GORILA_ASSIGN_OR_RETURN(const std::string note, RecordEnvironment(config));
  if (!note.empty()) std::cerr << fmt::format("gorila: {}\n", note);
  return OkStatus();
}

Status RecordAndNote(Config& config) {
  GORILA_RETURN_IF_ERROR(RecordEnvironmentAndNote(config));
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string> lines, RecordInitialNetwork(config));
  static std::set<std::string> said;  // many runs may begin with one network
  for (const std::string& line : lines) {
    if (said.insert(line).second) std::cerr << fmt::format("gorila: {}\n", line);
  }
  return OkStatus();
}

std::string RunFolderName(std::string name) {
  const auto external = ParseExternalName(name);
  const std::size_t slash = name.rfind('/');
  if (external.has_value() && slash != std::string::npos &&
      (external->kind == ExternalKind::kPlugin || external->kind == ExternalKind::kPluginProcess)) {
    name = name.substr(0, name.find(':') + 1) +
           std::filesystem::path(name.substr(slash + 1)).stem().string();
  }
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.';
      },
      '-');
  return name;
}

std::filesystem::path FreeRunDirectory(const Config& config, const std::string& source) {
  const std::string environment = RunFolderName(GamesLabel(config.environment.name));
  for (int n = 1;; ++n) {
    std::filesystem::path path =
        std::filesystem::path("runs") /
        fmt::format("{}-{}-seed{}-{}", environment, source, config.run.seed, n);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return path;
  }
}

StatusOr<std::unique_ptr<RunDirectory>> MakeRunDirectory(const std::filesystem::path& path,
                                                         const Config& config,
                                                         const std::string& source) {
  for (;;) {
    auto made = RunDirectory::Create(path.empty() ? FreeRunDirectory(config, source) : path);
    // Another process took it first; it exists now, so the next attempt skips it.
    if (path.empty() && absl::IsAlreadyExists(made.status())) continue;
    // A directory that cannot be written is an invalid argument.
    if (!absl::IsUnavailable(made.status())) return made;
    return InvalidArgument("--run-dir: {}", std::string(made.status().message()));
  }
}

Status PrintPlan(const Config& config, int shards, const std::filesystem::path& directory) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  if (const int games = NumGames(config); games > 1) {
    fmt::print("games          {}\n", fmt::join(GamesOf(config), ", "));
    fmt::print("environments   {} an actor, dealt out to {} games\n", config.actor.environments,
               games);
  } else {
    fmt::print("environment    {}\n", config.environment.name);
  }
  fmt::print("network        {}\n", DescribeLayers(network));
  fmt::print("parameters     {}\n", MakeParameterLayout(network).size);
  fmt::print("training       {}, seed {}{}\n", DescribeLength(config.run), config.run.seed,
             config.run.deterministic ? ", deterministic" : "");
  fmt::print("bundles        {}, parameter server in {} shards\n", config.run.bundles, shards);
  if (config.cluster.actors > 0) {
    fmt::print("beside them    {} actors, {} replay shards, {} learners\n", config.cluster.actors,
               config.cluster.replays, config.cluster.learners);
  }
  if (config.run.bundles > 0) {
    fmt::print("replay memory  {} frames a bundle, {} in all\n", config.replay.options.capacity,
               FormatBytes(Trainer::ExpectedReplayBytes(config, network)));
  }
  fmt::print("run directory  {}\n", directory.string());
  std::fflush(stdout);
  return OkStatus();
}

void PrintResult(const std::filesystem::path& directory, const EvaluationRecord& record) {
  const std::string path = directory.string();
  fmt::print("score          {}\n", DescribeScore(record.result));
  if (record.result.games.empty()) {
    fmt::print("               {}\n", DescribeRange(record.result));
  } else {
    fmt::print("               {}\n", record.result.aggregate);
    PrintGames(record.result);
  }
  if (record.context.has_value()) PrintContext(record);
  fmt::print("run directory  {}\n", path);
  fmt::print("               report.html, report.md, metrics.jsonl, final.safetensors\n");
  const std::string quoted = ShellQuotedPath(path);
  const std::string game =
      record.result.games.empty() ? "" : fmt::format(" --game {}", record.result.games[0].game);
  fmt::print("next           gorila play {}{}\n", quoted, game);
  fmt::print("               gorila evaluate {}\n", quoted);
}

int ShowFinished(const std::filesystem::path& directory, std::string_view resume,
                 const EvaluationRecord& record, bool quiet) {
  if (!quiet) {
    std::cerr << fmt::format(
        "the run is finished; to train longer: {} {} --frames N (or --seconds N if it ran out "
        "of time)\n",
        resume, ShellQuotedPath(directory.string()));
  }
  PrintResult(directory, record);
  return kSuccess;
}

StatusOr<int> EndRun(const std::filesystem::path& directory, const Config& config,
                     const TrainingOutcome& outcome, const Invocation& invocation,
                     std::string_view resume) {
  if (!outcome.finished) {
    std::cerr << fmt::format("stopped at {} frames; continue with: {}\n", outcome.progress.frames,
                             resume);
    GORILA_RETURN_IF_ERROR(AsFailure(outcome.unwritten));
    return kInterrupted;
  }
  const RunReportSource source{.command = invocation.command,
                               .version = std::string(Version()),
                               .machine = Describe(LookAtMachine())};
  Status unwritten = outcome.unwritten;
  unwritten.Update(WriteRunReport(directory, config, outcome, source));
  const StatusOr<EvaluationRecord> record = ReadFinalEvaluation(directory);
  unwritten.Update(record.status());
  if (record.ok()) PrintResult(directory, *record);
  GORILA_RETURN_IF_ERROR(AsFailure(unwritten));
  if (outcome.problem.empty()) return kSuccess;
  std::fflush(stdout);
  std::cerr << fmt::format("gorila: {}: {}\n", directory.string(), outcome.problem);
  return kFailure;
}

RunStart DescribeStart(const Invocation& invocation) {
  return {.time = TimeNow(),
          .command = invocation.command,
          .version = std::string(Version()),
          .machine = Describe(LookAtMachine())};
}

void RecordStart(const std::filesystem::path& directory, const Invocation& invocation,
                 const StartSettings& settings, TrainerHooks& hooks) {
  hooks.started = [directory, start = DescribeStart(invocation), settings, warn = hooks.warner()](
                      std::int64_t frames, double seconds) mutable {
    start.frames = frames;
    start.seconds = seconds;
    const Status written = AppendRunStart(directory, start, settings);
    if (!written.ok() && warn) {
      warn(fmt::format("this start is not recorded: {}", std::string(written.message())));
    }
  };
}

StatusOr<int> TrainToEnd(Trainer& trainer, TrainingConsole& console, TrainingWatch& watch,
                         const Invocation& invocation, const Config* before) {
  const std::filesystem::path& path = trainer.directory().path();
  const Config& config = trainer.config();
  TrainerHooks hooks = console.Hooks();
  hooks.progress = watch.Showing(std::move(hooks.progress));
  RecordStart(path, invocation, {.now = config, .before = before == nullptr ? config : *before},
              hooks);
  console.BeginWith(trainer.directory().path(), trainer.config());
  GORILA_ASSIGN_OR_RETURN(const TrainingOutcome outcome, trainer.Run(hooks));
  return EndRun(path, config, outcome, invocation,
                "gorila resume " + ShellQuotedPath(path.string()));
}

}  // namespace gorila::cli
