// Networks, inputs and backends that the tests of q_network.h share.
#ifndef GORILA_NETWORK_NETWORK_SAMPLES_H_
#define GORILA_NETWORK_NETWORK_SAMPLES_H_

#include <algorithm>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/network/q_network.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {

struct Case {
  std::string name;
  NetworkSpec spec;
};

// How a failed test names its parameter.
inline void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

inline EnvironmentSpec Atari() {
  return {.name = "atari",
          .observation = {.height = 84, .width = 84, .scale = 1 / 255.0F, .stack = 4},
          .action_names = {"noop", "fire", "left", "right"}};
}

inline EnvironmentSpec Breakout() {
  return {.name = "breakout",
          .observation = {.channels = 4, .height = 10, .width = 10},
          .action_names = {"n", "l", "u", "r", "d", "f"}};
}

inline EnvironmentSpec CartPole() {
  return {.name = "cartpole",
          .observation = {.channels = 4, .element = ElementType::kFloat32},
          .action_names = {"left", "right"}};
}

inline std::vector<Case> Cases() {
  const ObservationSpec floats = {.channels = 3,
                                  .height = 9,
                                  .width = 11,
                                  .element = ElementType::kFloat32,
                                  .scale = 0.5F,
                                  .stack = 4};
  const ObservationSpec bytes = {.channels = 5, .height = 13, .width = 12, .scale = 1 / 255.0F};
  return {
      {"nature_dqn", *MakeNetworkSpec("nature_dqn", Atari())},
      {"minatar_dqn", *MakeNetworkSpec("minatar_dqn", Breakout())},
      {"mlp", *MakeNetworkSpec("mlp", CartPole())},
      {"FloatStackTwoConvolutions",
       {.input = floats,
        .convolutions = {{.filters = 7, .kernel = 3, .stride = 2},
                         {.filters = 18, .kernel = 2, .stride = 1}},
        .hidden = {33},
        .num_actions = 5}},
      // The kernel is a multiple of the stride, and the stride leaves a row and columns unread.
      {"StridedFirstLayer",
       {.input = bytes,
        .convolutions = {{.filters = 16, .kernel = 6, .stride = 3}},
        .hidden = {20},
        .num_actions = 3}},
      // Tiles of 16 and filters in sixteens, which oneDNN likes in blocks.
      {"TiledAndBlocked",
       {.input = {.height = 21, .width = 20, .scale = 1 / 255.0F, .stack = 3},
        .convolutions = {{.filters = 32, .kernel = 8, .stride = 4},
                         {.filters = 16, .kernel = 3, .stride = 1}},
        .hidden = {24},
        .num_actions = 4}},
      // Large enough for a layout of their own in every backend (NetworkShape::IsSmall).
      {"LargeTiledAndPaired",
       {.input = {.height = 40, .width = 36, .scale = 1 / 255.0F, .stack = 3},
        .convolutions = {{.filters = 32, .kernel = 8, .stride = 4},
                         {.filters = 48, .kernel = 4, .stride = 2}},
        .hidden = {64},
        .num_actions = 4}},
      {"LargeFloats",
       {.input = floats,
        .convolutions = {{.filters = 70, .kernel = 3, .stride = 2},
                         {.filters = 201, .kernel = 2, .stride = 1}},
        .hidden = {96, 33},
        .num_actions = 5}},
      {"LargeStrides",
       {.input = {.channels = 5, .height = 31, .width = 29, .scale = 1 / 255.0F},
        .convolutions = {{.filters = 40, .kernel = 4, .stride = 2},
                         {.filters = 30, .kernel = 4, .stride = 2},
                         {.filters = 20, .kernel = 3, .stride = 2}},
        .hidden = {20},
        .num_actions = 3}},
      {"StrideBeyondKernel",
       {.input = bytes,
        .convolutions = {{.filters = 6, .kernel = 1, .stride = 2},
                         {.filters = 17, .kernel = 3, .stride = 3}},
        .hidden = {8},
        .num_actions = 2}},
      {"NoHiddenLayer",
       {.input = bytes,
        .convolutions = {{.filters = 4, .kernel = 4, .stride = 2}},
        .hidden = {},
        .num_actions = 18}},
      {"TwoHeads",
       {.input = bytes,
        .convolutions = {{.filters = 8, .kernel = 4, .stride = 2}},
        .hidden = {24},
        .num_actions = 3,
        .heads = {{.name = "advantage", .width = 15}, {.name = "value", .width = 5}}}},
      {"SampledHead",
       {.input = bytes,
        .convolutions = {{.filters = 8, .kernel = 4, .stride = 2}},
        .hidden = {24},
        .num_actions = 3,
        .heads = {{.name = "advantage", .width = 3}, {.name = "value", .width = 1}},
        .taus = 5}},
      {"SampledVectors",
       {.input = floats, .convolutions = {}, .hidden = {14}, .num_actions = 3, .taus = 1}},
      {"SampledLarge",
       {.input = {.height = 40, .width = 36, .scale = 1 / 255.0F, .stack = 3},
        .convolutions = {{.filters = 32, .kernel = 8, .stride = 4},
                         {.filters = 48, .kernel = 4, .stride = 2}},
        .hidden = {64},
        .num_actions = 4,
        .taus = 8}},
      {"OnePosition",
       {.input = bytes,
        .convolutions = {{.filters = 3, .kernel = 12, .stride = 1}},
        .hidden = {5, 6, 7},
        .num_actions = 1}},
      {"Linear", {.input = floats, .convolutions = {}, .hidden = {}, .num_actions = 3}},
      {"BytesWithoutConvolution",
       {.input = bytes, .convolutions = {}, .hidden = {10}, .num_actions = 2}},
  };
}

