// The terminal's view of a run.
#ifndef GORILA_METRICS_PROGRESS_H_
#define GORILA_METRICS_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/metrics/work_clock.h"

namespace gorila {

// How fast a bundle, an actor or a learner works; NaN = not its work, or unknown.
struct WorkerRates {
  double frames_per_second = std::numeric_limits<double>::quiet_NaN();
  double updates_per_second = std::numeric_limits<double>::quiet_NaN();  // gradients it pushes
  // Updates that its gradients lacked, a mean over the current record of the log.
  double staleness = std::numeric_limits<double>::quiet_NaN();
};

// One bundle's part in a ProgressSnapshot.
struct BundleProgress {
  double recent_return = std::numeric_limits<double>::quiet_NaN();  // of its last episodes
  double epsilon = 0;                                               // in [0,1]; NaN = unknown
  WorkSeconds work{};  // shares of its thread's recent time, in [0,1]
  bool learns = true;  // else an actor
  WorkerRates rates{};
};

// One game's part in the ProgressSnapshot of a run with several.
struct GameProgress {
  std::string name;                                                 // in full: "minatar/breakout"
  std::uint64_t frames = 0;                                         // since the run's beginning
  std::uint64_t episodes = 0;                                       // likewise
  double recent_return = std::numeric_limits<double>::quiet_NaN();  // NaN before any episode
};

// The state of a run at one instant. Counts are since the run's beginning, over resumes.
struct ProgressSnapshot {
  std::uint64_t frames = 0;        // environment frames
  std::uint64_t total_frames = 0;  // of the whole run; 0 = unknown
  std::uint64_t updates = 0;       // of the parameters
  double frames_per_second = 0;
  double updates_per_second = 0;
  double epsilon = 0;                                               // in [0,1]; NaN = unknown
  double recent_return = std::numeric_limits<double>::quiet_NaN();  // NaN before any episode
  std::uint64_t episodes = 0;
  std::uint64_t accepted = 0;         // gradients the parameter server applied
  std::uint64_t stale = 0;            // gradients refused for their age
  std::uint64_t outliers = 0;         // gradients dropped for their loss
  std::uint64_t invalid = 0;          // gradients with a NaN, an infinity or a wrong shape
  std::uint64_t replay_size = 0;      // transitions stored
  std::uint64_t replay_capacity = 0;  // transitions
  double seconds_elapsed = 0;
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  // NaN = unknown
  int bundles = 0;                                         // no workers at all: none reports
  int actors = 0;                                          // in processes of their own
  int learners = 0;                                        // the same
  double loss = std::numeric_limits<double>::quiet_NaN();  // mean over bundles
  // From the current record of the log; NaN before the first.
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  // Euclidean
  double value_mean = std::numeric_limits<double>::quiet_NaN();     // of max_a Q(s, a), or V(s)
  double value_max = std::numeric_limits<double>::quiet_NaN();
  // Means; NaN without a policy: its entropy in nats, and the terms of its loss before their
  // weights.
  double entropy = std::numeric_limits<double>::quiet_NaN();
  double policy_loss = std::numeric_limits<double>::quiet_NaN();
  double baseline_loss = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::uint64_t> staleness;  // gradients by power of two of their age (shard.h)
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;                                    // over resumes
  double joules = std::numeric_limits<double>::quiet_NaN();  // of the machine; NaN = unknown
  WorkSeconds work{};           // shares of the recent time of all threads that learn, in [0,1]
  std::string_view bottleneck;  // Bottleneck() of them
  std::vector<GameProgress> per_game;      // in the run's order; empty of a run with one game
  std::vector<BundleProgress> per_bundle;  // and actors; empty where only their spread is known
  // Of bundles and actors; NaN before any episode.
  double lowest_bundle_return = std::numeric_limits<double>::quiet_NaN();
  double highest_bundle_return = std::numeric_limits<double>::quiet_NaN();
  std::vector<WorkSeconds> learner_work;   // shares of each learner's in a separate process
  std::vector<WorkerRates> learner_rates;  // of the same learners
};

// The part of the system that the learning threads' time goes into most: "actor", "replay",
// "learner" or "parameter server"; empty when they did nothing but wait.
std::string_view Bottleneck(const WorkSeconds& work);

struct TerminalSize {
  int columns = 80;
  int rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

struct ProgressOptions {
  bool quiet = false;     // prints nothing at all
  bool terminal = false;  // redraws in place; otherwise plain lines without control sequences
  bool colour = false;    // only with `terminal`
  bool utf8 = true;       // otherwise ASCII
  // Asked whenever something is shown: people resize their terminals.
  std::function<TerminalSize()> size = [] { return TerminalSize(); };
};

// The size of the terminal that is open as `descriptor`; the default where it is none.
TerminalSize TerminalSizeOf(int descriptor);

// Options for the open file `descriptor` (2 = stderr): in place only on a terminal that understands
// control sequences (TERM set and not "dumb"), colours unless NO_COLOR is set to something, UTF-8
// where the locale is.
ProgressOptions DetectProgressOptions(int descriptor, bool quiet);

// The lines that a terminal of less than 100 columns shows, without control sequences but for
// colours, each at most min(columns, 80) characters wide. Figures that do not fit are left out:
// half a number is a wrong one. Always as many lines of one run, so that the view stands still;
// several games have theirs below the others.
std::vector<std::string> FormatProgressView(const ProgressSnapshot& snapshot, int columns,
                                            bool colour, bool utf8 = true);

// The same as one line of ASCII for log files, without line end.
std::string FormatProgressLine(const ProgressSnapshot& snapshot);

class ProgressHistory;

// A terminal of 100 columns and more also has curves of the returns and evaluations so far, and a
// line for each worker. Thread-safe: any thread may print while another one shows.
class ProgressView {
 public:
  // `out` must outlive the view, and nothing else may write to it while a view is shown, but for a
  // line's erasure where the cursor rests.
  ProgressView(std::ostream& out, const ProgressOptions& options);
  ~ProgressView();

  // What the run had before anything is shown: its curves begin there.
  void BeginWith(ProgressHistory history) GORILA_EXCLUDES(mutex_);

  // A point of the curve of evaluations.
  void AddEvaluation(std::uint64_t frames, double mean) GORILA_EXCLUDES(mutex_);

  // Redraws the view, or appends a plain line; the caller decides how often.
  void Show(const ProgressSnapshot& snapshot) GORILA_EXCLUDES(mutex_);

  // Prints `message` and a line end, above the view if there is one.
  void Print(std::string_view message) GORILA_EXCLUDES(mutex_);

 private:
  std::string MoveToTop(const TerminalSize& size) const GORILA_REQUIRES(mutex_);
  std::string DrawView(const TerminalSize& size) GORILA_REQUIRES(mutex_);

  std::ostream& out_;
  const ProgressOptions options_;
  Mutex mutex_;
  std::optional<ProgressSnapshot> snapshot_ GORILA_GUARDED_BY(mutex_);  // that is shown
  std::unique_ptr<ProgressHistory> history_ GORILA_GUARDED_BY(mutex_);
  std::vector<int> widths_ GORILA_GUARDED_BY(mutex_);  // columns of each line on the screen
  TerminalSize drawn_ GORILA_GUARDED_BY(mutex_);       // that they were drawn in
};

}  // namespace gorila

#endif  // GORILA_METRICS_PROGRESS_H_
