#include "gorila/dashboard/dashboard.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <span>

#include "gorila/actor/exploration.h"
#include "gorila/base/denormals.h"
#include "gorila/base/json.h"
#include "gorila/base/thread.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/dashboard/game_view.h"
#include "gorila/dashboard/metrics_page.h"
#include "gorila/dashboard/page.h"
#include "gorila/dashboard/run_metrics.h"
#include "gorila/env/game_list.h"
#include "gorila/metrics/run_log_tail.h"
#include "gorila/run/thread_values.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr auto kPollPeriod = std::chrono::milliseconds(500);
constexpr auto kHeartbeat = std::chrono::seconds(2);
constexpr auto kGamePeriod = std::chrono::milliseconds(90);
constexpr std::size_t kKeptEvents = 1000;
constexpr std::size_t kKeptEventBytes = std::size_t{4} << 20;
// Streams at once; each game has an environment, a network and a busy thread.
constexpr int kMostViewers = 24;
constexpr int kMostGames = 8;
constexpr const char* kJsonType = "application/json; charset=utf-8";

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

// The newest training row in a log; empty without one.
ProgressSnapshot NewestProgress(const std::filesystem::path& log) {
  StatusOr<RunLogTail> tail = RunLogTail::Open(log);
  while (tail.ok()) {
    const auto row = tail->Previous();
    if (!row.ok() || !row->has_value()) break;
    if ((*row)->Text("kind") == "training") return ProgressOfRow(**row);
  }
  return {};
}

// Of a training row; empty for a run without one.
ProgressSnapshot LastProgress(const std::string& line) {
  const StatusOr<RunLogRow> row = ParseRunLogLine(line);
  return row.ok() ? ProgressOfRow(*row) : ProgressSnapshot();
}

std::string RunEvent(std::size_t run, std::string_view name, std::string_view json) {
  return fmt::format("{{\"run\":{},\"{}\":{}}}", run, name, json);
}

std::optional<int> ParseNumber(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

StatusOr<std::unique_ptr<Dashboard>> Dashboard::Start(std::unique_ptr<HttpListener> listener,
                                                      const std::vector<LabelledRun>& runs,
                                                      ParameterStore* live) {
  std::vector<RunFeed> feeds;
  for (const LabelledRun& run : runs) {
    GORILA_ASSIGN_OR_RETURN(RunFeed feed, RunFeed::Open(run));
    feeds.push_back(std::move(feed));
  }
  return std::unique_ptr<Dashboard>(new Dashboard(std::move(listener), std::move(feeds), live));
}

Dashboard::Dashboard(std::unique_ptr<HttpListener> listener, std::vector<RunFeed> feeds,
                     ParameterStore* live)
    : listener_(std::move(listener)),
      live_(live),
      events_(kKeptEvents, kKeptEventBytes),
      feeds_(std::move(feeds)),
      views_(feeds_.size()) {
  // Reads the runs' states and short logs completely; long logs must not delay the start.
  for (std::size_t i = 0; i < feeds_.size(); ++i) PollFeed(i);
  AddPages();
  AddApi();
  listener_->Start();
  poller_ = StartThreadOrEnd("dashboard", [this] { PollUntilStopped(); });
}

Dashboard::~Dashboard() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  poller_.join();
  PollFeeds();  // what the run's end has left
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
  listener_->Get("/api/rows", [this](const HttpRequest& request) { return Rows(request); });
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

void Dashboard::PollUntilStopped() {
  while (true) {
    PollFeeds();
    const MutexLock lock(mutex_);
    const auto next = Clock::now() + kPollPeriod;
    while (!stopping_ && wake_.WaitUntil(mutex_, next)) {
    }
    if (stopping_) return;
  }
}

void Dashboard::PollFeeds() {
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    while (PollFeed(i) && !Stopping()) {
    }
  }
}

bool Dashboard::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

