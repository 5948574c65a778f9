#include "gorila/report/compared_runs.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "gorila/report/run_entry.h"
#include "gorila/report/run_index.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

bool HasResults(const RunSummary& run) {
  return run.evaluation.has_value() || run.history.Last("frames").has_value();
}

StatusOr<FoundRuns> RunsBelow(const fs::path& folder, const Status& not_a_run) {
  GORILA_ASSIGN_OR_RETURN(FoundRuns found, FindRuns(folder));
  if (!found.runs.empty()) return found;
  return InvalidArgument("{}, and there is no run below it", std::string(not_a_run.message()));
}

class Reader {
 public:
  Status Read(const std::string& argument) {
    const LabelledRun named = ParseLabelledRun(argument);
    Status status = CheckIsRun(named.directory);
    if (status.ok()) {
      GORILA_ASSIGN_OR_RETURN(RunSummary run, ReadRun(named));
      return Add(std::move(run));
    }
    std::error_code error;
    if (fs::is_regular_file(named.directory, error)) {
      all_.young.push_back(
          fmt::format("'{}' is a file, not a run's folder: left out", named.directory.string()));
      return OkStatus();
    }
    if (!fs::is_directory(named.directory, error)) return status;
    GORILA_ASSIGN_OR_RETURN(const FoundRuns found, RunsBelow(named.directory, status));
    all_.problems.insert(all_.problems.end(), found.notes.begin(), found.notes.end());
    const bool labelled = named.directory != argument;
    for (const fs::path& directory : found.runs) {
      GORILA_RETURN_IF_ERROR(
          ReadFound({labelled ? named.label : DefaultLabel(directory), directory}));
    }
    return OkStatus();
  }

  StatusOr<ComparedRuns> Result() && {
    const std::size_t number = all_.runs.size() + unreadable_.size() + young_.size();
    const std::string problem = DescribeUnreadable(unreadable_, number);
    if (!problem.empty()) all_.problems.push_back(problem);
    if (!young_.empty()) {
      all_.young.push_back(fmt::format("without a result yet and left out: {} of {} runs: {}{}",
                                       young_.size(), number, young_.front().string(),
                                       young_.size() > 1 ? ", ..." : ""));
    }
    if (!all_.runs.empty()) return std::move(all_);
    return DataLoss("{}", problem.empty() ? all_.young.front() : problem);
  }

 private:
  Status Add(RunSummary run) {
    std::error_code error;
    if (!seen_.insert({fs::weakly_canonical(run.directory, error), run.label}).second) {
      return InvalidArgument("'{}' is named twice; it would count twice", run.directory.string());
    }
    all_.runs.push_back(std::move(run));
    return OkStatus();
  }

  Status ReadFound(const LabelledRun& found) {
    StatusOr<RunSummary> run = ReadRun(found);
    if (!run.ok()) {
      unreadable_.push_back({found.directory, std::string(run.status().message())});
    } else if (!HasResults(*run)) {
      young_.push_back(found.directory);
    } else {
      return Add(*std::move(run));
    }
    return OkStatus();
  }

  ComparedRuns all_;
  std::vector<UnreadableRun> unreadable_;
  std::vector<fs::path> young_;
  std::set<std::pair<fs::path, std::string>> seen_;
};

}  // namespace

StatusOr<ComparedRuns> ReadComparedRuns(std::span<const std::string> arguments) {
  Reader reader;
  for (const std::string& argument : arguments) GORILA_RETURN_IF_ERROR(reader.Read(argument));
  return std::move(reader).Result();
}

}  // namespace gorila
