#include "gorila/metrics/rate_meter.h"

#include "gorila/base/status.h"

namespace gorila {

RateMeter::RateMeter(Duration window) : window_(window) {
  GORILA_CHECK(window > Duration::zero(), "window must be positive");
}

void RateMeter::Update(TimePoint now, std::uint64_t total) {
  if (!readings_.empty()) {
    GORILA_CHECK(now >= readings_.back().time, "time went back");
    if (total < readings_.back().total) readings_.clear();
  }
  readings_.push_back({now, total});
  // The newest reading at or before the window's start stays, so that the rate covers all of it.
  while (readings_.size() > 2 && readings_[1].time <= now - window_) readings_.pop_front();
}

double RateMeter::PerSecond() const {
  if (readings_.size() < 2) return 0;
  const Reading& first = readings_.front();
  const Reading& last = readings_.back();
  const double seconds = std::chrono::duration<double>(last.time - first.time).count();
  return seconds > 0 ? static_cast<double>(last.total - first.total) / seconds : 0;
}

}  // namespace gorila
