/* A plug-in that can do everything wrong, for tests. Its options and some macros say what.
 *
 * The game: a counter of the episode's steps, and a random number; an episode lasts "length" steps.
 * Observations: the counter, the action before, the seed's last digits and the random number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gorila_env.h"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#if defined(TEST_PLUGIN_FLUSHES)
/* What linking with -Ofast does. */
__attribute__((constructor)) static void flush_denormals(void) {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}
#endif

#if !defined(TEST_PLUGIN_NO_SYMBOL)

struct gorila_env {
  int32_t counter, action;
  uint32_t seed, random;
  int32_t length, nan_at, nan_reward_at, fail_at, flag_at, forget;
  int32_t crash_at, exit_at, overflow_at;
  int32_t episodes, save_fails;
};

/* Shared by all environments, on purpose. */
static uint32_t global_random;

static int32_t option(const char* options, const char* key, int32_t otherwise) {
  char quoted[40];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char* const at = strstr(options, quoted);
  return at == NULL ? otherwise : (int32_t)strtol(at + strlen(quoted), NULL, 10);
}

static int fail(gorila_env_error* error, int code, const char* text) {
  snprintf(error->text, sizeof error->text, "%s", text);
  return code;
}

/* Its least significant bit goes where denormals count as zero. */
static int denormals_count(void) {
  volatile float smallest = 1e-40f;
  volatile float one = 1;
  return smallest * one > 0;
}

static void observe(const gorila_env* env, void* observation) {
  float* const numbers = observation;
  numbers[0] = (float)env->counter;
  numbers[1] = (float)env->action;
  numbers[2] = (float)(env->seed % 1000);
  numbers[3] = (float)(env->random % 1000);
  if (env->counter == env->nan_at) {
    const uint32_t nan = 0x7fc00000;
    memcpy(&numbers[2], &nan, sizeof nan);
  }
}

static int test_spec(const char* options, gorila_env_spec* spec, gorila_env_error* error) {
  if (option(options, "refuse_spec", 0)) return fail(error, 3, "no such\ngame");
  spec->num_dimensions = option(options, "dimensions", 1);
  spec->shape[0] = option(options, "side", 4);
  spec->shape[1] = 1;
  spec->shape[2] = 1;
  spec->element = option(options, "element", GORILA_ENV_FLOAT32);
  spec->layout = option(options, "layout", GORILA_ENV_LAYOUT_AUTO);
  spec->num_actions = option(options, "actions", 3);
  return 0;
}

static int test_create(const char* options, gorila_env** env, gorila_env_error* error) {
  if (option(options, "refuse_create", 0)) return fail(error, 5, "");
  if (option(options, "forget_create", 0)) return 0;
  gorila_env* const made = calloc(1, sizeof *made);
  if (made == NULL) return fail(error, 1, "no memory");
  made->length = option(options, "length", 20);
  made->nan_at = option(options, "nan_at", -1);
  made->nan_reward_at = option(options, "nan_reward_at", -1);
  made->fail_at = option(options, "fail_at", -1);
  made->flag_at = option(options, "flag_at", -1);
  made->crash_at = option(options, "crash_at", -1);
  made->exit_at = option(options, "exit_at", -1);
  made->overflow_at = option(options, "overflow_at", -1);
  made->forget = option(options, "forget", 0);
  made->save_fails = option(options, "save_fails", 0);
  *env = made;
  return 0;
}

static void test_destroy(gorila_env* env) { free(env); }

static int test_reset(gorila_env* env, uint64_t seed, void* observation, gorila_env_error* error) {
  (void)error;
  env->seed = (uint32_t)seed;
  env->random = env->forget ? global_random : env->seed;
  env->counter = 0;
  env->action = 0;
  observe(env, observation);
  return 0;
}

static int test_step(gorila_env* env, int32_t action, void* observation, gorila_env_result* result,
                     gorila_env_error* error) {
  ++env->counter;
  env->action = action;
  env->random = env->random * 1664525u + 1013904223u;
  if (env->forget) global_random += 12345;
  if (env->counter == env->fail_at) return fail(error, 7, "out of fuel");
  result->reward = denormals_count() ? 0.5 : -1;
  if (env->counter == env->nan_reward_at) result->reward = 1e300;
  result->terminated = env->counter >= env->length && env->random % 2 == 0;
  result->truncated = env->counter >= env->length;
  if (env->counter == env->flag_at) result->terminated = 2;
  observe(env, observation);
  if (env->counter == env->overflow_at) ((float*)observation)[4] = 1;
  if (env->counter == env->crash_at) abort();
  if (env->counter == env->exit_at) exit(0);
  return 0;
}

static uint64_t test_state_size(const gorila_env* env) {
  return env->save_fails ? (uint64_t)1 << 40 : sizeof *env;
}

static int test_state_save(const gorila_env* env, void* state, uint64_t size,
                           gorila_env_error* error) {
  (void)error;
  memcpy(state, env, size);
  return 0;
}

static int test_state_restore(gorila_env* env, const void* state, uint64_t size,
                              gorila_env_error* error) {
  if (size != sizeof *env) return fail(error, 9, "another size");
  memcpy(env, state, size);
  return 0;
}

static int test_render(const gorila_env* env, uint8_t* rgb, int32_t* width, int32_t* height,
                       gorila_env_error* error) {
  (void)error;
  *width = env->length == 13 ? 0 : 3;
  *height = 2;
  if (rgb != NULL) memset(rgb, env->counter, 3 * 2 * 3);
  return 0;
}

static const char* test_action_name(const gorila_env* env, int32_t action) {
  (void)env;
  return action == 0 ? "wait" : NULL;
}

#if !defined(TEST_PLUGIN_ABI)
#define TEST_PLUGIN_ABI GORILA_ENV_ABI
#endif
#if !defined(TEST_PLUGIN_SIZE)
#define TEST_PLUGIN_SIZE sizeof(gorila_env_api)
#endif
#if !defined(TEST_PLUGIN_FLAGS)
#define TEST_PLUGIN_FLAGS 0
#endif

static const gorila_env_api api = {
    .struct_size = TEST_PLUGIN_SIZE,
    .abi = TEST_PLUGIN_ABI,
    .name = "test",
    .version = "0.1",
    .flags = TEST_PLUGIN_FLAGS,
    .spec = test_spec,
    .create = test_create,
    .destroy = test_destroy,
    .reset = test_reset,
    .step = test_step,
#if defined(TEST_PLUGIN_STATE)
    .state_size = test_state_size,
    .state_save = test_state_save,
    .state_restore = test_state_restore,
#endif
    .render = test_render,
    .action_name = test_action_name,
};

const gorila_env_api* gorila_env_get_api(uint32_t abi) {
#if !defined(TEST_PLUGIN_STATE)
  (void)test_state_size;
  (void)test_state_save;
  (void)test_state_restore;
#endif
  (void)abi;
  return &api;
}

#endif
