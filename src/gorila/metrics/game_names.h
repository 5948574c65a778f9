// The names of a run's games as people read them.
#ifndef GORILA_METRICS_GAME_NAMES_H_
#define GORILA_METRICS_GAME_NAMES_H_

#include <span>
#include <string>
#include <vector>

namespace gorila {

// What comes after the last '/' of each ("breakout" of "minatar/breakout"), where that tells the
// games apart, else the whole name.
std::vector<std::string> ShortGameNames(std::span<const std::string> names);

}  // namespace gorila

#endif  // GORILA_METRICS_GAME_NAMES_H_
