// Our own scores: of finished runs, or from a file.
#ifndef GORILA_SCORES_SCORE_RESULTS_H_
#define GORILA_SCORES_SCORE_RESULTS_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// The mean return of one run by one protocol.
struct ScoreResult {
  std::string game;      // an Atari game without its folder, "ms_pacman"; else "minatar/breakout"
  std::string protocol;  // as ProtocolLabel has it, or what the file calls it
  double score = 0;
  std::string source;                      // a run's folder or a file
  std::vector<std::string> warnings = {};  // why the score may mislead
  // A run's, as RepeatedSettings has them but for the game; of several games their list is one.
  // Empty: nobody recorded them.
  std::map<std::string, std::string> settings = {};
  int shared_by = 1;  // games, by the network that was scored
};

struct ScoreResults {
  std::vector<ScoreResult> results;
  int unfinished_runs = 0;  // run directories without a final evaluation
};

// Where a run's evaluations by further protocols lie, below its directory: <protocol>.json.
inline constexpr std::string_view kEvaluationsFolder = "evaluations";

// `path`: a run's directory, a folder with such directories at any depth, a .csv file with a header
// that has `game` and `score` and may have `protocol`, or a .json file: an evaluation as `gorila
// evaluate --json` prints it, or an array of objects with those three keys. A result without a
// protocol counts as `default_protocol`. Blocks on the disk. NotFound, InvalidArgument or DataLoss
// with the path.
StatusOr<ScoreResults> ReadScoreResults(const std::filesystem::path& path,
                                        std::string_view default_protocol);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_RESULTS_H_
