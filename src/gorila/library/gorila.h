/* Gorila as a library: trained networks, their evaluation, and the games that are built in.
 *
 * C99, self-contained, and stable: functions are only added, structures only grow at their end
 * (struct_size says what the caller knows). libgorila.so.1 exports these functions and nothing
 * else.
 *
 * Errors. Functions that can fail return GORILA_OK or another of the codes below; then
 * gorila_last_error() has a line about the last failure in this thread. Nothing is printed, and
 * nothing is written through output arguments unless said otherwise.
 *
 * Threads. A handle is used by one thread at a time; different handles at once are fine. Calls
 * block while they compute, with the calling thread alone. While a network computes, signals wait
 * for the calling thread: a signal handler's frame would lie on what oneDNN multiplies.
 *
 * Arrays are the caller's, row-major, without padding, of the machine's byte order. Texts that
 * functions return belong to the handle and live as long, or for ever where there is none.
 *
 * Observations are what a network sees of one state: `stack` frames, oldest first, of `channels` x
 * `height` x `width` elements each (uint8, or float32), as the environment writes them: the network
 * multiplies by `scale` itself. Frames before the first of an episode are zero. */
#ifndef GORILA_LIBRARY_GORILA_H_
#define GORILA_LIBRARY_GORILA_H_

/* NOLINTBEGIN(modernize-deprecated-headers,modernize-use-using): this is C. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GORILA_EXPORT __attribute__((visibility("default")))

/* Grows when the meaning of something below changes, which is what the number in libgorila.so.1
 * says too; not when functions are added. */
#define GORILA_API_VERSION 1

enum {
  GORILA_OK = 0,
  GORILA_INVALID_ARGUMENT = 1, /* can never work: what was given, and what was expected */
  GORILA_NOT_FOUND = 2,        /* a file or folder */
  GORILA_DATA_LOSS = 3,        /* something stored is damaged, or not ours */
  GORILA_UNAVAILABLE = 4,      /* the system refused, or an environment failed */
  GORILA_CANCELLED = 5,
  GORILA_OUT_OF_MEMORY = 6,
  GORILA_INTERNAL = 7 /* a mistake of ours */
};

enum { GORILA_UINT8 = 0, GORILA_FLOAT32 = 1 };

/* The library's GORILA_API_VERSION. */
GORILA_EXPORT uint32_t gorila_api_version(void);
/* The release, "0.1.0". */
GORILA_EXPORT const char* gorila_version(void);
/* Why the last call in this thread that failed did so; empty before. Until the next one fails. */
GORILA_EXPORT const char* gorila_last_error(void);

/* Set struct_size to sizeof(gorila_spec) before the call. */
typedef struct gorila_spec {
  uint32_t struct_size;
  int32_t element; /* GORILA_UINT8 or GORILA_FLOAT32 */
  int32_t stack;
  int32_t channels;
  int32_t height; /* 1 x 1: the observation is a vector */
  int32_t width;
  float scale;
  int32_t num_actions;
  uint64_t observation_bytes; /* of one, all frames of the stack together */
} gorila_spec;

/* ---- Networks ---------------------------------------------------------------------------- */

typedef struct gorila_network gorila_network;

/* What `gorila evaluate PATH` takes: a run's folder (its newest network), a checkpoint's, or a
 * .safetensors file. Its configuration is that of the run around it, unless `config` (or NULL)
 * names a TOML file; `settings`, num_settings texts "section.key=value" as `--set` takes them, come
 * on top. Reads only. A network for libtorch or a GPU is computed on the CPU without libtorch. */
GORILA_EXPORT int32_t gorila_network_load(const char* path, const char* config,
                                          const char* const* settings, size_t num_settings,
                                          gorila_network** network);
/* NULL is allowed, as by the other functions of this name. */
GORILA_EXPORT void gorila_network_free(gorila_network* network);

