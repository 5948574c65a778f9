// Shard 0's view of the whole run: the frames of all bundles, their episodes and their status.
#ifndef GORILA_LAUNCH_RUN_PROGRESS_H_
#define GORILA_LAUNCH_RUN_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/parameter_server/remote/client_memory.h"
#include "gorila/parameter_server/remote/client_reports.h"

namespace gorila {

// Bundles report absolute counts since their process began, so that a report which is lost,
// repeated or late does no harm, and a shard that comes back from a snapshot catches up. Not
// thread-safe: used under its owner's lock.
class RunProgress final : public ClientReports {
 public:
  static constexpr std::size_t kMaxClients = kMostClients;
  static constexpr std::size_t kMaxEpisodes = 20'000;  // remembered for GetProgress
  static constexpr std::size_t kMaxGames = 1024;
  // For frames and episode numbers. JSON numbers are exact up to here, and sums cannot overflow.
  static constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;

  // Takes over what is new; gives the number of the client's episodes taken so far. InvalidArgument
  // for fields out of range, and for frames that would bring the run above kMaxCount; then nothing
  // has changed.
  StatusOr<std::int64_t> Report(const v1::ReportRequest& report, TimePoint now) override;

  // Totals of all clients there ever were.
  std::int64_t run_frames() const override { return run_frames_; }

  // Frames of each game, and episodes from number `first` on (or the oldest remembered), with their
  // first number.
  void AddProgress(std::int64_t first, v1::ProgressResponse& response) const override;

  // The last report of each client, with the time since; those silent for longer than
  // `forget_after` are left out.
  std::vector<v1::RoleStatus> Clients(TimePoint now,
                                      std::chrono::seconds forget_after) const override;

  std::chrono::milliseconds ReportEvery(TimePoint now) override;

  // Frames and the counts that make reports idempotent; not the episodes, which are for display.
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  struct Client {
    std::int64_t frames = 0;
    std::vector<std::int64_t> game_frames = {};  // empty of a run with one game
    std::int64_t episodes = 0;
    std::int64_t last_use = 0;
    TimePoint reported{};
    v1::RoleStatus status;
  };

  Client& FindOrAdd(std::uint64_t id);
  void CountLiving(TimePoint now);
  void TakeGameFrames(const v1::ReportRequest& report, Client& client, std::int64_t frames_before);
  void TakeEpisodes(const v1::ReportRequest& report, Client& client);

  std::int64_t run_frames_ = 0;
  std::vector<std::int64_t> run_game_frames_;  // likewise; empty of a run with one game
  std::unordered_map<std::uint64_t, Client> clients_;
  std::int64_t uses_ = 0;
  std::size_t living_ = 0;  // clients that reported lately, as of counted_
  TimePoint counted_{};
  std::deque<v1::Episode> episodes_;
  std::int64_t first_episode_ = 0;  // number of episodes_.front()
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_RUN_PROGRESS_H_
