#include "gorila/library/environment_set.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gorila/base/serialise.h"
#include "gorila/env/registry.h"

using gorila::EnvironmentFactory;
using gorila::InvalidArgument;
using gorila::OkStatus;
using gorila::RandomStream;
using gorila::Status;
using gorila::StatusOr;
using gorila::TimeStep;

namespace {

constexpr std::string_view kStateKind = "gorila environment state 1";

}  // namespace

StatusOr<std::unique_ptr<gorila_environments>> gorila_environments::Make(
    const gorila::Config& config, int count, std::uint64_t seed, bool autoreset) {
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<EnvironmentFactory> factory,
      gorila::MakeEnvironmentFactory(config.environment.name, config.environment.options));
  std::unique_ptr<gorila_environments> made(new gorila_environments(std::move(factory), autoreset));
  made->seats_.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < made->seats_.size(); ++i) {
    GORILA_RETURN_IF_ERROR(
        made->MakeSeat(i, RandomStream::Derive(seed, "library environments", i)));
  }
  made->spec_ = made->seats_.front().environment->spec();
  made->stacks_ =
      std::make_unique<gorila::FrameStacks>(made->spec().observation, made->seats_.size());
  return made;
}

Status gorila_environments::MakeSeat(std::size_t index, RandomStream stream) {
  // The old one first: a new one may take its place in a worker.
  seats_[index] = {};
  GORILA_ASSIGN_OR_RETURN(seats_[index].environment,
                          factory_->Make(gorila::MakeRandomDraws(stream)));
  return OkStatus();
}

Status gorila_environments::CheckMade(std::size_t index) const {
  if (seats_[index].environment != nullptr) return OkStatus();
  return gorila::Unavailable("environment {} of {} could not be made; reset it with a seed", index,
                             spec_.name);
}

Status gorila_environments::Begin(std::size_t index) {
  GORILA_RETURN_IF_ERROR(CheckMade(index));
  Seat& seat = seats_[index];
  seat.running = false;
  const StatusOr<TimeStep> first = seat.environment->Reset(stacks_->stacker(index).BeginEpisode());
  GORILA_RETURN_IF_ERROR(Named(index, first.status()));
  seat.running = true;
  return OkStatus();
}

Status gorila_environments::Reset(const std::uint64_t* seeds, const std::uint8_t* mask,
                                  std::span<std::byte> observations) {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (mask != nullptr && mask[i] == 0) continue;
    if (seeds != nullptr) {
      GORILA_RETURN_IF_ERROR(MakeSeat(i, RandomStream::Derive(seeds[i], "library environment")));
    }
    GORILA_RETURN_IF_ERROR(Begin(i));
    CopyStack(i, observations.data());
  }
  return OkStatus();
}

Status gorila_environments::CheckActions(std::span<const std::int64_t> actions) const {
  const int num_actions = spec().num_actions();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (actions[i] < 0 || actions[i] >= num_actions) {
      return InvalidArgument("action {} of environment {}; {} has the actions 0 to {}", actions[i],
                             i, spec().name, num_actions - 1);
    }
    if (!seats_[i].running) {
      return InvalidArgument("environment {} of {} needs a reset before it can be stepped", i,
                             spec().name);
    }
  }
  return OkStatus();
}

Status gorila_environments::Step(std::span<const std::int64_t> actions, const Stepped& stepped) {
  GORILA_RETURN_IF_ERROR(CheckActions(actions));
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    seats_[i].environment->Submit(static_cast<int>(actions[i]));
  }
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Status status = StepSeat(i, actions[i], stepped);
    if (status.ok()) continue;
    // Those after it have an announced action that nobody takes.
    for (; i < seats_.size(); ++i) seats_[i].running = false;
    return status;
  }
  return OkStatus();
}

Status gorila_environments::StepSeat(std::size_t index, std::int64_t action,
                                     const Stepped& stepped) {
  Seat& seat = seats_[index];
  seat.running = false;
  GORILA_RETURN_IF_ERROR(Named(index, seat.environment->Await()));
  const StatusOr<TimeStep> step =
      seat.environment->Step(static_cast<int>(action), stacks_->stacker(index).Advance());
  GORILA_RETURN_IF_ERROR(Named(index, step.status()));
  const bool terminal = step->last() && step->discount == 0;
  stepped.rewards[index] = step->reward;
  stepped.terminated[index] = terminal ? 1 : 0;
  stepped.truncated[index] = step->last() && !terminal ? 1 : 0;
  seat.running = !step->last();
  if (step->last() && autoreset_) {
    if (stepped.final_observations != nullptr) CopyStack(index, stepped.final_observations);
    GORILA_RETURN_IF_ERROR(Begin(index));
  }
  CopyStack(index, stepped.observations.data());
  return OkStatus();
}

void gorila_environments::CopyStack(std::size_t index, std::byte* rows) const {
  const std::span<const std::byte> stack = stacks_->stack(index);
  std::memcpy(rows + index * stack.size(), stack.data(), stack.size());
}

Status gorila_environments::Render(std::size_t index, gorila::RgbImage& image) const {
  GORILA_RETURN_IF_ERROR(CheckMade(index));
  return Named(index, seats_[index].environment->Render(image));
}

StatusOr<std::string> gorila_environments::SaveState(std::size_t index) const {
  GORILA_RETURN_IF_ERROR(CheckMade(index));
  gorila::StateWriter writer;
  writer.WriteString(kStateKind);
  writer.Write<std::uint8_t>(seats_[index].running ? 1 : 0);
  const std::span<const std::byte> stack = stacks_->stack(index);
  writer.WriteSpan(stack);
  seats_[index].environment->SaveState(writer);
  return writer.Take();
}

Status gorila_environments::RestoreState(std::size_t index, std::string_view state,
                                         std::span<std::byte> observation) {
  GORILA_RETURN_IF_ERROR(CheckMade(index));
  Seat& seat = seats_[index];
  seat.running = false;
  gorila::StateReader reader(state);
  std::string kind;
  GORILA_RETURN_IF_ERROR(reader.ReadString(kind));
  if (kind != kStateKind) return gorila::DataLoss("not the state of an environment");
  std::uint8_t running = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(running));
  std::vector<std::byte> stack;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(stack));
  if (stack.size() != observation.size()) {
    return gorila::DataLoss("the state has {} bytes of observations, those of {} have {}",
                            stack.size(), spec().name, observation.size());
  }
  GORILA_RETURN_IF_ERROR(seat.environment->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Finish());
  std::copy(stack.begin(), stack.end(), stacks_->stack(index).begin());
  std::copy(stack.begin(), stack.end(), observation.begin());
  seat.running = running != 0;
  return OkStatus();
}

Status gorila_environments::Named(std::size_t index, const Status& status) const {
  if (status.ok() || seats_.size() == 1) return status;
  return gorila::Annotate(status, fmt::format("environment {}", index));
}
