/* The C ABI of environments for Gorila: one header, nothing to link with. C99, also valid C++.
 *
 * A plug-in is a shared library that exports one function, gorila_env_get_api. It returns a table
 * of functions that lives as long as the library (which is never unloaded):
 *
 *     cc -O2 -shared -fPIC -I INCLUDE -o libmaze.so maze.c
 *     gorila train --env plugin:./libmaze.so
 *
 * examples/plugin_c, plugin_cpp and plugin_rust are templates; docs/environments.md is the
 * tutorial.
 *
 * Evolution. Tables and structs only ever grow at the end, and carry their size, so a plug-in built
 * with an older or newer header works. GORILA_ENV_ABI changes only if existing fields change.
 *
 * Ownership. Memory belongs to whoever allocated it: the host owns every buffer it passes, the
 * plug-in owns environments and strings. No pointer the host passes may be kept after the call.
 *
 * Threads. An environment is used by one thread at a time, not always the same one. Different
 * environments of one library are used by different threads at once, so the plug-in must not share
 * mutable data between them (rand() does), unless it sets GORILA_ENV_OWN_PROCESS.
 *
 * Failing. Functions that return int give 0 for success. Any other code ends the run; the plug-in
 * says why in error->text. C++ exceptions and Rust panics must not leave a function. Each call runs
 * with C's default floating-point environment (denormal numbers are not flushed to zero).
 */
#ifndef GORILA_ENV_PLUGIN_GORILA_ENV_H_
#define GORILA_ENV_PLUGIN_GORILA_ENV_H_

/* NOLINTBEGIN(modernize-deprecated-headers,modernize-use-using): this is C. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GORILA_ENV_EXPORT __attribute__((visibility("default")))
#else
#define GORILA_ENV_EXPORT
#endif

#define GORILA_ENV_ABI 1u

/* One environment, defined by the plug-in. */
typedef struct gorila_env gorila_env;

/* gorila_env_api.flags */
#define GORILA_ENV_OWN_PROCESS 1u       /* one environment a process: it has global state */
#define GORILA_ENV_NOT_DETERMINISTIC 2u /* the same seed and actions may give something else */

/* gorila_env_spec.element */
#define GORILA_ENV_UINT8 0   /* 0..255; the network sees large pictures divided by 255 */
#define GORILA_ENV_FLOAT32 1 /* any finite value, best within about -10..10 */

/* gorila_env_spec.layout: what the sides of three dimensions are. */
#define GORILA_ENV_LAYOUT_AUTO 0 /* the only side of at most 4, first or last, is the channels */
#define GORILA_ENV_LAYOUT_HWC 1  /* height, width, channels */
#define GORILA_ENV_LAYOUT_CHW 2  /* channels, height, width: needs no conversion */

/* What environments with the same options look like. Arrives zeroed except for struct_size; write
 * nothing beyond that size. */
typedef struct gorila_env_spec {
  uint32_t struct_size;   /* in: bytes that the host has room for */
  int32_t num_dimensions; /* 1 (a vector), 2 (a board of one channel) or 3 */
  int32_t shape[3];       /* the first num_dimensions are used, each at least 1; row-major */
  int32_t element;        /* GORILA_ENV_UINT8 or GORILA_ENV_FLOAT32 */
  int32_t layout;         /* GORILA_ENV_LAYOUT_..., a hint that environment.layout overrides */
  int32_t num_actions;    /* 1..65536; actions are 0..num_actions-1 */
} gorila_env_spec;

/* What a step gives besides its observation. Arrives zeroed. The step that ends an episode writes
 * the episode's final observation. */
typedef struct gorila_env_result {
  double reward;       /* of this step; finite, and within the range of a float */
  uint8_t terminated;  /* 1: the episode ended by itself, nothing more can be gained; else 0 */
  uint8_t truncated;   /* 1: it was cut off, by a time limit for example; terminated wins */
  uint8_t reserved[6]; /* 0 */
} gorila_env_result;

