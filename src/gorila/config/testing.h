// A configuration for tests: a run that takes milliseconds.
#ifndef GORILA_CONFIG_TESTING_H_
#define GORILA_CONFIG_TESTING_H_

#include "gorila/config/config.h"

namespace gorila::testing_config {

// Two bundles of three games of Catch each, two shards, a network of one small layer.
inline Config SmallConfig() {
  Config config;
  config.run.frames = 1000000;
  config.run.seed = 3;
  config.run.bundles = 2;
  config.run.deterministic = true;
  config.environment.name = "classic/catch";
  config.network.preset = "custom";
  config.network.hidden = {16};
  config.actor.environments = 3;
  config.actor.options.exploration = {.epsilon_start = 1, .epsilon_end = 0.1, .epsilon_ticks = 500};
  config.replay.options = {.capacity = 400,
                           .transition = {.n_step = 2, .discount = 0.9},
                           .rate = {.updates_per_step = 0.5, .min_size = 50}};
  config.learner.batch_size = 8;
  config.parameter_server.shards = 2;
  config.parameter_server.options = {.max_staleness = 1000,
                                     .target_period = 20,
                                     .optimizer = {.name = "adam", .learning_rate = 1e-3}};
  return config;
}

}  // namespace gorila::testing_config

#endif  // GORILA_CONFIG_TESTING_H_
