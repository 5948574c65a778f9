// Runs for tests of reports, without their folders.
#ifndef GORILA_REPORT_TESTING_H_
#define GORILA_REPORT_TESTING_H_

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "gorila/config/config_keys.h"
#include "gorila/report/run_summary.h"

namespace gorila {

inline RunSummary MakeTestRun(const std::string& folder, const std::string& game,
                              std::uint64_t seed) {
  RunSummary run;
  run.directory = folder;
  run.label = DefaultLabel(folder);
  run.config.environment.name = game;
  run.config.run.seed = seed;
  return run;
}

inline EvaluationResult MakeTestResult(double score, const std::string& protocol = "greedy") {
  EvaluationResult result;
  result.protocol = protocol;
  result.returns = {score};
  result.summary = SummariseReturns(result.returns);
  return result;
}

// A finished run with a setting, "learner.n_step", of some value.
inline RunSummary MakeTestRun(const std::string& game, const std::string& key,
                              const std::string& value, std::uint64_t seed, double score) {
  RunSummary run = MakeTestRun(fmt::format("s/{}/{}/seed{}", game, value, seed), game, seed);
  GORILA_CHECK(SetConfigValue(run.config, key, value).ok(), "{} = {}", key, value);
  run.evaluation =
      EvaluationRecord{.environment = game, .frames = {}, .result = MakeTestResult(score)};
  return run;
}

// A training record: at `frames` the returns have been `mean`, with a tenth as many updates and a
// hundredth as many seconds.
inline void AddTestRow(double frames, double mean, RunSummary& run) {
  const auto record = ParseRunLogLine(
      fmt::format("{{\"kind\":\"training\",\"frames\":{},\"updates\":{},\"seconds\":{},"
                  "\"return_mean\":{},\"return_episodes\":100}}",
                  frames, frames / 10, frames / 100, mean));
  run.history.Add(*record);
}

// The cells of each table in a report in Markdown, row by row; the rule below headings left out.
inline std::vector<std::vector<std::string>> MarkdownRows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("| ") || line.starts_with("| ---")) continue;
    std::vector<std::string>& cells = rows.emplace_back();
    for (std::size_t at = 2; at < line.size();) {
      const std::size_t bar = std::min(line.find(" | ", at), line.size() - 2);
      cells.push_back(line.substr(at, bar - at));
      at = bar + 3;
    }
  }
  return rows;
}

}  // namespace gorila

#endif  // GORILA_REPORT_TESTING_H_
