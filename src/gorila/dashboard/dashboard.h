// The page on which people watch runs: a small web server over run directories, and over a run that
// trains in this process. It never writes.
#ifndef GORILA_DASHBOARD_DASHBOARD_H_
#define GORILA_DASHBOARD_DASHBOARD_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gorila/base/mutex.h"
#include "gorila/dashboard/event_log.h"
#include "gorila/dashboard/http_listener.h"
#include "gorila/dashboard/parameter_source.h"
#include "gorila/dashboard/run_board.h"
#include "gorila/metrics/progress.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

inline constexpr int kDashboardPort = 7733;

// Thread-safe.
//
//   /                    the page
//   /api/runs            the runs, what is noted about them, and their settings
//   /api/rows?run=N      what run N has logged, thinned (RunBoardLimits); with &most=M to M records
//   of
//                        a kind
//   /api/events          server-sent events: what is new
//   /api/game?run=N      server-sent events: run N's agent at play; with &actor=I it explores as
//                        actor I does (bundles' actors first, then actor processes); with &game=G
//                        it plays that of the run's games
//   /metrics             for Prometheus
class Dashboard {
 public:
  // Serves until it is destroyed. `live`: the parameters of the first run, which trains in this
  // process, else null; it must outlive the dashboard. The parameters of a launched run are pulled
  // from its servers. Of a long log a part is read before this returns, the rest while it serves;
  // folders are searched while it serves. NotFound, InvalidArgument or DataLoss, with the path, for
  // a named run that cannot be read.
  static StatusOr<std::unique_ptr<Dashboard>> Start(std::unique_ptr<HttpListener> listener,
                                                    RunSources sources,
                                                    ParameterStore* live = nullptr);
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  // The state of the run that trains here. Does not block on any browser.
  void Publish(const ProgressSnapshot& snapshot) GORILA_EXCLUDES(snapshot_mutex_);

  std::string url() const { return listener_->url(); }

 private:
  Dashboard(std::unique_ptr<HttpListener> listener, ParameterStore* live);
  void Serve();
  void AddPages();
  void AddApi();

  HttpResponse Runs() GORILA_EXCLUDES(snapshot_mutex_);
  HttpResponse Records(const HttpRequest& request);
  HttpResponse Metrics();
  void StreamEvents(EventSink& sink);
  void StreamGame(const HttpRequest& request, EventSink& sink);
  Status PlayGame(const HttpRequest& request, EventSink& sink);
  StatusOr<std::size_t> RunIndex(const HttpRequest& request) const;
  // The snapshot of a run that trains here, else what its last record says.
  ProgressSnapshot Present(std::size_t run, const std::filesystem::path& directory)
      GORILA_EXCLUDES(snapshot_mutex_);
  double EpsilonNow(std::size_t run, const std::filesystem::path& directory, const Config& config,
                    int actor);
  std::unique_ptr<ParameterSource> ParametersOf(std::size_t run,
                                                const std::filesystem::path& directory,
                                                const Config& config,
                                                const NetworkSpec& network) const;

  const std::unique_ptr<HttpListener> listener_;
  ParameterStore* const live_;
  EventLog events_;
  std::unique_ptr<RunBoard> board_;  // publishes to events_

  Mutex snapshot_mutex_;  // apart, so that the trainer never waits for a browser
  std::optional<ProgressSnapshot> snapshot_ GORILA_GUARDED_BY(snapshot_mutex_);
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_DASHBOARD_H_
