// What a worker does when its process dies or an environment raises an exception.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "gorila/env/worker/worker.h"

namespace gorila {
namespace {

std::atomic<std::int64_t> restarts = 0;
std::atomic<std::int64_t> exceptions = 0;
std::atomic<std::int64_t> lost_episodes = 0;

}  // namespace

WorkerCounters ReadWorkerCounters() {
  return {.restarts = restarts, .exceptions = exceptions, .lost_episodes = lost_episodes};
}

// An error after too many of them: trying again does not help any more.
Status Worker::CountFailure(std::string_view what) {
  failures_.push_back(steps_);
  while (failures_.front() < steps_ - kFailureSteps) failures_.pop_front();
  if (failures_.size() > kMostFailures) {
    const std::string log = process_->LogTail();
    return Unavailable("environment '{}' failed {} times within {} steps, at last: {}{}{}",
                       setup_.name, failures_.size(), kFailureSteps, what,
                       log.empty() ? "" : "; it printed: ", log);
  }
  fmt::print(stderr, "gorila: environment '{}': {}; trying again\n", setup_.name, what);
  return OkStatus();
}

void Worker::Lose(int index) {
  Seat& seat = At(index);
  seat.lost = true;
  seat.has_first = false;
  seat.log = ActionLog();
  ++lost_episodes;
}

// `cause`: why the round trip under way has no answer.
Status Worker::Recover(const Status& cause) {
  std::string what(cause.message());
  if (absl::IsDeadlineExceeded(cause)) {
    what = WorkerStopWanted()
               ? fmt::format("its worker process does not answer within {} s of the stop",
                             kStopGrace.count())
               : fmt::format(
                     "its worker process does not answer within {} s (environment.step_seconds)",
                     setup_.options.step_seconds);
  }
  ++restarts;
  GORILA_RETURN_IF_ERROR(CountFailure(what));
  // What was done but not taken is not in the log, and is done again.
  std::vector<int> again;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Phase& phase = seats_[i].phase;
    if (phase == Phase::kDone) phase = Phase::kRunning;
    if (phase == Phase::kRunning) again.push_back(static_cast<int>(i));
  }
  GORILA_RETURN_IF_ERROR(RestartAndReplay());
  for (const int seat : again) {
    const Status status = RunAlone(seat);
    if (!status.ok()) Fail(seat, status);
  }
  return OkStatus();
}

Status Worker::RestartAndReplay() {
  GORILA_RETURN_IF_ERROR(Launch());
  std::vector<Replay> replays;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const Seat& seat = seats_[i];
    if (!seat.taken || !seat.log.begun()) continue;
    replays.emplace_back(static_cast<int>(i));
  }
  Status status = ReplaySeats(replays);
  if (status.ok()) return status;
  // It died on a way that it once came along: nobody can say which seat did it.
  ++restarts;
  GORILA_RETURN_IF_ERROR(CountFailure(std::string(status.message())));
  for (const Replay& replay : replays) Lose(replay.seat);
  return Launch();
}

// An environment raised an exception: it is made anew, and the step tried again.
Status Worker::TryAgain(int index) {
  ++exceptions;
  const std::string error = errors_[static_cast<std::size_t>(index)];
  GORILA_RETURN_IF_ERROR(CountFailure(error));
  Seat& seat = At(index);
  Write(index, {.command = SeatCommand::kRemake});
  if (const Status status = Execute(true); !status.ok()) return Recover(status);
  if (seat.log.begun()) {
    std::vector<Replay> replays;
    replays.emplace_back(index);
    if (const Status status = ReplaySeats(replays); !status.ok()) return Recover(status);
  }
  return RunAlone(index);
}

// Does once more what the seat was to do. EpisodeLost of a step that fails again.
Status Worker::RunAlone(int index) {
  Seat& seat = At(index);
  const bool step = seat.command.command == SeatCommand::kStep;
  if (step && seat.lost) {
    return EpisodeLost(fmt::format("environment '{}' does not repeat itself", setup_.name));
  }
  Status status;
  if (seat.lost) {
    Write(index, {.command = SeatCommand::kRemake});
    status = Execute(true);
  }
  Write(index, seat.command);
  if (status.ok()) status = Execute(!step);
  const bool failed = status.ok() && (In<std::uint8_t>(layout_.flags, index) & kSeatFailed) != 0;
  if (status.ok() && !failed) {
    seat.lost = false;
    Settle(index);
    return OkStatus();
  }
  const std::string what =
      failed ? errors_[static_cast<std::size_t>(index)] : std::string(status.message());
  Lose(index);
  if (failed) {
    ++exceptions;
  } else {
    ++restarts;
  }
  GORILA_RETURN_IF_ERROR(CountFailure(what));
  if (!failed) GORILA_RETURN_IF_ERROR(RestartAndReplay());
  if (step) return EpisodeLost(fmt::format("environment '{}': {}", setup_.name, what));
  return Unavailable("environment '{}' cannot be reset: {}", setup_.name, what);
}

