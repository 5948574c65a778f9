// What was published on the five MinAtar games.
#ifndef GORILA_SCORES_MINATAR_SCORES_H_
#define GORILA_SCORES_MINATAR_SCORES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// The two do not compare: training explores, and evaluation often has the best of many networks.
enum class MinAtarMeasure { kTraining, kEvaluation };
inline constexpr std::array kAllMinAtarMeasures = {MinAtarMeasure::kTraining,
                                                   MinAtarMeasure::kEvaluation};

// "training return", "evaluation".
std::string_view MeasureTitle(MinAtarMeasure measure);
// "training", "evaluation": as files have it.
std::string_view MeasureName(MinAtarMeasure measure);

// A mean return. All were measured with sticky actions 0.1 and difficulty ramping.
struct PublishedMinAtarScore {
  std::string game;  // "minatar/breakout"
  std::string agent;
  std::int64_t frames = 0;       // of training
  bool minimal_actions = false;  // else all six
  int step_limit = 0;            // of an episode; 0 = the game's own
  MinAtarMeasure measure = MinAtarMeasure::kTraining;
  double score = 0;
  std::string runs;               // "30", "2-5"; empty = unknown
  std::optional<double> epsilon;  // at the end of training, where known
  bool from_plot = false;         // else computed from logs
  bool before_oxygen_fix = false;
  std::string source;
  std::string note;  // may be empty
};

inline constexpr double kMinAtarStickyActions = 0.1;

// The games' names in the registry, in the order of tables.
inline constexpr std::array<std::string_view, 5> kMinAtarGames = {
    "minatar/asterix", "minatar/breakout", "minatar/freeway", "minatar/seaquest",
    "minatar/space_invaders"};

// `limit` (0 = none given) as PublishedMinAtarScore::step_limit has it: Freeway's own is 2,500.
int MinAtarStepLimit(std::string_view game, int limit);

// A table as data/minatar/published.csv has it. DataLoss with the line for anything else.
StatusOr<std::vector<PublishedMinAtarScore>> ParsePublishedMinAtarScores(std::string_view csv);

// data/minatar/published.csv, as it was when the program was built.
std::string_view MinAtarScoresText();

// Its rows. Thread-safe.
const std::vector<PublishedMinAtarScore>& PublishedMinAtarScores();

}  // namespace gorila

#endif  // GORILA_SCORES_MINATAR_SCORES_H_
