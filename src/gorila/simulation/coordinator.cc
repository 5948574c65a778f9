#include "gorila/simulation/coordinator.h"

#include <memory>

#include "gorila/base/file.h"
#include "gorila/config/config_load.h"
#include "gorila/launch/coordinator.h"

namespace gorila::simulation {
namespace {

namespace fs = std::filesystem;

// Longer than anything fails in a plan, but for what is tried again by a process that starts anew.
constexpr std::chrono::milliseconds kPatience{60'000};

StatusOr<std::unique_ptr<RunDirectory>> OpenRun(const Config& config, const fs::path& folder) {
  const fs::path file = folder / "config.toml";
  if (LookAt(file).kind == PathLook::Kind::kNothing) {
    GORILA_RETURN_IF_ERROR(CreateDurableFolders(folder));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(file, RunConfigText(config)));
  }
  return RunDirectory::Open(folder);
}

}  // namespace

Status RunCoordinator(const Config& config, const fs::path& folder, const RemoteParts& parts,
                      const RoleHooks& hooks, const CoordinatorWatch& watch) {
  GORILA_ASSIGN_OR_RETURN(const auto directory, OpenRun(config, folder));
  const TrainerHooks trainer{
      .stop_requested = hooks.stop_requested,
      .progress =
          [&watch](const ProgressSnapshot& progress) {
            watch.shows(static_cast<std::int64_t>(progress.frames));
          },
      .message = hooks.message,
      .evaluated = [&watch](std::int64_t frames, double) { watch.evaluated(frames); }};
  GORILA_ASSIGN_OR_RETURN(const auto coordinator,
                          Coordinator::Open(config, *directory, [] { return OkStatus(); }));
  GORILA_RETURN_IF_ERROR(coordinator->Connect({.parameter_servers = parts.parameter_servers,
                                               .replays = parts.replays,
                                               .credentials = parts.credentials,
                                               .patience = kPatience},
                                              trainer));
  GORILA_RETURN_IF_ERROR(coordinator->Watch(trainer));
  GORILA_ASSIGN_OR_RETURN(const TrainingOutcome outcome, coordinator->Finish(trainer));
  watch.ended(outcome);
  return OkStatus();
}

}  // namespace gorila::simulation
