#include "gorila/network/network_spec.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "gorila/base/nearest.h"
#include "gorila/network/network_shape.h"

namespace gorila {
namespace {

// Sizes and offsets must fit the 32-bit integers that BLAS-like interfaces and file formats use.
constexpr double kMaxElements = std::numeric_limits<std::int32_t>::max();

const std::array<NetworkPreset, 4>& Presets() {
  static const std::array<NetworkPreset, 4> presets = {{
      {.name = "nature_dqn",
       .summary = "32@8x8/4, 64@4x4/2, 64@3x3/1, 512 (Mnih et al. 2015)",
       .convolutions = {{.filters = 32, .kernel = 8, .stride = 4},
                        {.filters = 64, .kernel = 4, .stride = 2},
                        {.filters = 64, .kernel = 3, .stride = 1}},
       .hidden = {512}},
      {.name = "minatar_dqn",
       .summary = "16@3x3/1, 128 (Young & Tian 2019)",
       .convolutions = {{.filters = 16, .kernel = 3, .stride = 1}},
       .hidden = {128}},
      {.name = "linear",
       .summary = "no layer but the output, for linear Q-learning and Sarsa",
       .convolutions = {},
       .hidden = {}},
      {.name = "mlp",
       .summary = "64, 64; no convolution, for vector observations",
       .convolutions = {},
       .hidden = {64, 64}},
  }};
  return presets;
}

// MinAtar's one layer of small kernels would leave millions of weights behind larger pictures.
std::string_view PresetFor(const ObservationSpec& observation) {
  constexpr int kLargePicture = 48;
  if (std::min(observation.height, observation.width) >= kLargePicture) return "nature_dqn";
  if (observation.height > 1 && observation.width > 1) return "minatar_dqn";
  return "mlp";
}

StatusOr<NetworkPreset> FindPreset(std::string_view name) {
  std::vector<std::string_view> names = {"auto"};
  for (const NetworkPreset& preset : NetworkPresets()) {
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  return InvalidArgument(
      "network.preset is '{}'; expected auto, nature_dqn, minatar_dqn, linear or mlp "
      "(did you mean '{}'?)",
      name, NearestName(name, names));
}

Status CheckPositive(std::string_view layer, std::string_view what, int value) {
  if (value > 0) return OkStatus();
  return InvalidArgument("{}: {} is {}; expected at least 1", layer, what, value);
}

Status CheckElements(std::string_view layer, std::string_view what, double elements) {
  if (elements <= kMaxElements) return OkStatus();
  return InvalidArgument("{}: {} would be {:.0f}; expected at most {:.0f}", layer, what, elements,
                         kMaxElements);
}

Status CheckInput(const ObservationSpec& input) {
  GORILA_RETURN_IF_ERROR(CheckPositive("input", "channels", input.channels));
  GORILA_RETURN_IF_ERROR(CheckPositive("input", "height", input.height));
  GORILA_RETURN_IF_ERROR(CheckPositive("input", "width", input.width));
  GORILA_RETURN_IF_ERROR(CheckPositive("input", "stack", input.stack));
  return CheckElements("input", "elements",
                       1.0 * input.channels * input.stack * input.height * input.width);
}

// A picture on its way through the convolutions.
struct Picture {
  int channels;
  int height;
  int width;
};

// Checks one convolution and turns `picture` into what it gives.
Status CheckConvolution(const ConvolutionSpec& spec, const std::string& name, Picture& picture) {
  GORILA_RETURN_IF_ERROR(CheckPositive(name, "filters", spec.filters));
  GORILA_RETURN_IF_ERROR(CheckPositive(name, "kernel", spec.kernel));
  GORILA_RETURN_IF_ERROR(CheckPositive(name, "stride", spec.stride));
  if (spec.kernel > picture.height || spec.kernel > picture.width) {
    return InvalidArgument("{}: kernel {}x{} is larger than its input of {}x{} (height x width)",
                           name, spec.kernel, spec.kernel, picture.height, picture.width);
  }
  GORILA_RETURN_IF_ERROR(CheckElements(
      name, "weights", 1.0 * spec.filters * picture.channels * spec.kernel * spec.kernel));
  picture = {.channels = spec.filters,
             .height = (picture.height - spec.kernel) / spec.stride + 1,
             .width = (picture.width - spec.kernel) / spec.stride + 1};
  return CheckElements(name, "outputs", 1.0 * picture.channels * picture.height * picture.width);
}

// Checks one fully connected layer and turns `inputs` into its number of outputs.
Status CheckDense(const std::string& name, std::string_view what, int units, double& inputs) {
  GORILA_RETURN_IF_ERROR(CheckPositive(name, what, units));
  GORILA_RETURN_IF_ERROR(CheckElements(name, "weights", inputs * units));
  inputs = units;
  return OkStatus();
}

Status CheckOutputs(const NetworkSpec& spec, double& inputs) {
  if (spec.heads.empty()) return CheckDense("q", "num_actions", spec.num_actions, inputs);
  for (const HeadSpec& head : spec.heads) {
    GORILA_RETURN_IF_ERROR(CheckPositive(head.name, "outputs", head.width));
  }
  return CheckDense("output layer", "outputs", spec.layer_outputs(), inputs);
}

Status CheckSampledHead(const NetworkSpec& spec, double features) {
  if (spec.taus < 0) return InvalidArgument("tau: taus is {}; expected 0 or more", spec.taus);
  if (spec.taus == 0) return OkStatus();
  GORILA_RETURN_IF_ERROR(CheckElements("tau", "features of all taus", features * spec.taus));
  return CheckElements("tau", "weights", features * static_cast<double>(kCosines));
}

}  // namespace

std::string GameHeadName(int game, std::string_view name) {
  return fmt::format("game{}.{}", game, name);
}

std::vector<HeadSpec> LayerHeads(const NetworkSpec& spec) {
  std::vector<HeadSpec> heads = spec.heads;
  if (heads.empty()) heads = {{.name = "q", .width = spec.num_actions}};
  if (!spec.game_heads) return heads;
  std::vector<HeadSpec> all;
  for (int game = 0; game < spec.num_games(); ++game) {
    for (const HeadSpec& head : heads) {
      all.push_back({.name = GameHeadName(game, head.name), .width = head.width});
    }
  }
  return all;
}

std::span<const NetworkPreset> NetworkPresets() { return Presets(); }

StatusOr<NetworkSpec> MakeNetworkSpec(std::string_view preset, const EnvironmentSpec& environment) {
  const std::string_view name = preset == "auto" ? PresetFor(environment.observation) : preset;
  GORILA_ASSIGN_OR_RETURN(NetworkPreset found, FindPreset(name));
  NetworkSpec spec{.input = environment.observation,
                   .convolutions = std::move(found.convolutions),
                   .hidden = std::move(found.hidden),
                   .num_actions = environment.num_actions(),
                   .game_actions = environment.game_actions};
  const Status status = CheckNetworkSpec(spec);
  if (!status.ok()) {
    return Annotate(status, fmt::format("network {} for {}", name, environment.name));
  }
  return spec;
}

Status CheckNetworkSpec(const NetworkSpec& spec) {
  GORILA_RETURN_IF_ERROR(CheckInput(spec.input));
  Picture picture{
      .channels = spec.input_channels(), .height = spec.input.height, .width = spec.input.width};
  for (std::size_t i = 0; i < spec.convolutions.size(); ++i) {
    GORILA_RETURN_IF_ERROR(CheckConvolution(spec.convolutions[i], ConvolutionName(i), picture));
  }
  double inputs = 1.0 * picture.channels * picture.height * picture.width;
  GORILA_RETURN_IF_ERROR(CheckSampledHead(spec, inputs));
  for (std::size_t i = 0; i < spec.hidden.size(); ++i) {
    GORILA_RETURN_IF_ERROR(CheckDense(HiddenName(i), "units", spec.hidden[i], inputs));
  }
  GORILA_RETURN_IF_ERROR(CheckOutputs(spec, inputs));
  GORILA_RETURN_IF_ERROR(CheckElements("output layer", "outputs of all taus",
                                       1.0 * spec.layer_outputs() * std::max(spec.taus, 1)));
  return CheckElements("network", "parameters",
                       static_cast<double>(MakeNetworkShape(spec).parameters()));
}

}  // namespace gorila
