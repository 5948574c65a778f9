// The page on which people watch runs: a small web server over run directories, and over a run that
// trains in this process. It never writes.
#ifndef GORILA_DASHBOARD_DASHBOARD_H_
#define GORILA_DASHBOARD_DASHBOARD_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/dashboard/event_log.h"
#include "gorila/dashboard/http_listener.h"
#include "gorila/dashboard/parameter_source.h"
#include "gorila/dashboard/row_history.h"
#include "gorila/dashboard/run_feed.h"
#include "gorila/metrics/progress.h"
#include "gorila/parameter_server/parameter_store.h"

namespace gorila {

inline constexpr int kDashboardPort = 7733;

// Thread-safe.
//
//   /                    the page
//   /api/runs            the runs and their configurations
//   /api/rows?run=N      what run N has logged, thinned to kMostRows and kMostRowBytes
//   /api/events          server-sent events: what is new
//   /api/game?run=N      server-sent events: run N's agent at play; with &actor=I it explores as
//                        actor I does (bundles' actors first, then actor processes); with &game=G
//                        it plays that of the run's games
//   /metrics             for Prometheus
class Dashboard {
 public:
  // Serves `runs` (not empty) until it is destroyed. `live`: the parameters of the first run, which
  // trains in this process, else null; it must outlive the dashboard. The parameters of a launched
  // run are pulled from its servers. Of a long log a part is read before this returns, the rest
  // while it serves. NotFound, InvalidArgument or DataLoss, with the path, for a folder that is not
  // a run's.
  static StatusOr<std::unique_ptr<Dashboard>> Start(std::unique_ptr<HttpListener> listener,
                                                    const std::vector<LabelledRun>& runs,
                                                    ParameterStore* live = nullptr);
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  // The state of the run that trains here. Does not block on any browser.
  void Publish(const ProgressSnapshot& snapshot) GORILA_EXCLUDES(snapshot_mutex_);

  std::string url() const { return listener_->url(); }

  // The most training rows, and evaluations, of a run that are kept and sent to a browser.
  static constexpr std::size_t kMostRows = 4000;
  // The same of each kind in bytes: fewer rows are kept where they are long.
  static constexpr std::size_t kMostRowBytes = std::size_t{8} << 20;

 private:
  // What is known of a run; the poller keeps it up to date.
  struct View {
    std::string description;  // RunFeed::Describe()
    RowHistory rows{kMostRows, kMostRowBytes};
    // Whether rows that were in the log when it was opened, or when it was replaced, are still
    // unread. Browsers fetch all rows once they are read.
    bool catching_up = true;
  };

  Dashboard(std::unique_ptr<HttpListener> listener, std::vector<RunFeed> feeds,
            ParameterStore* live);
  void AddPages();
  void AddApi();
  void PollUntilStopped() GORILA_EXCLUDES(mutex_);
  // Reads all that is new, or a part of it once it is to stop.
  void PollFeeds() GORILA_EXCLUDES(mutex_);
  // Whether the log has more to read.
  bool PollFeed(std::size_t run) GORILA_EXCLUDES(mutex_);
  bool Stopping() GORILA_EXCLUDES(mutex_);

  HttpResponse Runs() GORILA_EXCLUDES(mutex_);
  HttpResponse Rows(const HttpRequest& request) GORILA_EXCLUDES(mutex_);
  HttpResponse Metrics();
  void StreamEvents(EventSink& sink);
  void StreamGame(const HttpRequest& request, EventSink& sink);
  Status PlayGame(const HttpRequest& request, EventSink& sink);
  StatusOr<std::size_t> RunIndex(const HttpRequest& request) const;
  // The snapshot of a run that trains here, else what its last row says.
  ProgressSnapshot Present(std::size_t run) GORILA_EXCLUDES(mutex_, snapshot_mutex_);
  double EpsilonNow(std::size_t run, int actor);
  std::unique_ptr<ParameterSource> ParametersOf(std::size_t run, const NetworkSpec& network) const;

  const std::unique_ptr<HttpListener> listener_;
  ParameterStore* const live_;
  EventLog events_;
  // The poller's, but for what never changes of them: label, directory and configuration.
  std::vector<RunFeed> feeds_;

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GORILA_GUARDED_BY(mutex_) = false;
  std::vector<View> views_ GORILA_GUARDED_BY(mutex_);  // of feeds_

  Mutex snapshot_mutex_;  // apart, so that the trainer never waits for a browser
  std::optional<ProgressSnapshot> snapshot_ GORILA_GUARDED_BY(snapshot_mutex_);

  std::thread poller_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_DASHBOARD_H_
