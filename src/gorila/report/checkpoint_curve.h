// How well the networks that a run kept play: its folder all-checkpoints/.
//
//   evaluations.json       all evaluations, also those with other settings
//   evaluations.csv        the curve: a line for each network, and of several games each
//   curve.png, curve.svg   the same drawn
#ifndef GORILA_REPORT_CHECKPOINT_CURVE_H_
#define GORILA_REPORT_CHECKPOINT_CURVE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/evaluation_record.h"

namespace gorila {

struct CheckpointEvaluation {
  std::vector<std::string> networks;  // in the run's folder, which are the same
  std::int64_t frames = 0;
  std::string crc32;  // of the network's values
  EvaluationRecord record;
};

// What must be the same for evaluations to be points of one curve, by name.
using CurveSettings = std::map<std::string, std::string>;

// What an evaluation of `config`, which may be one game of several, depends on.
CurveSettings CurveSettingsOf(const Config& config, std::uint64_t seed);

struct CheckpointCurve {
  CurveSettings settings;
  std::vector<CheckpointEvaluation> evaluations = {};  // by frames

  // That of the network with the checksum; null where it was not evaluated.
  const CheckpointEvaluation* Find(const std::string& crc32) const;
  // `network` is the one with the checksum, which was evaluated, and no other any more.
  void Name(const std::string& network, const std::string& crc32);
  void Add(CheckpointEvaluation evaluation);
};

// All curves of a run. One process and thread.
class CheckpointCurves {
 public:
  // Reads what is there; DataLoss, naming the file, for what is damaged.
  static StatusOr<CheckpointCurves> Open(const std::filesystem::path& run);

  // The curve with these settings, new where there is none. It becomes the first in the file.
  CheckpointCurve& Choose(const CurveSettings& settings);

  // Writes evaluations.json.
  Status Write() const;
  // Writes the other files, of the chosen curve. OK where it has no evaluation yet.
  Status Draw() const;

  std::filesystem::path folder() const { return folder_; }

 private:
  explicit CheckpointCurves(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  std::vector<CheckpointCurve> curves_;  // the first is chosen
};

std::string EncodeCheckpointCurve(const CheckpointCurve& curve);
std::string CheckpointCurveCsv(const CheckpointCurve& curve);
// A panel for each game. At least one evaluation.
LearningCurveGrid DrawCheckpointCurve(const CheckpointCurve& curve);

}  // namespace gorila

#endif  // GORILA_REPORT_CHECKPOINT_CURVE_H_
