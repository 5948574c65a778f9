#include "gorila/env/worker/worker.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>

#include "gorila/base/json.h"
#include "gorila/env/external/finite.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;
using Clock = WorkerProcess::Clock;

constexpr std::int64_t kRoundsOfALog = 1024;

Clock::time_point After(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Of a worker's first message. Throws Json::exception.
EnvironmentDetails DetailsOf(const Json& hello) {
  EnvironmentDetails details{.versions = {}, .dtype = hello.value("dtype", "")};
  const Json versions = hello.value("versions", Json::object());
  for (const auto& [name, version] : versions.items()) {
    details.versions +=
        fmt::format("{}{} {}", details.versions.empty() ? "" : ", ", name, std::string(version));
  }
  return details;
}

bool AllFinite(std::span<const std::byte> bytes) {
  const std::span<const float> values(reinterpret_cast<const float*>(bytes.data()),
                                      bytes.size() / sizeof(float));
  return FirstNotFinite(values) == values.size();
}

}  // namespace

std::span<const std::byte> Worker::Raw(std::size_t array, int seat) const {
  return {memory_->data() + array + static_cast<std::size_t>(seat) * layout_.stride,
          record_.observation.bytes()};
}

StatusOr<std::unique_ptr<Worker>> Worker::Start(const WorkerSetup& setup) {
  std::unique_ptr<Worker> worker(new Worker(setup));
  GORILA_ASSIGN_OR_RETURN(worker->memory_, SharedMemory::Make());
  GORILA_RETURN_IF_ERROR(worker->Launch());
  return worker;
}

// A process that is ready for commands, in place of the one there was.
Status Worker::Launch() {
  if (process_ != nullptr) process_->Kill();
  StatusOr<std::unique_ptr<WorkerProcess>> started =
      WorkerProcess::Start(setup_.arguments, setup_.variables, *memory_);
  if (!started.ok()) {
    return Annotate(started.status(), fmt::format("environment '{}'", setup_.name));
  }
  process_ = *std::move(started);
  running_ = false;
  const Status status = Greet();
  return status.ok() ? status : StartError(status);
}

Status Worker::Greet() {
  const Clock::time_point deadline = After(setup_.options.start_seconds);
  GORILA_RETURN_IF_ERROR(process_->SendText('J', setup_.request, deadline));
  GORILA_ASSIGN_OR_RETURN(const std::string hello, ReceiveJson(deadline));
  GORILA_RETURN_IF_ERROR(TakeHello(hello));
  const Json layout = {{"seats", layout_.seats},
                       {"stride", layout_.stride},
                       {"size", layout_.size},
                       {"offsets",
                        {{"command", layout_.command},
                         {"reseed", layout_.reseed},
                         {"flags", layout_.flags},
                         {"action", layout_.action},
                         {"seed", layout_.seed},
                         {"reward", layout_.reward},
                         {"observation", layout_.observation},
                         {"first", layout_.first}}}};
  GORILA_RETURN_IF_ERROR(process_->SendText('J', DumpJson(layout), deadline));
  return ReceiveJson(deadline).status();
}

// The text of a 'J'; the error of an 'E' as InvalidArgument.
StatusOr<std::string> Worker::ReceiveJson(Clock::time_point deadline) {
  std::array<std::byte, 1> kind;
  GORILA_RETURN_IF_ERROR(process_->Receive(kind, deadline));
  GORILA_ASSIGN_OR_RETURN(const std::string text, process_->ReceiveText(deadline));
  if (kind[0] == std::byte{'J'}) return text;
  const Json json = ParseJson<Json>(text);
  if (kind[0] != std::byte{'E'} || !json.is_object() || !json.contains("error")) {
    return DataLoss("a worker process sent an answer of the unknown kind {}",
                    std::to_integer<int>(kind[0]));
  }
  return InvalidArgument("{}", json["error"].get<std::string>());
}

