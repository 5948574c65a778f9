// What a list of hundreds of runs says of one, without reading its whole log.
#ifndef GORILA_DASHBOARD_RUN_GLANCE_H_
#define GORILA_DASHBOARD_RUN_GLANCE_H_

#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "gorila/base/json.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/run_labels.h"
#include "gorila/metrics/run_log.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_state.h"

namespace gorila {

// Every key's value as configuration files have it, in the order of ConfigKeys().
using SettingTexts = std::vector<std::string>;
SettingTexts SettingTextsOf(const Config& config);

// A file as it was last seen, to notice that it changed without reading it.
struct FileMark {
  bool exists = false;
  std::uint64_t inode = 0, size = 0;
  std::int64_t written_ns = 0;  // since 1970

  static FileMark Of(const std::filesystem::path& path);
  bool operator==(const FileMark&) const = default;
};

// Holds a few kilobytes and reads a file only after it changed, of the log the last kMostTail
// bytes. Not thread-safe.
class RunGlance {
 public:
  static constexpr std::uint64_t kMostTail = std::uint64_t{128} << 10;

  // `chosen_label`: what sets the run apart from others with its settings; empty = nothing does.
  // One that was found in a folder is called by its name (`gorila label`) while it has one.
  RunGlance(LabelledRun run, std::string chosen_label, bool was_found)
      : run_(std::move(run)), chosen_label_(std::move(chosen_label)), was_found_(was_found) {}

  // Blocks on the disk. True when Json() has changed. As LoadRunConfig() when the configuration
  // cannot be read and none is known; later troubles are in Json(). `base` gets this run's settings
  // where it is empty.
  StatusOr<bool> Look(const HeldLocks& locks, SettingTexts& base);
  // The folder is not a run's any more. True when Json() has changed.
  bool SetGone();

  // {"label":...,"state":...,"gone":false,...}; `changed` has the settings in which the run differs
  // from the base.
  const std::string& json() const { return json_; }
  const std::filesystem::path& directory() const { return run_.directory; }
  std::string label() const;
  const std::string& title() const { return title_; }  // of its game or games
  RunState state() const { return seen_.state; }
  bool gone() const { return gone_; }

 private:
  // Periodic evaluations have no standard error of one episode.
  struct Score {
    double mean = std::nan("");
    double standard_error = std::nan("");
    double frames = std::nan("");
  };

  Status ReadConfig(SettingTexts& base);
  void ReadTail();
  void AddTrainingRecord(const RunLogRecord& record, double& episodes, double& sum);
  void ReadEvaluation();
  bool Rebuild();

  LabelledRun run_;
  std::string chosen_label_;
  bool was_found_;
  std::string json_;
  bool gone_ = false;

  FileMark config_mark_, labels_mark_, log_mark_, evaluation_mark_;
  RunLabels labels_;
  bool known_ = false;                  // the configuration was read
  nlohmann::ordered_json from_config_;  // what Json() has of it
  std::string title_;
  bool several_games_ = false;
  double metrics_every_seconds_ = 0;
  std::string config_problem_, problem_;

  SeenState seen_;
  std::chrono::steady_clock::time_point log_grew_ = std::chrono::steady_clock::time_point::min();
  // Of the last training record; NaN = unknown.
  double frames_ = std::nan(""), updates_ = std::nan(""), seconds_ = std::nan("");
  double return_ = std::nan("");  // mean of the last kSmoothedEpisodes in the tail
  Score evaluated_;               // the last periodic evaluation
  nlohmann::ordered_json final_;  // evaluation.json without its episodes; null = none
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_GLANCE_H_
