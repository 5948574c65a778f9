// Energy that the processor packages used, where the machine counts it (Linux powercap: RAPL).
#ifndef GORILA_BASE_ENERGY_H_
#define GORILA_BASE_ENERGY_H_

#include <cstdint>
#include <filesystem>
#include <vector>

namespace gorila {

// Counts from Open on, including everything else that the machine does. Not thread-safe.
class EnergyMeter {
 public:
  // Finds the packages below `root`. Without any (virtual machines, no permission) the meter is
  // there but not available().
  static EnergyMeter Open(const std::filesystem::path& root = "/sys/class/powercap");

  bool available() const { return !packages_.empty(); }

  // Joules of all packages since Open; 0 when not available. To be called at least once in the time
  // in which a counter can wrap round, minutes on a busy machine.
  double Joules();

 private:
  struct Package {
    std::filesystem::path counter;  // microjoules
    std::uint64_t range = 0;        // where it wraps
    std::uint64_t last = 0;
  };

  EnergyMeter() = default;

  std::vector<Package> packages_;
  double joules_ = 0;
};

}  // namespace gorila

#endif  // GORILA_BASE_ENERGY_H_
