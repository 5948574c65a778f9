#include "gorila/run/initial_network.h"

#include <algorithm>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/game_list.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/resume_rules.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_network.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpointNetwork = "parameters.safetensors";
constexpr char kInitFrom[] = "init_from";  // metadata of what is stored
constexpr std::size_t kMostNamed = 6;      // tensors in a message

// A trained network, whatever its layout.
struct Source {
  fs::path path;
  Safetensors file;
  std::vector<std::string> warnings = {};  // why newer networks were passed over

  std::string Metadata(const std::string& key) const {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? "" : found->second;
  }
  // Empty where the file does not say.
  std::vector<std::string> games() const {
    const StatusOr<std::vector<std::string>> games = ExpandGames(Metadata("environment"));
    return games.ok() ? *games : std::vector<std::string>();
  }
  // Of the run whose folder the network is in; empty where there is none.
  std::string algorithm() const {
    fs::path folder = path;  // RUN/checkpoints/000000004000/parameters.safetensors
    for (int up = 0; up <= 3; ++up, folder = folder.parent_path()) {
      if (!CheckIsRun(folder).ok()) continue;
      const StatusOr<Config> own = LoadRunConfig(folder / "config.toml");
      return own.ok() ? own->learner.agent.algorithm : "";
    }
    return "";
  }
  std::string checksum() const { return fmt::format("crc32:{}", TensorsCrc32(file)); }
};

StatusOr<Source> DecodeSource(const fs::path& path, std::string_view bytes) {
  StatusOr<Safetensors> file = Safetensors::Decode(bytes);
  Status status = file.status();
  if (status.ok()) status = CheckTensors(*file);
  if (!status.ok()) return Annotate(status, fmt::format("'{}'", path.string()));
  return Source{path, *std::move(file)};
}

StatusOr<Source> ReadSourceFile(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFileOf(kNetworkFile, path));
  return DecodeSource(path, bytes);
}

StatusOr<Source> ReadSourceCheckpoint(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const Checkpoint checkpoint, OpenCheckpoint(path));
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, checkpoint.Read(kCheckpointNetwork));
  return DecodeSource(path / kCheckpointNetwork, bytes);
}

// A launched run may have snapshots of its parameter servers only: they are encoded as a file is.
StatusOr<Source> ReadSourceRun(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(path));
  GORILA_ASSIGN_OR_RETURN(const Config own, LoadRunConfig(path / "config.toml"));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(own));
  const ParameterLayout layout = MakeParameterLayout(spec);
  GORILA_ASSIGN_OR_RETURN(RunNetwork network, ReadRunNetwork(path, own, layout));
  StatusOr<Source> source = absl::UnknownError("not read");
  if (network.versions.empty()) {
    source = ReadSourceFile(network.file);
  } else {
    GORILA_ASSIGN_OR_RETURN(
        const std::string bytes,
        EncodeParameters(layout, network.parameters, {{"environment", own.environment.name}}));
    source = DecodeSource(path, bytes);
  }
  if (source.ok()) source->warnings = std::move(network.warnings);
  return source;
}

StatusOr<Source> ReadSource(const Config& config) {
  std::error_code error;
  const fs::path path = fs::absolute(config.network.init_from, error).lexically_normal();
  StatusOr<Source> source = absl::UnknownError("not read");
  if (!fs::exists(path, error)) {
    source = NotFound("'{}': no such file or folder", path.string());
  } else if (!fs::is_directory(path, error)) {
    source = ReadSourceFile(path);
  } else if (fs::exists(path / kManifestName, error)) {
    source = ReadSourceCheckpoint(path);
  } else {
    source = ReadSourceRun(path.has_filename() ? path : path.parent_path());
  }
  if (!source.ok()) return Annotate(source.status(), "network.init_from");
  return source;
}

// "crc32:1a2b3c4d /runs/a/final.safetensors".
std::string RecordOf(const Source& source) {
  return fmt::format("{} {}", source.checksum(), source.path.string());
}

// A record of another path belongs to an earlier choice.
Status CheckRecord(const Config& config, const Source& source) {
  const std::string& record = config.network.init_record;
  const std::size_t space = record.find(' ');
  if (space == std::string::npos || record.substr(space + 1) != config.network.init_from) {
    return OkStatus();
  }
  if (record.substr(0, space) == source.checksum()) return OkStatus();
  return InvalidArgument(
      "network.init_from: '{}' is not what it was when it was recorded ({}, not {}); restore it, "
      "or start from it as it is with network.init_record=none",
      config.network.init_from, source.checksum(), record.substr(0, space));
}

