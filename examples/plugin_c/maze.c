/* A maze as a plug-in for Gorila: find the exit from a random place. A template for games in C; see
 * README.md for how to build it and train on it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gorila_env.h"

enum { SIZE = 9, ACTIONS = 4 };
enum { WALLS, EXIT, PLAYER, PLANES }; /* planes of the observation */

static const char* const kMaze[SIZE] = {
    "#########",
    "#   #   #",
    "# # # # #",
    "# #   # #",
    "# ##### #",
    "#       #",
    "### # ###",
    "#   #  E#",
    "#########",
};

static const char* const kActionNames[ACTIONS] = {"up", "down", "left", "right"};
static const int kRowStep[ACTIONS] = {-1, 1, 0, 0};
static const int kColumnStep[ACTIONS] = {0, 0, -1, 1};

/* Everything about one environment is in here: there may be many of them, in several threads. */
struct gorila_env {
  long max_steps; /* an option */
  uint64_t random;
  int row, column;
  long steps;
};

/* splitmix64. Not rand(): its state would be shared by all environments. */
static uint64_t next_random(gorila_env* env) {
  uint64_t z = env->random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static int fail(gorila_env_error* error, const char* text) {
  snprintf(error->text, sizeof error->text, "%s", text);
  return 1;
}

/* The option "max_steps" of {"max_steps": 100}. A JSON library is the better choice for more. */
static int read_max_steps(const char* options, long* max_steps, gorila_env_error* error) {
  static const char kKey[] = "\"max_steps\"";
  const char* const key = strstr(options, kKey);
  *max_steps = 100;
  if (key == NULL) return 0;
  const char* const colon = key + strlen(kKey) + strspn(key + strlen(kKey), " \t\n");
  *max_steps = *colon == ':' ? strtol(colon + 1, NULL, 10) : 0;
  if (*max_steps >= 1 && *max_steps <= 1000000) return 0;
  return fail(error, "max_steps must be a number from 1 to 1000000");
}

static void observe(const gorila_env* env, uint8_t* planes) {
  memset(planes, 0, PLANES * SIZE * SIZE);
  for (int row = 0; row < SIZE; ++row) {
    for (int column = 0; column < SIZE; ++column) {
      const int at = row * SIZE + column;
      planes[WALLS * SIZE * SIZE + at] = kMaze[row][column] == '#';
      planes[EXIT * SIZE * SIZE + at] = kMaze[row][column] == 'E';
    }
  }
  planes[PLAYER * SIZE * SIZE + env->row * SIZE + env->column] = 1;
}

static int maze_spec(const char* options, gorila_env_spec* spec, gorila_env_error* error) {
  long max_steps;
  spec->num_dimensions = 3;
  spec->shape[0] = PLANES;
  spec->shape[1] = SIZE;
  spec->shape[2] = SIZE;
  spec->element = GORILA_ENV_UINT8;
  spec->layout = GORILA_ENV_LAYOUT_CHW;
  spec->num_actions = ACTIONS;
  return read_max_steps(options, &max_steps, error);
}

static int maze_create(const char* options, gorila_env** env, gorila_env_error* error) {
  gorila_env* const made = calloc(1, sizeof *made);
  if (made == NULL) return fail(error, strerror(errno));
  if (read_max_steps(options, &made->max_steps, error) != 0) {
    free(made);
    return 1;
  }
  *env = made;
  return 0;
}

static void maze_destroy(gorila_env* env) { free(env); }

static int maze_reset(gorila_env* env, uint64_t seed, void* observation, gorila_env_error* error) {
  (void)error;
  env->random = seed;
  env->steps = 0;
  do {
    env->row = (int)(next_random(env) % SIZE);
    env->column = (int)(next_random(env) % SIZE);
  } while (kMaze[env->row][env->column] != ' ');
  observe(env, observation);
  return 0;
}

static int maze_step(gorila_env* env, int32_t action, void* observation, gorila_env_result* result,
                     gorila_env_error* error) {
  const int row = env->row + kRowStep[action];
  const int column = env->column + kColumnStep[action];
  (void)error;
  if (kMaze[row][column] != '#') {
    env->row = row;
    env->column = column;
  }
  ++env->steps;
  const int found = kMaze[env->row][env->column] == 'E';
  result->reward = found ? 1 : -0.01;
  result->terminated = (uint8_t)found;
  result->truncated = env->steps >= env->max_steps; /* a limit, not an end of the game */
  observe(env, observation);
  return 0;
}

static const char* maze_action_name(const gorila_env* env, int32_t action) {
  (void)env;
  return kActionNames[action];
}

/* What is not named here is NULL: the optional functions. */
static const gorila_env_api kApi = {
    .struct_size = sizeof(gorila_env_api),
    .abi = GORILA_ENV_ABI,
    .name = "maze",
    .version = "1.0",
    .spec = maze_spec,
    .create = maze_create,
    .destroy = maze_destroy,
    .reset = maze_reset,
    .step = maze_step,
    .action_name = maze_action_name,
};

const gorila_env_api* gorila_env_get_api(uint32_t abi) {
  return abi == GORILA_ENV_ABI ? &kApi : NULL;
}
