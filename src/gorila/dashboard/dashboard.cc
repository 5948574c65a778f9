#include "gorila/dashboard/dashboard.h"

#include <charconv>
#include <chrono>
#include <thread>

#include "gorila/actor/exploration.h"
#include "gorila/base/denormals.h"
#include "gorila/base/json.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/dashboard/game_view.h"
#include "gorila/dashboard/metrics_page.h"
#include "gorila/dashboard/page.h"
#include "gorila/dashboard/progress_json.h"
#include "gorila/dashboard/run_metrics.h"
#include "gorila/metrics/run_log_tail.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr auto kHeartbeat = std::chrono::seconds(2);
constexpr auto kGamePeriod = std::chrono::milliseconds(90);
constexpr std::size_t kKeptEvents = 1000;
constexpr std::size_t kKeptEventBytes = std::size_t{4} << 20;
// Streams at once; each game has an environment, a network and a busy thread.
constexpr int kMostViewers = 24;
constexpr int kMostGames = 8;
// /metrics has those that were named and, of the others, those that train.
constexpr std::size_t kMostScrapedRuns = 100;
constexpr const char* kJsonType = "application/json; charset=utf-8";

// The newest training record in a log; empty without one.
ProgressSnapshot NewestProgress(const std::filesystem::path& log) {
  StatusOr<RunLogTail> tail = RunLogTail::Open(log);
  while (tail.ok()) {
    const auto record = tail->Previous();
    if (!record.ok() || !record->has_value()) break;
    if ((*record)->Text("kind") == "training") return ProgressOfRecord(**record);
  }
  return {};
}

// Of a training record; empty for a run without one.
ProgressSnapshot LastProgress(const std::string& line) {
  const StatusOr<RunLogRecord> record = ParseRunLogLine(line);
  return record.ok() ? ProgressOfRecord(*record) : ProgressSnapshot();
}

std::optional<int> ParseNumber(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class Viewer {
 public:
  explicit Viewer(RunBoard& board) : board_(board) { board_.AddViewers(1); }
  ~Viewer() { board_.AddViewers(-1); }
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

 private:
  RunBoard& board_;
};

}  // namespace

StatusOr<std::unique_ptr<Dashboard>> Dashboard::Start(std::unique_ptr<HttpListener> listener,
                                                      RunSources sources, ParameterStore* live) {
  std::unique_ptr<Dashboard> dashboard(new Dashboard(std::move(listener), live));
  GORILA_ASSIGN_OR_RETURN(dashboard->board_,
                          RunBoard::Make(std::move(sources), dashboard->events_));
  dashboard->Serve();
  return dashboard;
}

Dashboard::Dashboard(std::unique_ptr<HttpListener> listener, ParameterStore* live)
    : listener_(std::move(listener)), live_(live), events_(kKeptEvents, kKeptEventBytes) {}

void Dashboard::Serve() {
  AddPages();
  AddApi();
  listener_->Start();
  board_->Start();
}

Dashboard::~Dashboard() {
  if (board_ == nullptr) return;  // it never served
  board_->Stop();
  events_.Publish({"end", "{}"});
  listener_->Stop();
}

void Dashboard::AddPages() {
  for (const PageFile& file : PageFiles()) {
    listener_->Get(std::string(file.path), [&file](const HttpRequest&) {
      return HttpResponse{.type = std::string(file.type), .body = std::string(file.contents)};
    });
  }
}

void Dashboard::AddApi() {
  listener_->Get("/api/runs", [this](const HttpRequest&) { return Runs(); });
  listener_->Get("/api/rows", [this](const HttpRequest& request) { return Records(request); });
  listener_->Get("/metrics", [this](const HttpRequest&) { return Metrics(); });
  listener_->Stream("/api/events", kMostViewers,
                    [this](const HttpRequest&, EventSink& sink) { StreamEvents(sink); });
  listener_->Stream("/api/game", kMostGames, [this](const HttpRequest& request, EventSink& sink) {
    StreamGame(request, sink);
  });
}

void Dashboard::Publish(const ProgressSnapshot& snapshot) {
  {
    const MutexLock lock(snapshot_mutex_);
    snapshot_ = snapshot;
  }
  events_.Publish({"live", SnapshotJson(snapshot)});
}

HttpResponse Dashboard::Runs() {
  std::string json = "{";
  json += board_->ListJson();
  {
    const MutexLock lock(snapshot_mutex_);
    json += fmt::format(",\"live\":{}", live_ != nullptr || snapshot_.has_value());
    if (snapshot_.has_value()) json += ",\"snapshot\":" + SnapshotJson(*snapshot_);
  }
  return {.type = kJsonType, .body = json + "}"};
}

StatusOr<std::size_t> Dashboard::RunIndex(const HttpRequest& request) const {
  const std::string text = request.Get("run", "0");
  const auto run = ParseNumber(text);
  const std::size_t runs = board_->size();
  if (!run.has_value() || *run < 0 || static_cast<std::size_t>(*run) >= runs) {
    return InvalidArgument("run is '{}'; there are {} runs, from 0", text, runs);
  }
  return static_cast<std::size_t>(*run);
}

