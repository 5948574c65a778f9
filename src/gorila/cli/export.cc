#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/base/file.h"
#include "gorila/base/nearest.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/network_source.h"
#include "gorila/cli/verb.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/player.h"
#include "gorila/export/game_network.h"
#include "gorila/export/npz.h"
#include "gorila/export/onnx.h"
#include "gorila/export/q_examples.h"
#include "gorila/export/torchscript.h"
#include "gorila/run/parameter_file.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  ConfigFlags config;
  std::string game;
  AtFrames at;
  fs::path network;
  std::string format;
  fs::path output;
  fs::path examples;
};

// A network with its description.
struct Exported {
  TrainedNetwork trained;
  NetworkSpec spec;
  ValueForm form;       // what its outputs mean
  std::string actions;  // which of them a game has, of one among several; else empty

  bool is_policy() const { return form.kind == ValueKind::kPolicy; }
  std::string description() const {
    return fmt::format("{} of {}, from {}{}", is_policy() ? "Policy" : "Q-network",
                       trained.config.environment.name, trained.file.filename().string(),
                       trained.versions.empty() ? "" : fmt::format(" ({})", trained.versions));
  }
};

StatusOr<std::string> ToNpz(const Exported& network) {
  return EncodeNpz(MakeParameterLayout(network.spec), network.trained.parameters);
}

StatusOr<std::string> ToOnnx(const Exported& network) {
  return EncodeOnnx(network.spec, network.form, network.trained.parameters, network.description());
}

StatusOr<std::string> ToSafetensors(const Exported& network) {
  return EncodeParameters(MakeParameterLayout(network.spec), network.trained.parameters,
                          {{"environment", network.trained.config.environment.name}});
}

StatusOr<std::string> ToTorchScript(const Exported& network) {
  StatusOr<std::string> bytes =
      EncodeTorchScript(network.spec, network.form, network.trained.parameters);
  if (!bytes.ok()) return Annotate(bytes.status(), "--format torchscript");
  return bytes;
}

struct Format {
  const char* name;
  const char* summary;
  StatusOr<std::string> (*encode)(const Exported& network);
  bool computes = false;  // whether it is the whole network, and not just its parameters
};

constexpr Format kFormats[] = {
    {"npz", "arrays for numpy.load", &ToNpz},
    {"onnx", "the whole network, from observations", &ToOnnx, true},
    {"safetensors", "tensors for PyTorch and others", &ToSafetensors},
    {"torchscript", "the same for torch.jit.load; needs libtorch", &ToTorchScript, true}};

StatusOr<const Format*> FindFormat(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Format& format : kFormats) {
    if (name == format.name) return &format;
    names.emplace_back(format.name);
  }
  return InvalidArgument(
      "--format: unknown name '{}'; did you mean {}? 'gorila help export' lists all", name,
      NearestNamesText(name, names));
}

Status CheckFormat(const Format& format, const Exported& network) {
  if (!format.computes) return OkStatus();
  if (network.spec.taus == 0) return OkStatus();
  return InvalidArgument(
      "--format {}: networks of learner.algorithm {} cannot be written as a whole, since their "
      "head is sampled; expected npz or safetensors, which are their parameters",
      format.name, network.trained.config.learner.agent.algorithm);
}

// Of one game among several: which of the network's outputs are its actions.
std::string ActionsText(const EnvironmentSpec& environment) {
  std::vector<std::string> actions;
  for (const int action : OwnActions(environment)) {
    actions.push_back(
        fmt::format("{} ({})", action, environment.action_names[static_cast<std::size_t>(action)]));
  }
  return fmt::format("{} has {} of the network's {} actions: {}", environment.name, actions.size(),
                     environment.num_actions(), fmt::join(actions, ", "));
}

