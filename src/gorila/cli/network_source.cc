#include "gorila/cli/network_source.h"

#include "gorila/base/file.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/runtime/cluster.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/config_load.h"
#include "gorila/runtime/run_checkpoint.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct EncodedNetwork {
  std::string bytes;
  fs::path file;
};

constexpr const char* kParametersFile = "parameters.safetensors";

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

StatusOr<EncodedNetwork> ReadCheckpoint(const Checkpoint& checkpoint) {
  GORILA_ASSIGN_OR_RETURN(std::string bytes, checkpoint.Read(kParametersFile));
  return EncodedNetwork{std::move(bytes), checkpoint.path() / kParametersFile};
}

StatusOr<EncodedNetwork> ReadNetworkFile(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return EncodedNetwork{std::move(bytes), path};
}

StatusOr<EncodedNetwork> ReadEncoded(const fs::path& path) {
  std::error_code error;
  if (!Exists(path)) return NotFound("'{}': no such file or folder", path.string());
  if (!fs::is_directory(path, error)) return ReadNetworkFile(path);
  if (Exists(path / kManifestName)) {
    GORILA_ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(path));
    return ReadCheckpoint(checkpoint);
  }
  if (Exists(path / "final.safetensors")) return ReadNetworkFile(path / "final.safetensors");
  const bool is_run = fs::exists(path / "config.toml", error);
  if (error) return Unavailable("cannot look into '{}': {}", path.string(), error.message());
  if (!is_run) {
    return InvalidArgument(
        "'{}' is neither a run directory nor a checkpoint: it has no config.toml or {}",
        path.string(), kManifestName);
  }
  GORILA_ASSIGN_OR_RETURN(const NewestCheckpoint newest,
                          NewestCompleteCheckpoint(path / "checkpoints"));
  return ReadCheckpoint(newest.checkpoint);
}

// The configuration of the run that `path` is, or lies in as a file, a checkpoint or a file of one.
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

StatusOr<Config> LoadNetworkConfig(const fs::path& path, const ConfigFlags& flags) {
  const fs::path around = flags.NamesSource() ? fs::path() : ConfigAround(path);
  if (around.empty()) return flags.Load();
  GORILA_ASSIGN_OR_RETURN(Config config, LoadRunConfig(around));
  GORILA_RETURN_IF_ERROR(flags.ApplyTo(config));
  return config;
}

}  // namespace

StatusOr<TrainedNetwork> LoadTrainedNetwork(const fs::path& path, const ConfigFlags& flags) {
  GORILA_ASSIGN_OR_RETURN(const EncodedNetwork encoded, ReadEncoded(path));
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadNetworkConfig(path, flags));
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  auto parameters = DecodeParameters(MakeParameterLayout(network), encoded.bytes);
  if (!parameters.ok()) {
    return Annotate(
        parameters.status(),
        fmt::format("'{}' as the network of {}", encoded.file.string(), config.environment.name));
  }
  return TrainedNetwork{config, *std::move(parameters), encoded.file};
}

}  // namespace gorila::cli
