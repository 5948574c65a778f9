// A network as data. What computes it is a backend (q_network.h).
#ifndef GORILA_NETWORK_NETWORK_SPEC_H_
#define GORILA_NETWORK_NETWORK_SPEC_H_

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// Valid (unpadded) convolution followed by ReLU.
struct ConvolutionSpec {
  int filters = 0;
  int kernel = 0;  // square
  int stride = 1;

  bool operator==(const ConvolutionSpec&) const = default;
};

// A part of the output layer: `width` of its outputs.
struct HeadSpec {
  std::string name;
  int width = 0;

  bool operator==(const HeadSpec&) const = default;
};

// Convolutions, then fully connected layers with ReLU, then a linear output layer of one or more
// heads. With a sampled head (Dabney et al. 2018b) the fully connected layers compute an output for
// each tau of an observation: they read the features (the last convolution's output, or the
// observation) times an embedding of tau, ReLU(W cos(pi k tau) + b) with k = 1..64.
struct NetworkSpec {
  ObservationSpec input;  // the network sees input.channels * input.stack channels
  std::vector<ConvolutionSpec> convolutions;
  std::vector<int> hidden;  // units of each fully connected layer
  int num_actions = 0;
  std::vector<HeadSpec> heads = {};  // of the output layer; none: "q", a value for each action
  // Above 0: the fully connected layers are noisy (noisy_network.h), and this is the sigma_0 that
  // their noise begins with.
  double noise = 0;
  int taus = 0;  // above 0: it has a sampled head, and so many taus for each observation
  // Of several games that share the network: the actions that each has. Empty: one game, and all.
  std::vector<ActionMask> game_actions = {};
  // Whether each game has an output layer of its own (game_heads.h): the heads, once for each.
  bool game_heads = false;

  int input_channels() const { return input.channels * input.stack; }
  int num_games() const { return game_actions.empty() ? 1 : static_cast<int>(game_actions.size()); }
  // The outputs of all heads, one after another.
  int head_outputs() const {
    int sum = heads.empty() ? num_actions : 0;
    for (const HeadSpec& head : heads) sum += head.width;
    return sum;
  }
  // The width of the output layer.
  int layer_outputs() const { return head_outputs() * (game_heads ? num_games() : 1); }
  // What the network computes for an observation, of its game; with a sampled head those of each
  // tau, one tau after another.
  int outputs() const { return head_outputs() * std::max(taus, 1); }
  // Whether learning by it draws random numbers.
  bool is_stochastic() const { return noise > 0 || taus > 0; }
  bool operator==(const NetworkSpec&) const = default;
};

// The heads of the output layer, by name: those of all games with game_heads.
std::vector<HeadSpec> LayerHeads(const NetworkSpec& spec);

// Of a head, or of a parameter of one, in a network with game_heads: "game2.q.weight".
std::string GameHeadName(int game, std::string_view name);

// The layers of a preset, without the sizes that the environment decides.
struct NetworkPreset {
  std::string_view name;
  std::string_view summary;
  std::vector<ConvolutionSpec> convolutions;
  std::vector<int> hidden;
};

// `nature_dqn` (32@8x8/4, 64@4x4/2, 64@3x3/1, 512; Mnih et al. 2015), `minatar_dqn` (16@3x3/1, 128;
// Young & Tian 2019), `mlp` (64, 64).
std::span<const NetworkPreset> NetworkPresets();

// The preset's layers for this environment. `preset` may be "auto": nature_dqn for frames of 48 x
// 48 and more, minatar_dqn for other pictures (height and width > 1), mlp for vectors.
// InvalidArgument for an unknown preset, or one whose layers do not fit the input (named with
// sizes).
StatusOr<NetworkSpec> MakeNetworkSpec(std::string_view preset, const EnvironmentSpec& environment);

// InvalidArgument when a size is not positive or a convolution is larger than what it is given.
Status CheckNetworkSpec(const NetworkSpec& spec);

}  // namespace gorila

#endif  // GORILA_NETWORK_NETWORK_SPEC_H_
