#include "gorila/base/runtime.h"

#include <thread>

namespace gorila {

void SleepUntil(SteadyTime time) {
  if (simulated_runtime == nullptr) return std::this_thread::sleep_until(time);
  const char place = 0;  // nobody wakes it
  while (simulated_runtime->Block(&place, time)) continue;
}

}  // namespace gorila
