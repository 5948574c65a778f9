// Flags that take a whole number and do not set a configuration key.
#ifndef GORILA_CLI_NUMBER_FLAG_H_
#define GORILA_CLI_NUMBER_FLAG_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <limits>
#include <string>

namespace gorila::cli {

// low .. high, both included.
struct NumberRange {
  std::uint64_t low = 0;
  std::uint64_t high = std::numeric_limits<int>::max();
  bool units = true;  // whether 1k and 1M may be written: not for ports, indices, seeds, days
};

// Rewrites 1e6 and 1M as plain digits, or says what is possible.
CLI::Validator WholeNumber(NumberRange range);

// `Number`: an integer type that holds `range`, or an optional one.
template <typename Number>
CLI::Option* AddNumber(CLI::App& app, const std::string& flag, Number& number, NumberRange range,
                       const std::string& meaning) {
  return app.add_option(flag, number, meaning)->transform(WholeNumber(range))->type_name("N");
}

// --seed of the verbs whose seed is not a key of the configuration. Up to 2^64 - 1: the seed of a
// run's final evaluation, which evaluate prints, may be larger than what run.seed takes.
template <typename Seed>
CLI::Option* AddSeedFlag(CLI::App& app, Seed& seed, const char* meaning) {
  constexpr NumberRange kSeeds = {.high = std::numeric_limits<std::uint64_t>::max(),
                                  .units = false};
  return AddNumber(app, "--seed", seed, kSeeds, meaning);
}

}  // namespace gorila::cli

#endif  // GORILA_CLI_NUMBER_FLAG_H_
