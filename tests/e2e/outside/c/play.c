/* play RUN: what the library says of a network, and a hundred games that it plays. */
#include <gorila.h>
#include <stdio.h>
#include <stdlib.h>

enum { GAMES = 100 };

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, gorila_last_error());
  return 1;
}

static int play(gorila_network* network, const gorila_spec* spec) {
  gorila_environments* game = NULL;
  unsigned char* observation = malloc(spec->observation_bytes);
  float* q = malloc(sizeof(float) * (size_t)spec->num_actions);
  int caught = 0, games = 0;
  if (gorila_environments_of_network(network, NULL, 0, 1, 7, 0, &game) != GORILA_OK) {
    return fail("environment");
  }
  if (gorila_environments_reset(game, NULL, NULL, observation) != GORILA_OK) return fail("reset");
  while (games < GAMES) {
    int64_t best = 0, action;
    double reward;
    uint8_t terminated, truncated;
    if (gorila_network_q_values(network, observation, spec->observation_bytes, 1, q) != GORILA_OK) {
      return fail("q_values");
    }
    for (action = 1; action < spec->num_actions; ++action) {
      if (q[action] > q[best]) best = action;
    }
    if (gorila_environments_step(game, &best, observation, &reward, &terminated, &truncated,
                                 NULL) != GORILA_OK) {
      return fail("step");
    }
    games += terminated || truncated;
    caught += reward > 0;
  }
  printf("caught %d of %d\n", caught, games);
  free(q);
  free(observation);
  gorila_environments_free(game);
  return 0;
}

int main(int argc, char** argv) {
  gorila_network* network = NULL;
  gorila_spec spec = {0};
  int status;
  if (argc != 2) return 2;
  if (gorila_api_version() != GORILA_API_VERSION) return 3;
  if (gorila_network_load("nowhere", NULL, NULL, 0, &network) == GORILA_OK) return 4;
  printf("no network: %s\n", gorila_last_error());
  if (gorila_network_load(argv[1], NULL, NULL, 0, &network) != GORILA_OK) return fail("load");
  spec.struct_size = sizeof spec;
  if (gorila_network_spec(network, &spec) != GORILA_OK) return fail("spec");
  printf("%s %s: %dx%dx%d %s, %d actions\n", gorila_network_environment(network),
         gorila_network_algorithm(network), (int)spec.channels, (int)spec.height, (int)spec.width,
         spec.element == GORILA_UINT8 ? "uint8" : "float32", (int)spec.num_actions);
  status = play(network, &spec);
  gorila_network_free(network);
  return status;
}
