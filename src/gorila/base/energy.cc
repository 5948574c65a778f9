#include "gorila/base/energy.h"

#include <fstream>
#include <optional>
#include <string>
#include <system_error>

namespace gorila {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

// "intel-rapl:0" is a package; "intel-rapl:0:0" is a part of it and counted there.
bool IsPackage(const std::string& name) {
  return name.starts_with("intel-rapl:") && name.find(':') == name.rfind(':');
}

}  // namespace

EnergyMeter EnergyMeter::Open(const fs::path& root) {
  EnergyMeter meter;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) {
    if (!IsPackage(entry.path().filename().string())) continue;
    const fs::path counter = entry.path() / "energy_uj";
    const auto now = ReadNumber(counter);
    const auto range = ReadNumber(entry.path() / "max_energy_range_uj");
    if (now.has_value() && range.has_value()) meter.packages_.push_back({counter, *range, *now});
  }
  return meter;
}

double EnergyMeter::Joules() {
  for (Package& package : packages_) {
    const auto now = ReadNumber(package.counter);
    if (!now.has_value()) continue;
    const std::uint64_t used =
        *now >= package.last ? *now - package.last : package.range - package.last + *now;
    joules_ += 1e-6 * static_cast<double>(used);
    package.last = *now;
  }
  return joules_;
}

}  // namespace gorila