// Every element is what `draw_byte()` or, where they are floats, `draw_float()` gives.
template <typename DrawByte, typename DrawFloat>
void FillObservations(const ObservationSpec& spec, std::span<std::byte> bytes,
                      const DrawByte& draw_byte, const DrawFloat& draw_float) {
  if (spec.element == ElementType::kUint8) {
    for (std::byte& value : bytes) value = static_cast<std::byte>(draw_byte());
    return;
  }
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    const auto value = static_cast<float>(draw_float());
    std::copy_n(reinterpret_cast<const std::byte*>(&value), sizeof value, &bytes[i]);
  }
}

// Bytes below `levels`, floats from -1 to 1.
inline std::vector<std::byte> RandomObservations(const ObservationSpec& spec, int batch,
                                                 RandomStream& random, int levels = 256) {
  std::vector<std::byte> bytes(spec.stacked_bytes() * static_cast<std::size_t>(batch));
  FillObservations(
      spec, bytes, [&] { return random.Integer(0, levels); },
      [&] { return 2 * random.Uniform() - 1; });
  return bytes;
}

inline std::vector<float> RandomFloats(std::size_t size, RandomStream& random) {
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
  return values;
}

// Inputs of one computation and its two results.
struct Sample {
  Sample(const NetworkSpec& spec, int batch_size, std::uint64_t seed)
      : batch(batch_size), layout(MakeParameterLayout(spec)) {
    RandomStream random(seed);
    parameters = InitialParameters(layout, random);
    observations = RandomObservations(spec.input, batch, random);
    dq = RandomFloats(static_cast<std::size_t>(batch * spec.outputs()), random);
    q.resize(dq.size());
    gradient.resize(layout.size);
    taus.resize(static_cast<std::size_t>(batch * spec.taus));
    for (float& tau : taus) tau = static_cast<float>(random.Uniform());
  }

  void Compute(QNetwork& network) {
    network.SetParameters(parameters);
    network.UseTaus(taus);
    network.Forward(observations, batch, q);
    network.Backward(dq, gradient);
  }

  int batch;
  ParameterLayout layout;
  std::vector<float> parameters;
  std::vector<std::byte> observations;
  std::vector<float> dq;
  std::vector<float> taus;  // with a sampled head
  std::vector<float> q;
  std::vector<float> gradient;
};

// Whether this program or processor lacks the backend; its tests say so and are skipped.
inline bool IsMissing(std::string_view backend) {
  if (backend == "torch") return !TorchIsBuiltIn();
  return backend != "auto" && !CheckBackend(backend, "cpu").ok();
}

inline std::vector<std::string> AllBackendNames() {
  std::vector<std::string> names = {"auto"};
  for (const QNetworkBackend& backend : QNetworkBackends()) names.emplace_back(backend.name);
  return names;
}

inline std::vector<std::string> BackendNames() {
  std::vector<std::string> names = AllBackendNames();
  names.erase(std::remove_if(names.begin(), names.end(), IsMissing), names.end());
  return names;
}

}  // namespace gorila

#endif  // GORILA_NETWORK_NETWORK_SAMPLES_H_