bool Dashboard::PollFeed(std::size_t run) {
  RunFeed::News news = feeds_[run].Poll();
  const std::string description = feeds_[run].Describe();
  bool catching_up = false;
  {
    const MutexLock lock(mutex_);
    View& view = views_[run];
    catching_up = view.catching_up || news.log_began_anew;
    view.catching_up = catching_up && news.more;
    view.description = description;
    if (news.log_began_anew) view.rows.Clear();
    for (const std::string& line : news.lines) view.rows.Add(line);
  }
  if (catching_up) {
    if (!news.more) events_.Publish({"reset", fmt::format("{{\"run\":{}}}", run)});
  } else {
    for (const std::string& line : news.lines) {
      events_.Publish({"row", RunEvent(run, "row", line)});
    }
  }
  if (news.state_changed) {
    events_.Publish({"run", RunEvent(run, "description", description)});
  }
  return news.more;
}

HttpResponse Dashboard::Runs() {
  std::string json = "{\"runs\":[";
  {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < views_.size(); ++i) {
      if (i > 0) json += ',';
      json += views_[i].description;
    }
  }
  json += "]";
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
  if (!run.has_value() || *run < 0 || static_cast<std::size_t>(*run) >= feeds_.size()) {
    return InvalidArgument("run is '{}'; expected 0 to {}", text, feeds_.size() - 1);
  }
  return static_cast<std::size_t>(*run);
}

HttpResponse Dashboard::Rows(const HttpRequest& request) {
  const StatusOr<std::size_t> run = RunIndex(request);
  if (!run.ok()) return {.status = 404, .body = std::string(run.status().message()) + "\n"};
  const MutexLock lock(mutex_);
  return {.type = kJsonType, .body = views_[*run].rows.Json()};
}

HttpResponse Dashboard::Metrics() {
  std::vector<RunMetrics> runs;
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    runs.push_back(
        {feeds_[i].label(), GamesLabel(feeds_[i].config().environment.name), Present(i)});
  }
  return AnswerScrape([&runs](PrometheusText& text) { AddRunMetrics(runs, text); });
}

ProgressSnapshot Dashboard::Present(std::size_t run) {
  if (run == 0) {
    const MutexLock lock(snapshot_mutex_);
    if (snapshot_.has_value()) return *snapshot_;
  }
  {
    const MutexLock lock(mutex_);
    const View& view = views_[run];
    if (!view.catching_up) return LastProgress(view.rows.last_training());
  }
  return NewestProgress(feeds_[run].directory() / "metrics.jsonl");
}

// The browser asks for runs and rows once the stream is open, so that it misses nothing.
void Dashboard::StreamEvents(EventSink& sink) {
  std::uint64_t next = events_.end();
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

double Dashboard::EpsilonNow(std::size_t run, int actor) {
  if (actor < 0) return 0;
  const Config& config = feeds_[run].config();
  const ProgressSnapshot progress = Present(run);
  const ExplorationOptions& options = config.actor.options.exploration;
  const std::uint64_t ticks =
      options.clock == ExplorationClock::kFrames ? progress.frames : progress.updates;
  const bool in_bundle = actor < config.run.bundles;
  return Epsilon(options, static_cast<std::int64_t>(ticks),
                 in_bundle ? actor : actor - config.run.bundles,
                 in_bundle ? config.run.bundles : config.cluster.actors);
}

std::unique_ptr<ParameterSource> Dashboard::ParametersOf(std::size_t run,
                                                         const NetworkSpec& network) const {
  if (run == 0 && live_ != nullptr) return WatchStore(*live_);
  const RunFeed& feed = feeds_[run];
  const ParameterLayout layout = MakeParameterLayout(network);
  if (IsLaunchedRun(feed.directory())) {
    return WatchLaunchedRun(feed.directory(), feed.config(), layout);
  }
  return WatchRunDirectory(feed.directory(), layout);
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
  const Config& all = feeds_[run].config();
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
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<GameView> view,
                          GameView::Make(
                              config, ParametersOf(run, network),
                              [this, run, actor] { return EpsilonNow(run, actor); }, seed));
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
