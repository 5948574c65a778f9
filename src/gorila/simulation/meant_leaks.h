// What killed processes had in memory is lost on purpose: nothing of it is unwound.
#ifndef GORILA_SIMULATION_MEANT_LEAKS_H_
#define GORILA_SIMULATION_MEANT_LEAKS_H_

#include "gorila/simulation/sanitizers.h"

#ifdef GORILA_ADDRESS_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

namespace gorila::simulation {

// LeakSanitizer does not look for what the thread allocates meanwhile.
class MeantLeaks {
 public:
#ifdef GORILA_ADDRESS_SANITIZER
  MeantLeaks() { __lsan_disable(); }
  ~MeantLeaks() { __lsan_enable(); }
#else
  MeantLeaks() = default;
  // Not trivial, or compilers warn of variables that nobody uses.
  ~MeantLeaks() {}  // NOLINT(modernize-use-equals-default)
#endif
  MeantLeaks(const MeantLeaks&) = delete;
  MeantLeaks& operator=(const MeantLeaks&) = delete;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_MEANT_LEAKS_H_