Status Worker::TakeHello(std::string_view text) {
  GORILA_ASSIGN_OR_RETURN(EnvironmentRecord said, RecordOfJson(text));
  if (adapter_.has_value()) {
    if (said == record_) return OkStatus();
    return InvalidArgument("it came back with other observations or actions");
  }
  GORILA_ASSIGN_OR_RETURN(
      ObservationAdapter adapter,
      ObservationAdapter::Make(said.observation, WithHint(setup_.options, said.layout)));
  adapter_.emplace(std::move(adapter));
  record_ = std::move(said);
  try {
    const Json json = ParseJsonOrThrow<Json>(text);
    details_ = DetailsOf(json);
    const int most_seats = json.value("most_seats", setup_.seats);
    seats_.resize(static_cast<std::size_t>(std::clamp(most_seats, 1, setup_.seats)));
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("the worker's first message: {}", error.what());
  }
  errors_.resize(seats_.size());
  return LayOut();
}

Status Worker::LayOut() {
  layout_ = WorkerLayout::Make(static_cast<int>(seats_.size()), record_.observation.bytes());
  converted_.resize(adapter_->spec().frame_bytes());
  return memory_->Fix(layout_.size);
}

// Of a process that did not come to greet.
Status Worker::StartError(const Status& status) const {
  std::string text = fmt::format("environment '{}' in {}: {}", setup_.name, setup_.arguments[0],
                                 std::string(status.message()));
  if (absl::IsDeadlineExceeded(status)) {
    text += fmt::format(" within environment.start_seconds, {}", setup_.options.start_seconds);
  }
  const std::string log = process_->LogTail();
  // What the environment itself refuses was said in a sentence.
  if (!log.empty() && !absl::IsInvalidArgument(status)) text += "; it printed: " + log;
  return Status(status.code(), text);
}

int Worker::TakeSeat() {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].taken) continue;
    seats_[i] = Seat{};
    seats_[i].taken = true;
    return static_cast<int>(i);
  }
  return -1;
}

// The environment stays where it is: the next one begins with a seed.
void Worker::LeaveSeat(int seat) {
  if (At(seat).phase == Phase::kRunning) Collect();
  At(seat) = Seat{};
}

void Worker::Submit(int seat, const Command& command) {
  if (running_) Collect();
  At(seat).command = command;
  At(seat).phase = Phase::kSubmitted;
  At(seat).has_first = false;
  submitted_ = true;
}

void Worker::SubmitStep(int seat, int action) {
  Submit(seat, {.command = SeatCommand::kStep, .action = action});
}

void Worker::SubmitStepAndSeed(int seat, int action, std::uint64_t seed) {
  Submit(seat, {.command = SeatCommand::kStep, .action = action, .seed = seed, .reseed = true});
}

void Worker::SubmitReset(int seat) { Submit(seat, {.command = SeatCommand::kReset}); }

void Worker::SubmitSeededReset(int seat, std::uint64_t seed) {
  Submit(seat, {.command = SeatCommand::kResetSeeded, .seed = seed});
}

void Worker::Write(int seat, const Command& command) {
  In<std::int64_t>(layout_.action, seat) = command.action;
  In<std::uint64_t>(layout_.seed, seat) = command.seed;
  In<std::uint8_t>(layout_.reseed, seat) = command.reseed ? 1 : 0;
  In<std::uint8_t>(layout_.flags, seat) = 0;
  In<std::uint8_t>(layout_.command, seat) = static_cast<std::uint8_t>(command.command);
}

void Worker::Ring() {
  if (!submitted_ || running_) return;
  submitted_ = false;
  running_resets_ = false;
  RemakeLost();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Seat& seat = seats_[i];
    if (seat.phase != Phase::kSubmitted) continue;
    Write(static_cast<int>(i), seat.command);
    running_resets_ = running_resets_ || seat.command.command != SeatCommand::kStep;
    seat.phase = Phase::kRunning;
  }
  running_ = true;
  const std::byte ring{'S'};
  rung_ = process_->Send({&ring, 1}, Deadline(running_resets_));
}

// Whatever is left of environments that failed goes before they are used again.
void Worker::RemakeLost() {
  bool any = false;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].phase != Phase::kSubmitted || !seats_[i].lost) continue;
    Write(static_cast<int>(i), {.command = SeatCommand::kRemake});
    any = true;
  }
  if (!any) return;
  if (!Execute(true).ok()) return process_->Kill();  // the next request finds it dead
  for (Seat& seat : seats_) {
    if (seat.phase == Phase::kSubmitted) seat.lost = false;
  }
}

Clock::time_point Worker::Deadline(bool resets) const {
  const ExternalOptions& options = setup_.options;
  return After(options.step_seconds + (resets ? options.start_seconds : 0));
}

