#include "gorila/metrics/episode_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gorila {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double Median(std::vector<double> samples) {
  const std::size_t middle = samples.size() / 2;
  std::sort(samples.begin(), samples.end());
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

}  // namespace

EpisodeStatistics::EpisodeStatistics(std::size_t window) : window_(window) {
  GORILA_CHECK(window > 0, "window must be positive");
}

void EpisodeStatistics::Add(double episode_return, std::uint64_t length) {
  ++episodes_;
  recent_.push_back({episode_return, length});
  if (recent_.size() > window_) recent_.pop_front();
}

// Summed anew, oldest first: a running sum would depend on episodes that left the window, and a
// resumed run would differ in the last bits.
double EpisodeStatistics::MeanReturn() const {
  if (recent_.empty()) return kNan;
  double sum = 0;
  for (const Episode& episode : recent_) sum += episode.episode_return;
  return sum / static_cast<double>(recent_.size());
}

double EpisodeStatistics::MeanLength() const {
  if (recent_.empty()) return kNan;
  double sum = 0;
  for (const Episode& episode : recent_) sum += static_cast<double>(episode.length);
  return sum / static_cast<double>(recent_.size());
}

void EpisodeStatistics::SaveState(StateWriter& writer) const {
  writer.Write<std::uint64_t>(window_);
  writer.Write(episodes_);
  const std::vector<Episode> recent(recent_.begin(), recent_.end());
  writer.WriteSpan(std::span<const Episode>(recent));
}

Status EpisodeStatistics::RestoreState(StateReader& reader) {
  std::uint64_t window = 0;
  std::uint64_t episodes = 0;
  std::vector<Episode> recent;
  GORILA_RETURN_IF_ERROR(reader.Read(window));
  if (window != window_) {
    return DataLoss("episode statistics have a window of {} episodes; expected {}", window,
                    window_);
  }
  GORILA_RETURN_IF_ERROR(reader.Read(episodes));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(recent));
  if (recent.size() != std::min(episodes, window)) {
    return DataLoss("episode statistics contain {} recent episodes of {}; expected {}",
                    recent.size(), episodes, std::min(episodes, window));
  }
  episodes_ = episodes;
  recent_.assign(recent.begin(), recent.end());
  return OkStatus();
}

void RunningStatistics::Add(double sample) {
  ++count_;
  const double deviation = sample - mean_;
  mean_ += deviation / static_cast<double>(count_);
  squared_deviations_ += deviation * (sample - mean_);
}

double RunningStatistics::mean() const { return count_ == 0 ? kNan : mean_; }

double RunningStatistics::StandardDeviation() const {
  if (count_ < 2) return kNan;
  return std::sqrt(squared_deviations_ / static_cast<double>(count_ - 1));
}

double RunningStatistics::StandardErrorOfMean() const {
  return StandardDeviation() / std::sqrt(static_cast<double>(count_));
}

ReturnSummary SummariseReturns(std::span<const double> samples) {
  if (samples.empty()) return {0, kNan, kNan, kNan, kNan, kNan};
  RunningStatistics statistics;
  for (const double sample : samples) statistics.Add(sample);
  const auto [minimum, maximum] = std::minmax_element(samples.begin(), samples.end());
  return {.count = samples.size(),
          .mean = statistics.mean(),
          .standard_error = statistics.StandardErrorOfMean(),
          .minimum = *minimum,
          .maximum = *maximum,
          .median = Median(std::vector<double>(samples.begin(), samples.end()))};
}

}  // namespace gorila