StatusOr<bool> Worker::Restore(int index, const ActionLog& log) {
  if (running_) Collect();
  Seat& seat = At(index);
  seat.lost = false;
  seat.has_first = false;
  seat.phase = Phase::kIdle;
  seat.log = log;
  if (!log.begun()) return true;
  if (!log.complete()) {
    Lose(index);
    return false;
  }
  std::vector<Replay> replays;
  replays.emplace_back(index);
  if (const Status status = ReplaySeats(replays); !status.ok()) {
    ++restarts;
    GORILA_RETURN_IF_ERROR(CountFailure(std::string(status.message())));
    GORILA_RETURN_IF_ERROR(RestartAndReplay());
  }
  return !seat.lost;
}

// All of them together: a round trip brings each one step further. An error when the process died.
Status Worker::ReplaySeats(std::vector<Replay>& replays) {
  while (BeginRound(replays)) {
    GORILA_RETURN_IF_ERROR(Execute(true));
    EndRound(replays);
  }
  return Finish(replays);
}

// False when all have come where their logs end.
bool Worker::BeginRound(std::vector<Replay>& replays) {
  bool any = false;
  for (Replay& replay : replays) {
    if (!replay.done) NextOfReplay(replay);
    any = any || !replay.done;
  }
  return any;
}

// Writes the next command of a replay.
void Worker::NextOfReplay(Replay& replay) {
  const ActionLog& log = At(replay.seat).log;
  if (!replay.again.begun()) {
    return Write(replay.seat, {.command = SeatCommand::kResetSeeded, .seed = log.seed()});
  }
  const std::span<const std::int32_t> actions = log.actions();
  while (replay.next < actions.size() && actions[replay.next] == ActionLog::kNext) {
    replay.again.Add(ActionLog::kNext, TimeStep{}, Converted(layout_.first, replay.seat));
    ++replay.next;
  }
  if (replay.next == actions.size()) {
    replay.done = true;
    return;
  }
  const std::int32_t action = actions[replay.next];
  Write(replay.seat, action == ActionLog::kReset
                         ? Command{.command = SeatCommand::kReset}
                         : Command{.command = SeatCommand::kStep, .action = action});
}

void Worker::EndRound(std::vector<Replay>& replays) {
  for (Replay& replay : replays) {
    if (replay.done) continue;
    const int seat = replay.seat;
    if ((In<std::uint8_t>(layout_.flags, seat) & (kSeatFailed | kSeatBroken)) != 0) {
      replay.done = replay.failed = true;
    } else if (!replay.again.begun()) {
      replay.again.Begin(At(seat).log.seed(), Converted(layout_.first, seat));
    } else {
      const std::int32_t action = At(seat).log.actions()[replay.next++];
      const bool reset = action == ActionLog::kReset;
      replay.again.Add(action, reset ? TimeStep{} : StepOf(seat),
                       Converted(reset ? layout_.first : layout_.observation, seat));
    }
  }
}

// Compares, and resets with its seed what had been when its process died.
Status Worker::Finish(std::vector<Replay>& replays) {
  for (const Replay& replay : replays) {
    Seat& seat = At(replay.seat);
    if (replay.failed || replay.again.checksum() != seat.log.checksum()) {
      Lose(replay.seat);
      continue;
    }
    const std::span<const std::int32_t> actions = seat.log.actions();
    const bool ended = !actions.empty() && actions.back() >= 0 && StepOf(replay.seat).last();
    if (ended && seat.has_first && seat.first_seeded) {
      Write(replay.seat, {.command = SeatCommand::kResetSeeded, .seed = seat.first_seed});
      GORILA_RETURN_IF_ERROR(Execute(true));
    } else {
      seat.has_first = ended;
      seat.first_seeded = false;
    }
  }
  return OkStatus();
}

}  // namespace gorila