// One round trip with what was written.
Status Worker::Execute(bool resets) {
  const std::byte ring{'S'};
  GORILA_RETURN_IF_ERROR(process_->Send({&ring, 1}, Deadline(resets)));
  return Receive(resets);
}

// Whether a step has ended an episode and its environment is being reset now. That reset may take
// as long as any other.
bool Worker::AnyResets() {
  for (int seat = 0; seat < layout_.seats; ++seat) {
    const std::atomic_ref<std::uint8_t> flags(In<std::uint8_t>(layout_.flags, seat));
    if ((flags.load() & kSeatResets) != 0) return true;
  }
  return false;
}

Status Worker::Receive(bool resets) {
  Clock::time_point deadline = Deadline(resets);
  std::array<std::byte, 1> kind;
  Status received = process_->Receive(kind, deadline);
  if (absl::IsDeadlineExceeded(received) && !resets && AnyResets()) {
    deadline = Deadline(true);
    received = process_->Receive(kind, deadline);
  }
  GORILA_RETURN_IF_ERROR(received);
  if (kind[0] == std::byte{'S'}) return OkStatus();
  if (kind[0] != std::byte{'F'}) {
    return DataLoss(
        "a worker process sent an answer of the unknown kind {}; does the environment "
        "write to file {}?",
        std::to_integer<int>(kind[0]), kWorkerAnswers);
  }
  GORILA_ASSIGN_OR_RETURN(const std::string text, process_->ReceiveText(deadline));
  TakeErrors(text);
  return OkStatus();
}

void Worker::TakeErrors(std::string_view text) {
  const Json json = ParseJson<Json>(text);
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const std::string name = std::to_string(i);
    if (json.is_object() && json.contains(name) && json[name].is_string()) {
      errors_[i] = json[name].get<std::string>();
    }
  }
}

// Takes the answer to the round trip under way.
void Worker::Collect() {
  running_ = false;
  const Status status = rung_.ok() ? Receive(running_resets_) : rung_;
  if (!status.ok()) {
    const Status recovered = Recover(status);
    if (!recovered.ok()) FailAll(recovered);
    return;
  }
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].phase == Phase::kRunning) Settle(static_cast<int>(i));
  }
  if (++rounds_ % kRoundsOfALog == 0) process_->TrimLog();
}

// A seat whose command was executed.
void Worker::Settle(int index) {
  Seat& seat = At(index);
  const std::uint8_t flags = In<std::uint8_t>(layout_.flags, index);
  ++steps_;
  if ((flags & kSeatBroken) != 0) {
    return Fail(index, InvalidArgument("environment '{}': {}", setup_.name,
                                       errors_[static_cast<std::size_t>(index)]));
  }
  if ((flags & kSeatFailed) != 0) {
    const Status status = TryAgain(index);
    if (!status.ok()) Fail(index, status);
    return;
  }
  if (const Status status = CheckOutcome(index); !status.ok()) return Fail(index, status);
  const bool step = seat.command.command == SeatCommand::kStep;
  seat.has_first = !step || StepOf(index).last();
  seat.first_seeded =
      seat.has_first && (seat.command.reseed || seat.command.command == SeatCommand::kResetSeeded);
  seat.first_seed = seat.command.seed;
  seat.phase = Phase::kDone;
}

// Of what the seat's command brought: whether all of it is numbers.
Status Worker::CheckOutcome(int index) const {
  const bool step = At(index).command.command == SeatCommand::kStep;
  const double reward = In<double>(layout_.reward, index);
  if (step && !std::isfinite(static_cast<float>(reward))) {
    return InvalidArgument(
        "environment '{}': a reward of {}; expected a finite number of single precision",
        setup_.name, reward);
  }
  if (record_.observation.element != ElementType::kFloat32) return OkStatus();
  const bool first = !step || StepOf(index).last();
  if ((!step || AllFinite(Raw(layout_.observation, index))) &&
      (!first || AllFinite(Raw(layout_.first, index)))) {
    return OkStatus();
  }
  return InvalidArgument("environment '{}': an observation that is not finite", setup_.name);
}

void Worker::Fail(int seat, const Status& status) {
  At(seat).status = status;
  At(seat).phase = Phase::kFailed;
}