// A network of several games as the one that was chosen sees it, if one was, and otherwise whole.
StatusOr<Exported> Describe(TrainedNetwork trained) {
  GORILA_ASSIGN_OR_RETURN(NetworkSpec spec, ResolveNetwork(trained.config));
  const AgentOptions& agent = trained.config.learner.agent;
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const algorithm, FindAlgorithm(agent.algorithm));
  const ValueForm form = algorithm->form(agent, spec.num_actions);
  Exported network{std::move(trained), std::move(spec), form, ""};
  if (network.spec.num_games() == 1 || NumGames(network.trained.config) > 1) return network;
  const EnvironmentSection& section = network.trained.config.environment;
  GORILA_ASSIGN_OR_RETURN(const EnvironmentSpec environment,
                          DescribeEnvironment(section.name, section.options));
  GameNetwork one =
      NetworkOfGame(network.spec, network.form, network.trained.parameters, environment.game);
  network.spec = std::move(one.spec);
  network.trained.parameters = std::move(one.parameters);
  network.actions = ActionsText(environment);
  return network;
}

StatusOr<int> Export(const ExportOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const Format* format, FindFormat(options.format));
  GORILA_ASSIGN_OR_RETURN(TrainedNetwork trained,
                          LoadTrainedNetworkAt(options.network, options.at, options.config));
  // Parameters alone may be those of all games.
  const bool plays = format->computes || !options.examples.empty();
  GORILA_RETURN_IF_ERROR(plays ? ChooseOneGame("export", options.game, trained.config)
                               : ChooseGame(options.game, trained.config));
  const std::vector<float> parameters = trained.parameters;  // of all games
  GORILA_ASSIGN_OR_RETURN(const Exported network, Describe(std::move(trained)));
  GORILA_RETURN_IF_ERROR(CheckFormat(*format, network));
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, format->encode(network));
  const fs::path output =
      options.output.empty() ? fs::path(fmt::format("network.{}", format->name)) : options.output;
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(output, bytes));
  fmt::print("{}: {}, {} bytes\n", output.string(), network.description(), bytes.size());
  if (!network.actions.empty()) fmt::print("{}\n", network.actions);
  if (options.examples.empty()) return kSuccess;
  GORILA_ASSIGN_OR_RETURN(const std::string examples,
                          EncodeQExamples(network.trained.config, parameters));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(options.examples, examples));
  fmt::print("{}: {} observations and their {}\n", options.examples.string(), kQExamples,
             network.is_policy() ? "probabilities and values" : "Q-values");
  return kSuccess;
}

constexpr CommandText kExportText = {
    .name = "export",
    .summary = "Write a trained network for other programs",
    .details =
        R"(onnx and torchscript are the whole network: it reads observations as the environment writes them
and gives Q-values ("q"), whatever the algorithm but iqn, without the noise of noisy layers; that of
a policy (vtrace) gives two outputs, each action's probability ("policy") and the state's value
("value"). npz and safetensors are all its parameters, named and shaped as PyTorch has them: each
head's, and the noise's sigmas.
The network of several games computes as one of them, which --game names; the actions that the game
has are printed, and whoever acts must choose among those.
torchscript needs a program that is built with libtorch. --examples writes observations with what
this program computes from them, to compare another one with.
)",
    .examples = R"(gorila export runs/minatar-breakout-minatar-seed1-1 --format onnx
gorila export runs/mine --format onnx --output mine.onnx --examples mine.json
gorila export runs/mine/checkpoints/000000050000 --format npz --output weights.npz
)"};

}  // namespace

Verb AddExportVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kExportText);
  const auto options = std::make_shared<ExportOptions>();
  app->add_option("PATH", options->network,
                  "The network: a run's folder, a checkpoint's or a .safetensors file")
      ->required()
      ->type_name("");
  std::string formats;
  for (const Format& format : kFormats) {
    formats += fmt::format("{}{} ({})", formats.empty() ? "" : ", ", format.name, format.summary);
  }
  app->add_option("--format", options->format, formats)->required()->type_name("NAME");
  app->add_option("--output", options->output, "File to write (default: network.FORMAT)")
      ->type_name("FILE");
  app->add_option("--examples", options->examples,
                  "JSON file of observations and the network's outputs")
      ->type_name("FILE");
  AddAtFlag(*app, options->at);
  AddGameFlag(*app, options->game, "The game that the network is to play, of a run with several");
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return Export(*options); }};
}

}  // namespace gorila::cli
