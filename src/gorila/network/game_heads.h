// A network with an output layer for each of several games (network.heads = "per_game").
#ifndef GORILA_NETWORK_GAME_HEADS_H_
#define GORILA_NETWORK_GAME_HEADS_H_

#include <memory>
#include <span>
#include <vector>

#include "gorila/network/q_network.h"

namespace gorila {

// What a backend computes for it: one game, whose heads are those of all games.
NetworkSpec WithHeadsOfAllGames(const NetworkSpec& spec);

// Gives of the outputs of `all`, a network of WithHeadsOfAllGames(spec), those of each
// observation's game (QNetwork::UseGames). `spec.game_heads` is true.
std::unique_ptr<QNetwork> MakeGameHeads(const NetworkSpec& spec, std::unique_ptr<QNetwork> all);

struct GameNetwork {
  NetworkSpec spec;
  std::vector<float> parameters;
};

// The network of one of the games on its own, with all common actions. `spec.game_heads` may be
// false: then it has the parameters of all.
GameNetwork TakeGame(const NetworkSpec& spec, std::span<const float> parameters, int game);

}  // namespace gorila

#endif  // GORILA_NETWORK_GAME_HEADS_H_
