#include "gorila/launch/process_usage.h"

#include <cmath>

#include "gorila/launch/role_status.h"
#include "gorila/rpc/role_status.h"

namespace gorila {

void ProcessUsage::Look(const v1::RoleStatus& status, double watched_seconds) {
  const Process now{.seconds = status.seconds(), .cpu_seconds = GaugeOf(status, rpc::kCpuSeconds)};
  if (!std::isfinite(now.cpu_seconds) || now.cpu_seconds < 0) return;  // it would stay in the sum
  const auto [place, added] = processes_.try_emplace({status.role(), status.index()});
  Process& before = place->second;
  if (added && continues_ && now.seconds > watched_seconds) before = now;
  if (now.seconds < before.seconds || now.cpu_seconds < before.cpu_seconds) {
    before = {};  // it was started again
  }
  cpu_seconds_ += now.cpu_seconds - before.cpu_seconds;
  before = now;
  resident_bytes_ += static_cast<std::uint64_t>(CounterOf(status, rpc::kResidentBytes));
}

void ProcessUsage::EndLook(RunSample& sample) {
  sample.cpu_seconds = cpu_seconds_;
  sample.resident_bytes = std::exchange(resident_bytes_, 0);
}

}  // namespace gorila