GORILA_EXPORT int32_t gorila_network_spec(const gorila_network* network, gorila_spec* spec);
GORILA_EXPORT const char* gorila_network_environment(const gorila_network* network);
GORILA_EXPORT const char* gorila_network_algorithm(const gorila_network* network);
/* The file that it was read from. */
GORILA_EXPORT const char* gorila_network_file(const gorila_network* network);
/* Why newer networks of the run were passed over, a line each; usually empty. */
GORILA_EXPORT const char* gorila_network_warnings(const gorila_network* network);
/* The whole configuration as TOML. */
GORILA_EXPORT const char* gorila_network_config(const gorila_network* network);
/* The games that the network was trained on, by their index from 0; NULL beyond the last. */
GORILA_EXPORT int32_t gorila_network_num_games(const gorila_network* network);
GORILA_EXPORT const char* gorila_network_game(const gorila_network* network, int32_t index);
/* Where there are several, what computes, acts, evaluates or makes environments needs to know which
 * game: the full name, or the end of it ("breakout"). Another call chooses another. Actions are
 * those of all games; the ones that the game lacks have the value -INFINITY and the probability 0.
 */
GORILA_EXPORT int32_t gorila_network_choose_game(gorila_network* network, const char* game);
/* NULL for an action that does not exist. */
GORILA_EXPORT const char* gorila_network_action_name(const gorila_network* network, int32_t action);

/* 1 for a network that gives a probability for each action and a value for each state (algorithm
 * "vtrace"), 0 for one that gives values of actions. */
GORILA_EXPORT int32_t gorila_network_is_policy(const gorila_network* network);
/* Q-values of `batch` observations, one after another, `bytes` bytes in all: batch x num_actions
 * numbers to `q`. The means of distributions, without the noise of noisy layers. A policy has none:
 * GORILA_INVALID_ARGUMENT. */
GORILA_EXPORT int32_t gorila_network_q_values(gorila_network* network, const void* observations,
                                              size_t bytes, int32_t batch, float* q);
/* What a policy gives for them: batch x num_actions numbers to `probabilities`, and of each state
 * its value, batch numbers to `values`; either may be NULL. GORILA_INVALID_ARGUMENT for other
 * networks. */
GORILA_EXPORT int32_t gorila_network_probabilities(gorila_network* network,
                                                   const void* observations, size_t bytes,
                                                   int32_t batch, float* probabilities,
                                                   float* values);
/* The action for each: the best (the first of equals) or, of a policy, what evaluation.act of its
 * configuration says: one drawn from its probabilities, unless that is "argmax"; and with
 * probability `epsilon` one drawn uniformly. The same arguments give the same actions. */
GORILA_EXPORT int32_t gorila_network_act(gorila_network* network, const void* observations,
                                         size_t bytes, int32_t batch, double epsilon, uint64_t seed,
                                         int64_t* actions);

/* How a policy chooses; networks of values take the best action whatever is said. */
enum {
  GORILA_ACT_CONFIGURED = 0, /* as evaluation.act says, and gorila_network_act does */
  GORILA_ACT_SAMPLE = 1,     /* drawn from its probabilities */
  GORILA_ACT_ARGMAX = 2      /* the most likely action, the first of equals */
};
/* gorila_network_act in a chosen way, whatever the configuration says. */
GORILA_EXPORT int32_t gorila_network_act_by(gorila_network* network, int32_t how,
                                            const void* observations, size_t bytes, int32_t batch,
                                            double epsilon, uint64_t seed, int64_t* actions);
/* GORILA_ACT_SAMPLE or GORILA_ACT_ARGMAX: what GORILA_ACT_CONFIGURED is for this network. */
GORILA_EXPORT int32_t gorila_network_configured_act(const gorila_network* network);

/* One array of the network's parameters, named and shaped as PyTorch has them. */
typedef struct gorila_tensor {
  uint32_t struct_size; /* set it to sizeof(gorila_tensor) */
  int32_t rank;
  const char* name;
  const int32_t* shape; /* rank numbers */
  const float* values;  /* of the network, not to be changed */
  uint64_t size;        /* how many */
} gorila_tensor;

GORILA_EXPORT int32_t gorila_network_num_tensors(const gorila_network* network);
GORILA_EXPORT int32_t gorila_network_tensor(const gorila_network* network, int32_t index,
                                            gorila_tensor* tensor);

/* The seed of the run's own final evaluation, which `gorila evaluate` repeats. */
GORILA_EXPORT uint64_t gorila_network_evaluation_seed(const gorila_network* network);
/* Plays `episodes` whole episodes of the network's environment, as `gorila evaluate` does, and
 * gives the return of each. `protocol`: a name, or NULL for the run's own. `epsilon`: negative for
 * the protocol's, which is not applied where actions are sampled from a policy. `cancelled` (or
 * NULL) is asked often, in the calling thread; anything but 0 ends the call with GORILA_CANCELLED.
 * `steps` (or NULL): of all episodes together. */
