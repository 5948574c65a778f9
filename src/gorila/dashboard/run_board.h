// The runs of a dashboard, kept up to date: of each a line for the list, and the records of those
// that somebody looks at.
#ifndef GORILA_DASHBOARD_RUN_BOARD_H_
#define GORILA_DASHBOARD_RUN_BOARD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"
#include "gorila/dashboard/event_log.h"
#include "gorila/dashboard/record_history.h"
#include "gorila/dashboard/run_feed.h"
#include "gorila/dashboard/run_scanner.h"

namespace gorila {

struct RunBoardLimits {
  // The most training records, and evaluations, of a run that are kept and sent to a browser; the
  // same of each kind in bytes: fewer records are kept where they are long.
  std::size_t records = 4000;
  std::size_t record_bytes = std::size_t{8} << 20;
  // How many of the runs that were named have their records read from the beginning, and kept.
  std::size_t pinned = 16;
  // Of all other runs together: those whose records were asked for longest ago are forgotten first.
  std::size_t held_runs = 128;
  std::size_t held_bytes = std::size_t{128} << 20;
  // How long they are held when no browser follows the events.
  std::chrono::milliseconds kept_unwatched = std::chrono::minutes(1);
  std::chrono::milliseconds scan_period = std::chrono::seconds(3);
};

// Thread-safe. Publishes to the event log: "run" for what a run is like, also of a new one; "row"
// and "reset" for the records of runs that are held, "dropped" when one is not held any more;
// "list" when what is noted about all has changed.
class RunBoard {
 public:
  // As RunScanner::AddNamed() for a named run that cannot be read. Of a long log a part is read
  // before this returns; folders are searched once Start() was called.
  static StatusOr<std::unique_ptr<RunBoard>> Make(RunSources sources, EventLog& events,
                                                  RunBoardLimits limits = {});
  ~RunBoard();
  RunBoard(const RunBoard&) = delete;
  RunBoard& operator=(const RunBoard&) = delete;

  void Start();
  // Reads what the ends of runs have left. Nothing is published afterwards.
  void Stop() GORILA_EXCLUDES(mutex_);

  // `"runs":[...],"settings":{...},"folders":[...],"notes":[...],"searched":true`; a pinned run has
  // all that RunFeed::Describe() says too.
  std::string ListJson() const GORILA_EXCLUDES(mutex_);

  // {"rows":[...]}, thinned to `most` training records and as many others. Waits until the first
  // part of the log has been read. NotFound for a number that no run has, Unavailable when the run
  // cannot be read or nothing came in time.
  StatusOr<std::string> Records(std::size_t run, std::size_t most) GORILA_EXCLUDES(mutex_);

  struct Place {
    std::string label;
    std::filesystem::path directory;
    std::string title;  // of its game or games
  };
  // How many browsers follow the events, more or (negative) fewer than before.
  void AddViewers(int more) GORILA_EXCLUDES(mutex_);

  std::size_t size() const GORILA_EXCLUDES(mutex_);
  Place PlaceOf(std::size_t run) const GORILA_EXCLUDES(mutex_);  // run < size()
  // The newest training record of a run whose log has been read to its end, as a line (empty
  // without one); nullopt for all others.
  std::optional<std::string> LastTraining(std::size_t run) const GORILA_EXCLUDES(mutex_);
  // The runs that monitoring may ask about: those that are pinned, and others that train, `most`
  // in all.
  std::vector<std::size_t> Scraped(std::size_t most) const GORILA_EXCLUDES(mutex_);

 private:
  struct View {
    Place place;
    RunState state = RunState::kStopped;
    bool gone = false;
    std::string glance;       // RunGlance::json()
    std::string description;  // of a pinned run, RunFeed::Describe()
    std::unique_ptr<RecordHistory> records;
    // Whether records that were in the log when it was opened, or when it was replaced, are still
    // unread. Browsers fetch all records once they are read.
    bool catching_up = true;
    bool wanted = false;
    std::uint64_t asked = 0;  // larger = later
    std::string refusal;      // why the records cannot be had
  };

  RunBoard(RunSources sources, EventLog& events, RunBoardLimits limits);
  Status AddNamed();
  void Update(std::size_t run, const RunGlance& glance) GORILA_EXCLUDES(mutex_);

  void ScanUntilStopped();
  void Scan();
  void PollUntilStopped();
  void OpenWanted() GORILA_EXCLUDES(mutex_);
  Status OpenRun(std::size_t run) GORILA_EXCLUDES(mutex_);
  // Reads a part of what is new in each log. Whether there is more.
  bool PollFeeds() GORILA_EXCLUDES(mutex_);
  // Whether the log has more to read.
  bool PollFeed(std::size_t run, const HeldLocks& locks) GORILA_EXCLUDES(mutex_);
  void ForgetLongestUnasked() GORILA_EXCLUDES(mutex_);
  std::size_t LongestUnasked() const GORILA_REQUIRES(mutex_);
  bool Stopping() const GORILA_EXCLUDES(mutex_);
  bool AnyWanted() const GORILA_REQUIRES(mutex_);

  const RunBoardLimits limits_;
  EventLog& events_;
  const std::vector<LabelledRun> folders_;
  RunScanner scanner_;                    // the scanning thread's
  std::map<std::size_t, RunFeed> feeds_;  // the polling thread's; of views with records
  std::size_t named_pinned_ = 0;          // the first runs, whose records are always held; set once

  mutable Mutex mutex_;
  CondVar wake_;      // of the threads
  CondVar answered_;  // of those who wait for records
  bool stopping_ GORILA_GUARDED_BY(mutex_) = false;
  std::vector<View> views_ GORILA_GUARDED_BY(mutex_);
  std::vector<std::string> notes_ GORILA_GUARDED_BY(mutex_);
  SettingTexts base_ GORILA_GUARDED_BY(mutex_);
  bool searched_ GORILA_GUARDED_BY(mutex_) = false;
  std::uint64_t asks_ GORILA_GUARDED_BY(mutex_) = 0;
  int viewers_ GORILA_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point last_viewed_ GORILA_GUARDED_BY(mutex_){};

  Thread poller_, scanning_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_BOARD_H_
