#include "gorila/launch/trained_network.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_network.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr const char* kParametersFile = "parameters.safetensors";

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

StatusOr<RunNetwork> ReadNetworkFile(const fs::path& path, const ParameterLayout& layout) {
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFileOf(NetworkFileOf(layout.size), path));
  GORILA_ASSIGN_OR_RETURN(std::vector<float> parameters, DecodeParameters(layout, bytes));
  return RunNetwork{std::move(parameters), path, "", {}};
}

StatusOr<RunNetwork> ReadCheckpoint(const fs::path& path, const ParameterLayout& layout) {
  GORILA_ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(path));
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, checkpoint.Read(kParametersFile));
  GORILA_ASSIGN_OR_RETURN(std::vector<float> parameters, DecodeParameters(layout, bytes));
  return RunNetwork{std::move(parameters), path / kParametersFile, "", {}};
}

StatusOr<RunNetwork> ReadNetwork(const fs::path& path, const ParameterLayout& layout) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return ReadNetworkFile(path, layout);
  if (Exists(path / kManifestName)) return ReadCheckpoint(path, layout);
  GORILA_ASSIGN_OR_RETURN(const Config own, LoadRunConfig(path / "config.toml"));
  return ReadRunNetwork(path, own, layout);
}

// Before anything is read from it.
Status CheckIsNetwork(const fs::path& path) {
  std::error_code error;
  if (!Exists(path)) return NotFound("'{}': no such file or folder", path.string());
  if (!fs::is_directory(path, error) || Exists(path / kManifestName)) return OkStatus();
  Status run = CheckIsRun(path);
  if (run.ok() || absl::IsUnavailable(run)) return run;
  return InvalidArgument("{}, and not a checkpoint: it has no {}", std::string(run.message()),
                         kManifestName);
}

// The configuration of the run at `path`, or of the run that contains `path` (a file, a checkpoint
// or a checkpoint's file).
fs::path ConfigAround(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  fs::path folder = absolute.has_filename() ? absolute : absolute.parent_path();
  for (int level = 0; level < 4; ++level) {
    if (Exists(folder / "config.toml")) return folder / "config.toml";
    folder = folder.parent_path();
  }
  return {};
}

// What cannot be read is an error later.
NetworkOrigin OriginOf(const fs::path& path) {
  NetworkOrigin origin{.config = ConfigAround(path)};
  std::error_code error;
  if (!origin.config.empty() || fs::is_directory(path, error)) return origin;
  const StatusOr<std::string> bytes = ReadFileOf(kNetworkFile, path);
  if (!bytes.ok()) return origin;
  const StatusOr<Safetensors> file = Safetensors::Decode(*bytes);
  if (!file.ok()) return origin;
  const auto found = file->metadata().find("environment");
  if (found != file->metadata().end()) origin.environment = found->second;
  return origin;
}

}  // namespace

StatusOr<TrainedNetwork> ReadTrainedNetwork(const fs::path& path,
                                            const NetworkConfigSource& configure) {
  GORILA_RETURN_IF_ERROR(CheckIsNetwork(path));
  GORILA_ASSIGN_OR_RETURN(Config config, configure(OriginOf(path)));
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  StatusOr<RunNetwork> network = ReadNetwork(path, MakeParameterLayout(spec));
  if (!network.ok()) {
    return Annotate(network.status(), fmt::format("'{}' as the network of {}", path.string(),
                                                  config.environment.name));
  }
  return TrainedNetwork{std::move(config), std::move(network->parameters), network->file,
                        network->versions, std::move(network->warnings)};
}

}  // namespace gorila