GORILA_EXPORT int32_t gorila_network_evaluate(const gorila_network* network, const char* protocol,
                                              int32_t episodes, uint64_t seed, double epsilon,
                                              int32_t (*cancelled)(void* context), void* context,
                                              double* returns, int64_t* steps);

/* ---- Environments ------------------------------------------------------------------------ */

/* One or several environments of one kind. */
typedef struct gorila_environments gorila_environments;

/* The names of the games that are built in; NULL when `index` is past the last one. Environments of
 * the user's own (docs/environments.md) have names too. */
GORILA_EXPORT const char* gorila_environment_name(size_t index);

enum { GORILA_NO_AUTORESET = 1 };

/* `count` environments. `settings`: num_settings texts "key=value", with or without the section
 * ("sticky_actions=0", "atari.stack=1"). `seed` decides all of their randomness until they are
 * given seeds. `flags`: 0 or GORILA_NO_AUTORESET. */
GORILA_EXPORT int32_t gorila_environments_make(const char* name, const char* const* settings,
                                               size_t num_settings, int32_t count, uint64_t seed,
                                               uint32_t flags, gorila_environments** environments);
/* Those that the network was trained in, with its configuration's options below the settings. */
GORILA_EXPORT int32_t gorila_environments_of_network(const gorila_network* network,
                                                     const char* const* settings,
                                                     size_t num_settings, int32_t count,
                                                     uint64_t seed, uint32_t flags,
                                                     gorila_environments** environments);
GORILA_EXPORT void gorila_environments_free(gorila_environments* environments);

GORILA_EXPORT int32_t gorila_environments_spec(const gorila_environments* environments,
                                               gorila_spec* spec);
GORILA_EXPORT const char* gorila_environments_action_name(const gorila_environments* environments,
                                                          int32_t action);

/* Begins an episode in each environment, or where `mask` (count bytes, or NULL) is not 0. `seeds`:
 * one for each, after which it is as if newly made; NULL: their randomness continues. Writes the
 * rows of `observations` (count x observation_bytes) of those that were reset. */
GORILA_EXPORT int32_t gorila_environments_reset(gorila_environments* environments,
                                                const uint64_t* seeds, const uint8_t* mask,
                                                void* observations);

/* One step of each. `actions`, `rewards`, `terminated`, `truncated`: count each. An episode ends
 * with one of the two flags, never both: a real end wins over a limit. Where it ends, the row of
 * final_observations (or NULL) gets its last observation and a new episode begins at once, whose
 * first observation is in `observations`. With GORILA_NO_AUTORESET the last observation is in
 * `observations`, and a reset must come before the next step.
 * An action out of range, or a reset that is missing, changes nothing. An environment that fails
 * (only one that is not built in can) ends the call: those before it have been stepped; it and
 * those after it need a reset. */
GORILA_EXPORT int32_t gorila_environments_step(gorila_environments* environments,
                                               const int64_t* actions, void* observations,
                                               double* rewards, uint8_t* terminated,
                                               uint8_t* truncated, void* final_observations);

/* Draws an environment for people: height x width x 3 bytes RGB. The sizes are written in any case;
 * `pixels` NULL asks for them alone, and fewer `bytes` than it takes are an error. */
GORILA_EXPORT int32_t gorila_environments_render(gorila_environments* environments, int32_t index,
                                                 uint8_t* pixels, size_t bytes, int32_t* height,
                                                 int32_t* width);

/* Everything that decides the future of one environment, randomness included. `needed` is written
 * in any case; `state` NULL asks for it alone, and a smaller `capacity` is an error. A state is
 * read by environments of the same kind, options and version of the library. */
GORILA_EXPORT int32_t gorila_environments_save(gorila_environments* environments, int32_t index,
                                               void* state, size_t capacity, size_t* needed);
/* Writes the observation of that state. After a failure the environment needs a reset. */
GORILA_EXPORT int32_t gorila_environments_restore(gorila_environments* environments, int32_t index,
                                                  const void* state, size_t bytes,
                                                  void* observation);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-deprecated-headers,modernize-use-using) */
#endif /* GORILA_LIBRARY_GORILA_H_ */
