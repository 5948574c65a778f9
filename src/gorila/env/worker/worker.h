// Several environments in a process of their own, which is brought back when it dies.
#ifndef GORILA_ENV_WORKER_WORKER_H_
#define GORILA_ENV_WORKER_WORKER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/external/action_log.h"
#include "gorila/env/external/environment_details.h"
#include "gorila/env/external/environment_record.h"
#include "gorila/env/external/observation_adapter.h"
#include "gorila/env/worker/worker_process.h"
#include "gorila/env/worker/worker_protocol.h"

namespace gorila {

struct WorkerSetup {
  std::string name;                    // of the environment
  std::vector<std::string> arguments;  // the program's
  std::vector<std::string> variables;  // NAME=VALUE
  std::string request;                 // the first message (worker_protocol.h)
  int seats = 1;
  ExternalOptions options;
};

// Since this process began, of all its workers.
struct WorkerCounters {
  std::int64_t restarts = 0;       // workers that died or hung, and were started again
  std::int64_t exceptions = 0;     // raised by environments
  std::int64_t lost_episodes = 0;  // that could not be continued
};
WorkerCounters ReadWorkerCounters();

// A worker whose process ended, or did not answer in time, is started again, and its environments
// are brought back to where they were: the log of a seat is replayed, and its checksum must come
// out the same. Then what was under way is tried again, one seat at a time. A seat whose
// environment cannot be brought back, or that fails a second time at the same step, has lost its
// episode and needs a reset with a seed. More than kMostFailures within kFailureSteps steps end all
// of it.
//
// Not thread-safe.
class Worker {
 public:
  static constexpr std::size_t kMostFailures = 10;
  static constexpr std::int64_t kFailureSteps = 10'000;

  // Starts the process and asks what its environments are like; blocks for up to
  // options.start_seconds. Errors name the environment and what went wrong in its process.
  static StatusOr<std::unique_ptr<Worker>> Start(const WorkerSetup& setup);

  // `repeats`: what it claims.
  const EnvironmentRecord& record() const { return record_; }
  const EnvironmentDetails& details() const { return details_; }
  const ObservationSpec& observation() const { return adapter_->spec(); }

  // A seat for a new environment; -1 when all are taken.
  int TakeSeat();
  void LeaveSeat(int seat);

  // What a seat is to do next; then Ring, then Await. One at a time for each seat.
  void SubmitStep(int seat, int action);
  // Where the step ends an episode, the next one begins with this seed.
  void SubmitStepAndSeed(int seat, int action, std::uint64_t seed);
  void SubmitReset(int seat);
  void SubmitSeededReset(int seat, std::uint64_t seed);

  // Lets the process begin with what was submitted. Blocks only where an environment that failed
  // has to be made anew first; errors come from Await.
  void Ring();

  // Blocks until the seat has done what was submitted, with the restarts that this takes.
  // EpisodeLost of a step; any other error is final.
  Status Await(int seat);

  // After Await of a step, until the seat's next Submit: what came of it. The observation is
  // converted, and the step noted in the log.
  TimeStep TakeStep(int seat, std::span<std::byte> observation);
  // After Await of a reset, or where TakeStep gave a kLast step: the first observation of the next
  // episode, likewise.
  void TakeFirst(int seat, std::span<std::byte> observation);
  bool has_first(int seat) const { return At(seat).has_first; }
  bool first_is_seeded(int seat) const { return At(seat).first_seeded; }

  // Whether the seat's next command must be a reset with a seed.
  bool needs_seed(int seat) const { return !At(seat).log.begun(); }
  const ActionLog& log(int seat) const { return At(seat).log; }

  // Brings a seat to the state that `log` leads to; blocks. False when it does not repeat itself:
  // then it has lost its episode.
  StatusOr<bool> Restore(int seat, const ActionLog& log);
  void Lose(int seat);

  // The seat's environment as it draws itself. Unimplemented where it does not.
  Status Render(int seat, RgbImage& image);

 private:
  enum class Phase { kIdle, kSubmitted, kRunning, kDone, kFailed };
  struct Command {
    SeatCommand command = SeatCommand::kNone;
    std::int64_t action = 0;
    std::uint64_t seed = 0;
    bool reseed = false;
  };
  struct Seat {
    bool taken = false;
    bool lost = false;  // with what is left of an environment, until it is made anew
    bool has_first = false;
    bool first_seeded = false;  // with first_seed
    std::uint64_t first_seed = 0;
    Phase phase = Phase::kIdle;
    Command command;
    Status status;  // of kFailed
    ActionLog log;
  };
  // A seat on its way to where its log leads.
  struct Replay {
    explicit Replay(int of_seat) : seat(of_seat) {}

    int seat;
    std::size_t next = 0;
    ActionLog again;
    bool done = false;
    bool failed = false;
  };

  explicit Worker(const WorkerSetup& setup) : setup_(setup) {}

  Seat& At(int seat) { return seats_[static_cast<std::size_t>(seat)]; }
  const Seat& At(int seat) const { return seats_[static_cast<std::size_t>(seat)]; }
  template <typename T>
  T& In(std::size_t array, int seat) const {
    return reinterpret_cast<T*>(memory_->data() + array)[seat];
  }
  std::span<const std::byte> Raw(std::size_t array, int seat) const;

  Status Launch();
  Status Greet();
  Status TakeHello(std::string_view text);
  Status LayOut();
  StatusOr<std::string> ReceiveJson(WorkerProcess::Clock::time_point deadline);
  Status StartError(const Status& status) const;

  void Submit(int seat, const Command& command);
  void Write(int seat, const Command& command);
  void RemakeLost();
  WorkerProcess::Clock::time_point Deadline(bool resets) const;
  Status AskForPicture(int seat, RgbImage& image);
  Status Execute(bool resets);
  Status Receive(bool resets);
  bool AnyResets();
  void TakeErrors(std::string_view text);
  void Collect();
  void Fail(int seat, const Status& status);
  void FailAll(const Status& status);
  Status TryAgain(int seat);
  Status RunAlone(int seat);
  void Settle(int seat);
  Status CheckOutcome(int seat) const;
  Status CountFailure(std::string_view what);
  Status Recover(const Status& cause);
  Status RestartAndReplay();
  Status ReplaySeats(std::vector<Replay>& replays);
  bool BeginRound(std::vector<Replay>& replays);
  void EndRound(std::vector<Replay>& replays);
  void NextOfReplay(Replay& replay);
  Status Finish(std::vector<Replay>& replays);
  TimeStep StepOf(int seat) const;
  std::span<const std::byte> Converted(std::size_t array, int seat);

  const WorkerSetup setup_;
  EnvironmentRecord record_;
  EnvironmentDetails details_;
  std::optional<ObservationAdapter> adapter_;
  std::vector<std::byte> converted_;  // scratch
  std::unique_ptr<SharedMemory> memory_;
  WorkerLayout layout_;
  std::unique_ptr<WorkerProcess> process_;
  std::vector<Seat> seats_;
  std::vector<std::string> errors_;  // the last of each seat
  bool submitted_ = false;           // anything since the last Ring
  bool running_ = false;             // a round trip is under way
  bool running_resets_ = false;
  Status rung_;  // of the request under way
  std::int64_t rounds_ = 0;
  std::int64_t steps_ = 0;
  std::deque<std::int64_t> failures_;  // the steps at which they came
};

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_WORKER_H_
