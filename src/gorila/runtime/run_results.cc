#include "gorila/runtime/run_results.h"

#include <array>
#include <string>

#include "gorila/base/file.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEvaluation = "evaluation.json";
constexpr const char* kFinalNetwork = "final.safetensors";
// In this order: without the evaluation the run is unfinished, whatever else is still there.
constexpr std::array kResults = {kEvaluation,   "report.html", "report.md",
                                 "report.json", "curve.png",   "curve.svg",
                                 "episode.gif", "evaluations", kFinalNetwork};

// The frames that a network says it was taken at; "" when it does not say.
std::string FramesOf(const fs::path& file) {
  const StatusOr<std::string> bytes = ReadFile(file);
  if (!bytes.ok()) return "";
  const StatusOr<Safetensors> network = Safetensors::Decode(*bytes);
  if (!network.ok()) return "";
  const auto frames = network->metadata().find("frames");
  return frames == network->metadata().end() ? "" : frames->second;
}

}  // namespace

fs::path FinalNetworkFile(const fs::path& run) { return run / kFinalNetwork; }

bool HasFinalNetwork(const fs::path& run) {
  std::error_code error;
  return fs::exists(FinalNetworkFile(run), error);
}

bool FinalNetworkIsNewest(const fs::path& run) {
  std::error_code error;
  if (!HasFinalNetwork(run)) return false;
  if (fs::exists(run / kEvaluation, error)) return true;
  const auto checkpoints = ListCheckpoints(run / "checkpoints");
  if (!checkpoints.ok() || checkpoints->empty()) return !fs::exists(run / "servers", error);
  const std::string number = checkpoints->front().filename().string();
  return FramesOf(FinalNetworkFile(run)) == std::to_string(std::stoll(number));
}

Status RemoveResults(const fs::path& run) {
  for (const char* const name : kResults) {
    std::error_code error;
    fs::remove_all(run / name, error);
    if (error) {
      return Unavailable("cannot remove '{}': {}", (run / name).string(), error.message());
    }
  }
  return OkStatus();
}

}  // namespace gorila
