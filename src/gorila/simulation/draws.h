// Random numbers that depend on what they are for and on nothing that was drawn before, so that
// leaving one fault out of a plan does not reshuffle everything after it.
#ifndef GORILA_SIMULATION_DRAWS_H_
#define GORILA_SIMULATION_DRAWS_H_

#include <cstdint>
#include <initializer_list>

namespace gorila::simulation {

// SplitMix64's finaliser (Steele et al. 2014).
constexpr std::uint64_t Mix(std::uint64_t bits) {
  bits += 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

constexpr std::uint64_t DrawBits(std::initializer_list<std::uint64_t> what) {
  std::uint64_t bits = 0;
  for (const std::uint64_t part : what) bits = Mix(bits ^ part);
  return bits;
}

// In [0, 1).
constexpr double UnitOf(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_DRAWS_H_