HttpResponse Dashboard::Records(const HttpRequest& request) {
  const StatusOr<std::size_t> run = RunIndex(request);
  if (!run.ok()) return {.status = 404, .body = std::string(run.status().message()) + "\n"};
  const int most = ParseNumber(request.Get("most", "0")).value_or(0);
  StatusOr<std::string> records =
      board_->Records(*run, most > 0 ? static_cast<std::size_t>(most) : RunBoardLimits().records);
  if (!records.ok()) return {.status = 503, .body = std::string(records.status().message()) + "\n"};
  return {.type = kJsonType, .body = *std::move(records)};
}

HttpResponse Dashboard::Metrics() {
  std::vector<RunMetrics> runs;
  for (const std::size_t run : board_->Scraped(kMostScrapedRuns)) {
    const RunBoard::Place place = board_->PlaceOf(run);
    runs.push_back({place.label, place.title, Present(run, place.directory)});
  }
  return AnswerScrape([&runs](PrometheusText& text) { AddRunMetrics(runs, text); });
}

ProgressSnapshot Dashboard::Present(std::size_t run, const std::filesystem::path& directory) {
  if (run == 0) {
    const MutexLock lock(snapshot_mutex_);
    if (snapshot_.has_value()) return *snapshot_;
  }
  const std::optional<std::string> line = board_->LastTraining(run);
  return line.has_value() ? LastProgress(*line) : NewestProgress(directory / "metrics.jsonl");
}

// The browser asks for runs and records once the stream is open, so that it misses nothing.
void Dashboard::StreamEvents(EventSink& sink) {
  std::uint64_t next = events_.end();
  const Viewer viewer(*board_);
  bool alive = sink.Send("hello", "{}");
  while (alive) {
    if (events_.Missed(next)) {
      next = events_.end();
      alive = sink.Send("missed", "{}");
      continue;
    }
    const auto event = events_.Wait(next, Clock::now() + kHeartbeat);
    if (event.has_value()) {
      alive = sink.Send(event->name, event->data) && event->name != "end";
    } else {
      alive = sink.Send("heartbeat", "{}") && sink.open();
    }
  }
}

double Dashboard::EpsilonNow(std::size_t run, const std::filesystem::path& directory,
                             const Config& config, int actor) {
  if (actor < 0) return 0;
  const ProgressSnapshot progress = Present(run, directory);
  const ExplorationOptions& options = config.actor.options.exploration;
  const std::uint64_t ticks =
      options.clock == ExplorationClock::kFrames ? progress.frames : progress.updates;
  const bool in_bundle = actor < config.run.bundles;
  return Epsilon(options, static_cast<std::int64_t>(ticks),
                 in_bundle ? actor : actor - config.run.bundles,
                 in_bundle ? config.run.bundles : config.cluster.actors);
}

std::unique_ptr<ParameterSource> Dashboard::ParametersOf(std::size_t run,
                                                         const std::filesystem::path& directory,
                                                         const Config& config,
                                                         const NetworkSpec& network) const {
  if (run == 0 && live_ != nullptr) return WatchStore(*live_);
  const ParameterLayout layout = MakeParameterLayout(network);
  if (IsLaunchedRun(directory)) return WatchLaunchedRun(directory, config, layout);
  return WatchRunDirectory(directory, layout);
}

void Dashboard::StreamGame(const HttpRequest& request, EventSink& sink) {
  FlushDenormalsInThisThread();
  const Status status = PlayGame(request, sink);
  if (!status.ok()) {
    sink.Send("problem", DumpJson(Json({{"message", std::string(status.message())}})));
  }
}

// Streams until the browser disconnects. Waits for the first network of a run.
Status Dashboard::PlayGame(const HttpRequest& request, EventSink& sink) {
  GORILA_ASSIGN_OR_RETURN(const std::size_t run, RunIndex(request));
  const int actor = ParseNumber(request.Get("actor", "-1")).value_or(-1);
  const std::filesystem::path directory = board_->PlaceOf(run).directory;
  GORILA_ASSIGN_OR_RETURN(const Config all, LoadRunConfig(directory / "config.toml"));
  const int games = NumGames(all);
  const int number = ParseNumber(request.Get("game", "0")).value_or(-1);
  if (number < 0 || number >= games) {
    return InvalidArgument("game is '{}'; expected 0 to {}", request.Get("game"), games - 1);
  }
  Config config = OneGame(all, number);
  // Actors sample from a policy, whatever evaluations do.
  if (actor >= 0) config.evaluation.act = EvaluationAct::kAuto;
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const int actors = config.run.bundles + config.cluster.actors;
  if (actor >= actors) {
    return InvalidArgument("actor is {}; expected at most {}", actor, actors - 1);
  }
  const auto seed = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<GameView> view,
      GameView::Make(
          config, ParametersOf(run, directory, all, network),
          [this, run, directory, all, actor] { return EpsilonNow(run, directory, all, actor); },
          seed));
  while (sink.open()) {
    const auto next = Clock::now() + kGamePeriod;
    const StatusOr<std::string> frame = view->Step();
    if (frame.ok()) {
      sink.Send("game", *frame);
    } else if (absl::IsNotFound(frame.status())) {
      sink.Send("waiting", DumpJson(Json({{"message", std::string(frame.status().message())}})));
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    } else {
      return frame.status();
    }
    std::this_thread::sleep_until(next);
  }
  return OkStatus();
}

}  // namespace gorila