std::string ShapeText(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// Which tensor of the source is which of the network's.
class Names {
 public:
  Names(const Source& source, const Config& config)
      : theirs_(source.games()), ours_(GamesOf(config)) {}

  // A head of one of several games is that of the same game there; a network of one game has no
  // prefix.
  std::string There(const Source& source, const std::string& name) const {
    for (std::size_t game = 0; game < ours_.size(); ++game) {
      const std::string prefix = GameHeadName(static_cast<int>(game), "");
      if (ours_.size() > 1 && name.starts_with(prefix)) {
        return HeadOf(source, game, name.substr(prefix.size()));
      }
    }
    if (ours_.size() == 1 && theirs_.size() > 1 && !source.file.Find(name).ok()) {
      return HeadOf(source, 0, name);
    }
    return name;
  }

  bool same_games() const { return theirs_ == ours_; }
  std::string theirs() const { return fmt::format("{}", fmt::join(theirs_, ", ")); }

 private:
  std::string HeadOf(const Source& source, std::size_t game, const std::string& name) const {
    const auto place = std::find(theirs_.begin(), theirs_.end(), ours_[game]);
    const auto index = static_cast<int>(place - theirs_.begin());
    // Without names of games there the places are all that is known.
    if (theirs_.empty()) return GameHeadName(static_cast<int>(game), name);
    if (place == theirs_.end()) return "";
    if (theirs_.size() == 1) return name;
    const std::string own = GameHeadName(index, name);
    return source.file.Find(own).ok() ? own : name;  // or the head that all games share there
  }

  const std::vector<std::string> theirs_;
  const std::vector<std::string> ours_;
};

struct Fit {
  std::vector<float> parameters;
  std::size_t taken = 0;
  bool outputs = false;              // whether some are of the layer of outputs
  std::vector<std::string> misfits;  // "q.weight [3, 128] there, [6, 128] here"
};

// Whether it is a head's, of one game or of all.
bool IsOfOutputs(std::string_view tensor) {
  return !tensor.starts_with("conv") && !tensor.starts_with("fc") && !tensor.starts_with("tau");
}

Fit FitSource(const Source& source, const Config& config, const ParameterLayout& layout) {
  Fit fit{.parameters = RunInitialParameters(config, layout), .misfits = {}};
  const Names names(source, config);
  for (const ParameterTensor& tensor : layout.tensors) {
    const std::vector<std::int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    const StatusOr<NamedTensor> found = source.file.Find(names.There(source, tensor.name));
    if (!found.ok()) {
      fit.misfits.push_back(fmt::format("{} not there, {} here", tensor.name, ShapeText(shape)));
    } else if (found->shape != shape) {
      fit.misfits.push_back(fmt::format("{} {} there, {} here", tensor.name,
                                        ShapeText(found->shape), ShapeText(shape)));
    } else {
      ++fit.taken;
      fit.outputs = fit.outputs || IsOfOutputs(tensor.name);
      std::copy(found->values.begin(), found->values.end(),
                fit.parameters.begin() + static_cast<std::ptrdiff_t>(tensor.offset));
    }
  }
  return fit;
}

std::string MisfitsText(const std::vector<std::string>& misfits) {
  const std::size_t named = std::min(misfits.size(), kMostNamed);
  std::string text = fmt::format(
      "{}", fmt::join(misfits.begin(), misfits.begin() + static_cast<long>(named), "; "));
  if (named < misfits.size()) text += fmt::format("; and {} more", misfits.size() - named);
  return text;
}

StatusOr<Fit> FitAny(const Source& source, const Config& config, const ParameterLayout& layout) {
  Fit fit = FitSource(source, config, layout);
  if (fit.taken > 0) return fit;
  return InvalidArgument("network.init_from: no layer of '{}' fits this network: {}",
                         source.path.string(), MisfitsText(fit.misfits));
}

void AddAlgorithmWarning(const Source& source, const Config& config,
                         std::vector<std::string>& lines) {
  const std::string& ours = config.learner.agent.algorithm;
  const std::string theirs = source.algorithm();
  const std::vector<std::string_view> alike = AlgorithmsLike(ours);
  if (theirs.empty() || std::find(alike.begin(), alike.end(), theirs) != alike.end()) return;
  lines.push_back(
      fmt::format("learner.algorithm is {}, but the source was trained with {}, whose outputs mean "
                  "something else; expected {}",
                  ours, theirs, fmt::join(AlgorithmsLike(theirs), " or ")));
}

std::vector<std::string> Describe(const Source& source, const Config& config, const Fit& fit) {
  std::vector<std::string> lines;
  for (const std::string& warning : source.warnings) lines.push_back(warning);
  const std::string frames = source.Metadata("frames");
  lines.push_back(fmt::format("the network begins with '{}'{}: {} of {} tensors",
                              source.path.string(),
                              frames.empty() ? "" : fmt::format(", after {} frames", frames),
                              fit.taken, fit.taken + fit.misfits.size()));
  if (!fit.misfits.empty()) {
    lines.push_back(fmt::format("begin anew: {}", MisfitsText(fit.misfits)));
  }
  if (fit.outputs) AddAlgorithmWarning(source, config, lines);
  const Names names(source, config);
  if (config.environment.options.game_input && !names.same_games()) {
    lines.push_back(fmt::format(
        "network.game_input: the source learnt {}; the input that says which game it is means "
        "other games here",
        names.theirs()));
  }
  return lines;
}

bool IsWanted(const Config& config) { return config.network.init_from != "none"; }

StatusOr<ParameterLayout> LayoutOf(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  return MakeParameterLayout(spec);
}

StatusOr<Source> RecordSource(Config& config) {
  GORILA_ASSIGN_OR_RETURN(Source source, ReadSource(config));
  GORILA_RETURN_IF_ERROR(CheckRecord(config, source));
  config.network.init_from = source.path.string();
  config.network.init_record = RecordOf(source);
  return source;
}

}  // namespace

