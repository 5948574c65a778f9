// Whether an environment keeps the promises of the seam, and what a user should know of it before
// training: `gorila envs check`.
#ifndef GORILA_EVALUATION_ENVIRONMENT_CHECK_H_
#define GORILA_EVALUATION_ENVIRONMENT_CHECK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/env/environment_factory.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/worker/worker.h"
#include "gorila/evaluation/play_statistics.h"

namespace gorila {

enum class Verdict { kOk, kWarning, kFailed };  // ascending: the worst counts

struct CheckLine {
  std::string_view check;  // "save and restore"
  Verdict verdict = Verdict::kOk;
  std::string text;
};

struct CheckRequest {
  // `pictures`: whether Render will be called.
  std::function<StatusOr<std::unique_ptr<EnvironmentFactory>>(bool pictures)> make;
  int at_once = 8;  // environments that are stepped together
  PlayLimits limits = {.steps = 1'000'000, .seconds = 30};
  double speed_seconds = 1;  // of each of the two measurements
  // Of the processes that host environments.
  std::function<WorkerCounters()> count_failures = &ReadWorkerCounters;
};

// As MakeEnvironment's. Plug-ins are hosted in a process of their own, whatever the name says: that
// catches a crash, and memory written beyond a buffer.
CheckRequest MakeCheckRequest(std::string_view name, const EnvironmentOptions& options);

// Reports each check as soon as it is done. If an environment fails with an error, so does the
// check, and it is the last one. Returns the worst verdict, or an error if no environment can be
// made.
StatusOr<Verdict> CheckEnvironment(const CheckRequest& request,
                                   const std::function<void(const CheckLine&)>& report);

}  // namespace gorila

#endif  // GORILA_EVALUATION_ENVIRONMENT_CHECK_H_
