// Named places of the code at which a simulation (simulation/) may kill the process: between two
// steps that must not be torn apart, or must stand being so.
#ifndef GORILA_BASE_CRASH_POINT_H_
#define GORILA_BASE_CRASH_POINT_H_

#include <string_view>

namespace gorila {

class CrashPoints {
 public:
  virtual ~CrashPoints() = default;
  // Does not return where the process is killed.
  virtual void Reached(std::string_view name) = 0;
};

// Null in threads that simulate nothing.
inline constinit thread_local CrashPoints* simulated_crash_points = nullptr;

inline void CrashPoint(std::string_view name) {
  if (simulated_crash_points != nullptr) simulated_crash_points->Reached(name);
}

}  // namespace gorila

#endif  // GORILA_BASE_CRASH_POINT_H_