fs::path InitialNetworkFile(const fs::path& run) { return run / "initial.safetensors"; }

StatusOr<std::vector<std::string>> RecordInitialNetwork(Config& config) {
  if (!IsWanted(config)) {
    config.network.init_record = "none";
    return std::vector<std::string>();
  }
  GORILA_ASSIGN_OR_RETURN(const ParameterLayout layout, LayoutOf(config));
  GORILA_ASSIGN_OR_RETURN(const Source source, RecordSource(config));
  GORILA_ASSIGN_OR_RETURN(const Fit fit, FitAny(source, config, layout));
  return Describe(source, config, fit);
}

Status RecordInitialSource(Config& config) {
  if (IsWanted(config)) return RecordSource(config).status();
  config.network.init_record = "none";
  return OkStatus();
}

bool KeepInitialNetwork(const Config& run, Config& config) {
  if (!IsWanted(run) || !IsWanted(config) || run.network.init_record == "none") return false;
  std::error_code error;
  const fs::path named = fs::absolute(config.network.init_from, error).lexically_normal();
  const fs::path within = fs::path(run.network.init_from).lexically_relative(named);
  if (within.empty() || *within.begin() == "..") return false;
  config.network.init_from = run.network.init_from;
  config.network.init_record = run.network.init_record;
  return true;
}

StatusOr<std::optional<std::vector<float>>> ComposeInitialNetwork(const Config& config,
                                                                  const ParameterLayout& layout) {
  if (!IsWanted(config)) return std::optional<std::vector<float>>();
  GORILA_ASSIGN_OR_RETURN(const Source source, ReadSource(config));
  GORILA_RETURN_IF_ERROR(CheckRecord(config, source));
  GORILA_ASSIGN_OR_RETURN(Fit fit, FitAny(source, config, layout));
  return std::optional(std::move(fit.parameters));
}

StatusOr<std::optional<std::vector<float>>> StoreInitialNetwork(const Config& config,
                                                                const ParameterLayout& layout,
                                                                const fs::path& run) {
  GORILA_ASSIGN_OR_RETURN(std::optional<std::vector<float>> parameters,
                          ComposeInitialNetwork(config, layout));
  if (!parameters.has_value()) return parameters;
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout, *parameters,
                                           {{"environment", config.environment.name},
                                            {"frames", "0"},
                                            {kInitFrom, config.network.init_from}}));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(InitialNetworkFile(run), encoded));
  return parameters;
}

StatusOr<std::optional<std::vector<float>>> ReadInitialNetwork(const Config& config,
                                                               const ParameterLayout& layout,
                                                               const fs::path& file) {
  if (!IsWanted(config)) return std::optional<std::vector<float>>();
  const StatusOr<std::string> bytes = ReadFileOf(NetworkFileOf(layout.size), file);
  if (absl::IsNotFound(bytes.status())) {
    return DataLoss("'{}' is missing, and the run has no state yet; start a new run",
                    file.string());
  }
  GORILA_RETURN_IF_ERROR(bytes.status());
  GORILA_ASSIGN_OR_RETURN(const Source source, DecodeSource(file, *bytes));
  if (source.Metadata(kInitFrom) != config.network.init_from) {
    return InvalidArgument(
        "network.init_from is {}, but '{}' was made from {}; keep it, or start a new run",
        config.network.init_from, file.string(), source.Metadata(kInitFrom));
  }
  auto parameters = DecodeParameters(layout, *bytes);
  if (!parameters.ok()) return Annotate(parameters.status(), fmt::format("'{}'", file.string()));
  return std::optional(*std::move(parameters));
}

}  // namespace gorila