void Worker::FailAll(const Status& status) {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const Phase phase = seats_[i].phase;
    if (phase == Phase::kRunning || phase == Phase::kDone) Fail(static_cast<int>(i), status);
  }
}

Status Worker::Await(int index) {
  Seat& seat = At(index);
  if (seat.phase == Phase::kSubmitted) Ring();
  if (seat.phase == Phase::kRunning) Collect();
  GORILA_CHECK(seat.phase == Phase::kDone || seat.phase == Phase::kFailed, "Await without Submit");
  if (seat.phase == Phase::kDone) return OkStatus();
  seat.phase = Phase::kIdle;
  return seat.status;
}

TimeStep Worker::StepOf(int seat) const {
  const std::uint8_t flags = In<std::uint8_t>(layout_.flags, seat);
  const bool terminated = (flags & kSeatTerminated) != 0;
  const bool last = terminated || (flags & kSeatTruncated) != 0;
  return {.step_type = last ? StepType::kLast : StepType::kMid,
          .reward = static_cast<float>(In<double>(layout_.reward, seat)),
          .discount = terminated ? 0.0F : 1.0F};
}

TimeStep Worker::TakeStep(int index, std::span<std::byte> observation) {
  Seat& seat = At(index);
  GORILA_CHECK(seat.phase == Phase::kDone && seat.command.command == SeatCommand::kStep);
  const TimeStep step = StepOf(index);
  adapter_->Convert(Raw(layout_.observation, index), observation);
  seat.log.Add(static_cast<std::int32_t>(seat.command.action), step, observation);
  seat.phase = Phase::kIdle;
  return step;
}

void Worker::TakeFirst(int index, std::span<std::byte> observation) {
  Seat& seat = At(index);
  GORILA_CHECK(seat.has_first);
  adapter_->Convert(Raw(layout_.first, index), observation);
  if (seat.first_seeded) {
    seat.log.Begin(seat.first_seed, observation);
  } else {
    const bool asked = seat.command.command == SeatCommand::kReset;
    seat.log.Add(asked ? ActionLog::kReset : ActionLog::kNext, TimeStep{}, observation);
  }
  seat.has_first = false;
  seat.phase = Phase::kIdle;
}

std::span<const std::byte> Worker::Converted(std::size_t array, int seat) {
  adapter_->Convert(Raw(array, seat), converted_);
  return converted_;
}

Status Worker::Render(int seat, RgbImage& image) {
  if (running_) Collect();
  Status status = AskForPicture(seat, image);
  // A late answer would be taken for that to the next request.
  if (!status.ok() && !absl::IsUnimplemented(status)) process_->Kill();
  return status;
}

// Unimplemented, with the reason, where there is none.
Status Worker::AskForPicture(int seat, RgbImage& image) {
  std::array<std::byte, 5> request = {std::byte{'R'}};
  const auto number = static_cast<std::uint32_t>(seat);
  std::memcpy(&request[1], &number, sizeof number);
  const Clock::time_point deadline = Deadline(false);
  GORILA_RETURN_IF_ERROR(process_->Send(request, deadline));
  std::array<std::byte, 1> kind;
  GORILA_RETURN_IF_ERROR(process_->Receive(kind, deadline));
  if (kind[0] != std::byte{'P'}) {
    GORILA_ASSIGN_OR_RETURN(const std::string text, process_->ReceiveText(deadline));
    const Json json = ParseJson<Json>(text);
    return absl::UnimplementedError(
        fmt::format("environment '{}' gives no picture: {}", setup_.name,
                    json.is_object() ? json.value("error", text) : text));
  }
  constexpr std::uint32_t kMostSide = 8192;
  std::array<std::uint32_t, 2> sides;
  GORILA_RETURN_IF_ERROR(process_->Receive(std::as_writable_bytes(std::span(sides)), deadline));
  if (sides[0] < 1 || sides[1] < 1 || sides[0] > kMostSide || sides[1] > kMostSide) {
    return InvalidArgument("environment '{}' gives pictures of {} x {}; expected at most {} a side",
                           setup_.name, sides[0], sides[1], kMostSide);
  }
  image.height = static_cast<int>(sides[0]);
  image.width = static_cast<int>(sides[1]);
  image.pixels.resize(3UL * sides[0] * sides[1]);
  return process_->Receive(std::as_writable_bytes(std::span(image.pixels)), deadline);
}

}  // namespace gorila