#define GORILA_ENV_ERROR_SIZE 256

/* Arrives empty. At most 255 bytes of UTF-8 and a zero: one sentence. */
typedef struct gorila_env_error {
  char text[GORILA_ENV_ERROR_SIZE];
} gorila_env_error;

/* Observation buffers are aligned to 64 bytes and have exactly as many bytes as shape and element
 * say. They arrive with arbitrary contents: write all of them, and nothing beyond. */
typedef struct gorila_env_api { /* NOLINT(modernize-use-using) */
  uint32_t struct_size; /* sizeof(gorila_env_api) of the header that the plug-in was built with */
  uint32_t abi;         /* GORILA_ENV_ABI of that header */
  const char* name;     /* of the game, for people and checkpoints: "maze" */
  const char* version;  /* of the plug-in, for people: "1.0" */
  uint64_t flags;       /* GORILA_ENV_OWN_PROCESS | GORILA_ENV_NOT_DETERMINISTIC */

  /* Required. */

  /* Describes what create() makes with these options: the user's environment.kwargs, a JSON object
   * ("{}" by default). An error here or in create() is reported as the user's bad input. */
  int (*spec)(const char* options_json, gorila_env_spec* spec, gorila_env_error* error);

  /* Makes an environment; *env is left alone on failure. Called for each actor and evaluator. */
  int (*create)(const char* options_json, gorila_env** env, gorila_env_error* error);

  /* Cannot fail. */
  void (*destroy)(gorila_env* env);

  /* Begins an episode, also in the middle of one. The seed (0..2^31-2) must decide everything
   * random until the next reset, so that the same seed and actions give the same episode. */
  int (*reset)(gorila_env* env, uint64_t seed, void* observation, gorila_env_error* error);

  /* One step. Called only after reset(), and not after a step that terminated or truncated. */
  int (*step)(gorila_env* env, int32_t action, void* observation, gorila_env_result* result,
              gorila_env_error* error);

  /* Optional: NULL, or left out by a smaller struct_size. */

  /* The same as step() of each, in order; for hosts that step several at once and plug-ins that
   * compute them faster than one by one. This version of Gorila calls step(). If it fails, none of
   * these environments is used again before a reset(). */
  int (*step_many)(gorila_env* const* envs, const int32_t* actions, void* const* observations,
                   gorila_env_result* results, size_t count, gorila_env_error* error);

  /* These three go together, and make resuming a run fast. Without them, Gorila replays the episode
   * from its seed. The state is everything that decides the future, the random generator included.
   * state_size: bytes of the present state, which state_save then writes in full. state_restore: an
   * environment made with the same options continues exactly as the one that was saved; a nonzero
   * code for bytes that cannot be a state. All three are called only after reset(). */
  uint64_t (*state_size)(const gorila_env* env);
  int (*state_save)(const gorila_env* env, void* state, uint64_t size, gorila_env_error* error);
  int (*state_restore)(gorila_env* env, const void* state, uint64_t size, gorila_env_error* error);

  /* A picture of the present state, for films and the dashboard, after reset(). Called twice: with
   * rgb NULL, it writes the picture's size in pixels (1..4096 each); then it fills height * width *
   * 3 bytes, rows from the top, red, green, blue. Changes nothing that decides the future. */
  int (*render)(const gorila_env* env, uint8_t* rgb, int32_t* width, int32_t* height,
                gorila_env_error* error);

  /* For people, "left"; lives as long as the environment. NULL: "action 3". */
  const char* (*action_name)(const gorila_env* env, int32_t action);
} gorila_env_api;

/* The one export. `abi` is the host's GORILA_ENV_ABI; NULL if the plug-in cannot serve it. */
GORILA_ENV_EXPORT const gorila_env_api* gorila_env_get_api(uint32_t abi);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers,modernize-use-using) */
#endif /* GORILA_ENV_PLUGIN_GORILA_ENV_H_ */
