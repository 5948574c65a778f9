// --seed of the verbs whose seed is not a key of the configuration.
#ifndef GORILA_CLI_SEED_FLAG_H_
#define GORILA_CLI_SEED_FLAG_H_

#include <CLI/App.hpp>

namespace gorila::cli {

// Takes decimal digits, up to 2^64 - 1: the seed of a run's final evaluation, which evaluate
// prints, may be larger than what run.seed takes.
CLI::Validator SeedRange();

// `Seed`: std::uint64_t, or an optional one.
template <typename Seed>
CLI::Option* AddSeedFlag(CLI::App& app, Seed& seed, const char* meaning) {
  return app.add_option("--seed", seed, meaning)->transform(SeedRange())->type_name("N");
}

}  // namespace gorila::cli

#endif  // GORILA_CLI_SEED_FLAG_H_
