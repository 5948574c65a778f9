#include "gorila/run/run_results.h"

#include <array>
#include <string>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEvaluation = "evaluation.json";
constexpr const char* kFinalNetwork = "final.safetensors";
// In this order: without the evaluation the run is unfinished, whatever else is still there.
constexpr std::array kResults = {"report.html", "report.md",   "report.json", "curve.png",
                                 "curve.svg",   "episode.gif", "evaluations", kFinalNetwork};

Status RemoveAll(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return Unavailable("cannot remove '{}': {}", path.string(), error.message());
  return OkStatus();
}

Status MarkUnfinished(const fs::path& run, const RemovePath& remove) {
  std::error_code error;
  const fs::path evaluation = run / kEvaluation;
  if (!fs::exists(evaluation, error)) return OkStatus();
  GORILA_RETURN_IF_ERROR(remove(evaluation));
  // A crash of the machine must not restore it beside a newer state.
  return SyncFolder(run);
}

// The frames that a network says it was taken at; "" when it does not say.
std::string FramesOf(const fs::path& file) {
  const StatusOr<std::string> bytes = ReadFileOf(kNetworkFile, file);
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

Status MarkUnfinished(const fs::path& run) { return MarkUnfinished(run, &RemoveAll); }

Status RemoveResults(const fs::path& run) { return RemoveResults(run, &RemoveAll); }

Status RemoveResults(const fs::path& run, const RemovePath& remove) {
  GORILA_RETURN_IF_ERROR(MarkUnfinished(run, remove));
  for (const char* const name : kResults) GORILA_RETURN_IF_ERROR(remove(run / name));
  return OkStatus();
}

}  // namespace gorila
