#include "gorila/launch/progress_reporter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gorila/base/crash_point.h"
#include "gorila/base/runtime.h"
#include "gorila/base/thread.h"
#include "gorila/rpc/role_status.h"

namespace gorila {
namespace {

constexpr std::chrono::milliseconds kShortestPeriod{200};
constexpr std::chrono::milliseconds kLongestPeriod{60'000};
// Of one report, so that none grows too large after an outage; older ones are not shown.
constexpr std::size_t kMaxEpisodes = 10'000;
constexpr std::chrono::milliseconds kEndLook{20};
constexpr rpc::RetryPolicy kLastReport = {.patience = std::chrono::milliseconds(3000)};

}  // namespace

ProgressReporter::ProgressReporter(RemoteParameterStore& store, FrameClock& clock,
                                   const RoleHooks& hooks, std::function<ProcessReport()> look)
    : store_(store), clock_(clock), hooks_(hooks), look_(std::move(look)) {}

ProgressReporter::~ProgressReporter() { EndThread(); }

Status ProgressReporter::Start(const rpc::RetryPolicy& retry) {
  GORILA_RETURN_IF_ERROR(rpc::Retry(retry, hooks_.stop_requested, [this] { return ReportOnce(); }));
  GORILA_ASSIGN_OR_RETURN(thread_, StartThread("progress reports", [this] { Loop(); }));
  return OkStatus();
}

bool ProgressReporter::HasTold(std::int64_t frames) const {
  if (told_frames_.load() >= frames) return true;
  if (clock_.frames() < frames) return false;
  SleepFor(kEndLook);
  return told_frames_.load() >= frames;
}

Status ProgressReporter::Finish(std::int64_t frames) {
  EndThread();
  const bool stopped = clock_.frames() < frames;
  const Status last = rpc::Retry(kLastReport, {}, [this] { return ReportOnce(); });
  if (!last.ok() && !stopped) {
    hooks_.Say(fmt::format("cannot deliver the last report: {}", std::string(last.message())));
  }
  if (!stopped) return OkStatus();
  return absl::CancelledError(
      fmt::format("stopped at {} of the run's {} frames", clock_.frames(), frames));
}

void ProgressReporter::EndThread() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    ending_changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void ProgressReporter::Loop() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      const auto next = SteadyNow() + period_;
      while (!ending_ && ending_changed_.WaitUntil(mutex_, next)) continue;
      if (ending_) return;
    }
    // Waiting for the shard is reported by the bundle's own calls.
    ReportOnce().IgnoreError();
  }
}

Status ProgressReporter::ReportOnce() {
  const std::int64_t own = clock_.own();
  ProcessReport seen = look_();
  rpc::AddProcessUsage(seen.status);
  if (hooks_.board != nullptr) hooks_.board->Show([status = seen.status] { return status; });
  episodes_.insert(episodes_.end(), seen.episodes.begin(), seen.episodes.end());
  while (episodes_.size() > kMaxEpisodes) {
    episodes_.pop_front();
    ++first_episode_;
  }
  v1::ReportRequest report;
  *report.mutable_status() = std::move(seen.status);
  report.set_frames(own);
  report.set_first_episode(first_episode_);
  for (const EpisodeResult& episode : episodes_) {
    v1::Episode& added = *report.add_episodes();
    added.set_episode_return(episode.episode_return);
    added.set_length(episode.length);
    added.set_game(episode.game);
  }
  if (seen.game_frames.size() > 1) {
    report.mutable_game_frames()->Assign(seen.game_frames.begin(), seen.game_frames.end());
  }
  GORILA_ASSIGN_OR_RETURN(const v1::ReportResponse response, store_.Report(std::move(report)));
  CrashPoint("report acknowledged");
  clock_.Synchronise(response.run_frames(), own);
  told_frames_.store(response.run_frames());
  if (response.report_every_ms() > 0) {
    period_ = std::clamp(std::chrono::milliseconds(response.report_every_ms()), kShortestPeriod,
                         kLongestPeriod);
  }
  while (!episodes_.empty() && first_episode_ < response.acknowledged_episodes()) {
    episodes_.pop_front();
    ++first_episode_;
  }
  return OkStatus();
}

}  // namespace gorila
