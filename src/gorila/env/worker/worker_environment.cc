#include "gorila/env/worker/worker_environment.h"

#include <utility>

#include "gorila/env/external/observation_picture.h"
#include "gorila/env/worker/worker_setup.h"

namespace gorila {
namespace {

constexpr int kHighestSeed = 0x7fffffff;  // Gymnasium's seeds are below 2^31

// Environments of one kind, in workers of this factory.
class WorkerFactory final : public ExternalFactory {
 public:
  WorkerFactory(std::shared_ptr<WorkerGroup> group, EnvironmentSpec spec, int max_episode_steps)
      : group_(std::move(group)), spec_(std::move(spec)), max_episode_steps_(max_episode_steps) {}

  const EnvironmentRecord& record() const override { return group_->record(); }
  EnvironmentDetails details() const override { return group_->details(); }
  StatusOr<std::unique_ptr<Environment>> Make(std::unique_ptr<DrawSource> draws) override {
    GORILA_ASSIGN_OR_RETURN(const WorkerGroup::Place place, group_->TakeSeat());
    return std::make_unique<WorkerEnvironment>(group_, place, spec_, max_episode_steps_,
                                               std::move(draws));
  }

 private:
  const std::shared_ptr<WorkerGroup> group_;
  const EnvironmentSpec spec_;
  const int max_episode_steps_;
};

}  // namespace

StatusOr<std::shared_ptr<WorkerGroup>> WorkerGroup::Start(const WorkerSetup& setup) {
  std::shared_ptr<WorkerGroup> group(new WorkerGroup(setup));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker, Worker::Start(setup));
  GORILA_RETURN_IF_ERROR(CheckRecord(setup.name, worker->record(), setup.options));
  group->workers_.push_back(std::move(worker));
  return group;
}

StatusOr<WorkerGroup::Place> WorkerGroup::TakeSeat() {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    const int seat = worker->TakeSeat();
    if (seat >= 0) return Place{.worker = worker.get(), .seat = seat};
  }
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker, Worker::Start(setup_));
  workers_.push_back(std::move(worker));
  const int seat = workers_.back()->TakeSeat();
  return Place{.worker = workers_.back().get(), .seat = seat};
}

void WorkerGroup::RingAll() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Ring();
}

WorkerEnvironment::WorkerEnvironment(std::shared_ptr<WorkerGroup> group,
                                     const WorkerGroup::Place& place, const EnvironmentSpec& spec,
                                     int max_episode_steps, std::unique_ptr<DrawSource> draws)
    : group_(std::move(group)),
      worker_(*place.worker),
      seat_(place.seat),
      spec_(spec),
      draws_(std::move(draws)),
      episode_(max_episode_steps) {
  if (options().pictures) seen_.resize(spec_.observation.frame_bytes());
}

WorkerEnvironment::~WorkerEnvironment() { worker_.LeaveSeat(seat_); }

std::uint64_t WorkerEnvironment::NextSeed() {
  if (!next_seed_.has_value()) {
    next_seed_ = static_cast<std::uint64_t>(draws_->Integer(0, kHighestSeed));
  }
  return *next_seed_;
}

// At a reset that comes after `steps` more steps.
bool WorkerEnvironment::ReseedIsDue(std::size_t steps) const {
  const ActionLog& log = worker_.log(seat_);
  return worker_.needs_seed(seat_) || !log.complete() ||
         log.actions().size() + steps >= static_cast<std::size_t>(options().reseed_steps);
}

StatusOr<TimeStep> WorkerEnvironment::Reset(std::span<std::byte> observation) {
  submitted_.reset();
  const bool reseed = ReseedIsDue(0);
  // What was seeded beside the end of an episode is not in a state that was restored.
  if (!worker_.has_first(seat_) || (reseed && !worker_.first_is_seeded(seat_))) {
    if (reseed) {
      worker_.SubmitSeededReset(seat_, NextSeed());
    } else {
      worker_.SubmitReset(seat_);
    }
    GORILA_RETURN_IF_ERROR(worker_.Await(seat_));
  }
  const bool seeded = worker_.first_is_seeded(seat_);
  worker_.TakeFirst(seat_, observation);
  if (seeded) next_seed_.reset();
  if (!seen_.empty()) seen_.assign(observation.begin(), observation.end());
  return episode_.Begin();
}

void WorkerEnvironment::Submit(int action) {
  GORILA_CHECK(action >= 0 && action < spec_.num_actions(), "action {} of {}", action,
               spec_.num_actions());
  GORILA_CHECK(episode_.running(), "Submit without Reset");
  submitted_ = action;
  done_ = false;
  if (worker_.needs_seed(seat_)) return;  // Await says that the episode is lost
  if (ReseedIsDue(1)) {
    worker_.SubmitStepAndSeed(seat_, action, NextSeed());
  } else {
    worker_.SubmitStep(seat_, action);
  }
}

Status WorkerEnvironment::Await() {
  GORILA_CHECK(submitted_.has_value(), "Await without Submit");
  if (done_) return OkStatus();
  if (worker_.needs_seed(seat_)) {
    return EpisodeLost(fmt::format("environment '{}' does not repeat itself", spec_.name));
  }
  group_->RingAll();
  GORILA_RETURN_IF_ERROR(worker_.Await(seat_));
  done_ = true;
  return OkStatus();
}

StatusOr<TimeStep> WorkerEnvironment::Step(int action, std::span<std::byte> observation) {
  if (!submitted_.has_value()) Submit(action);
  GORILA_CHECK(submitted_ == action, "Step({}) after Submit({})", action, *submitted_);
  GORILA_RETURN_IF_ERROR(Await());
  submitted_.reset();
  const TimeStep step = worker_.TakeStep(seat_, observation);
  if (!seen_.empty()) seen_.assign(observation.begin(), observation.end());
  return episode_.Advance(step.reward, step.last() && step.discount == 0, step.last());
}

Status WorkerEnvironment::Render(RgbImage& image) {
  // At the end of an episode its environment is at the beginning of the next one.
  if (worker_.has_first(seat_) && !picture_.pixels.empty()) {
    image = picture_;
    return OkStatus();
  }
  if (options().pictures && worker_.Render(seat_, image).ok()) {
    picture_ = image;
    return OkStatus();
  }
  if (seen_.empty()) {
    return absl::UnimplementedError(
        fmt::format("environment '{}' was made without pictures", spec_.name));
  }
  DrawObservation(spec_.observation, seen_, image);
  return OkStatus();
}

void WorkerEnvironment::SaveState(StateWriter& writer) const {
  WriteEnvironmentName(writer, spec_.name);
  draws_->SaveState(writer);
  writer.Write<std::uint8_t>(next_seed_.has_value() ? 1 : 0);
  writer.Write<std::uint64_t>(next_seed_.value_or(0));
  episode_.SaveState(writer);
  worker_.log(seat_).SaveState(writer);
}

Status WorkerEnvironment::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, spec_.name));
  GORILA_RETURN_IF_ERROR(draws_->RestoreState(reader));
  std::uint8_t drawn = 0;
  std::uint64_t seed = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(drawn));
  GORILA_RETURN_IF_ERROR(reader.Read(seed));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  ActionLog log;
  GORILA_RETURN_IF_ERROR(log.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(log.CheckActions(ActionLog::kNext, spec_.num_actions() - 1));
  if (drawn > 1 || seed > kHighestSeed) return DataLoss("the seed of an environment is {}", seed);
  next_seed_ = drawn == 1 ? std::optional(seed) : std::nullopt;
  submitted_.reset();
  GORILA_ASSIGN_OR_RETURN(const bool same, worker_.Restore(seat_, log));
  if (same || !options().exact) return OkStatus();
  return DataLoss(
      "environment '{}' does not repeat itself: seed {} and the {} actions since led to something "
      "else than before; a deterministic run cannot be resumed with it",
      spec_.name, log.seed(), log.actions().size());
}

StatusOr<std::unique_ptr<ExternalFactory>> MakeWorkerFactory(const ExternalName& name,
                                                             const EnvironmentOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const WorkerSetup setup, MakeWorkerSetup(name, options.external));
  GORILA_ASSIGN_OR_RETURN(std::shared_ptr<WorkerGroup> group, WorkerGroup::Start(setup));
  GORILA_ASSIGN_OR_RETURN(EnvironmentSpec spec,
                          SpecOfRecord(setup.name, group->record(), options.external));
  return std::make_unique<WorkerFactory>(std::move(group), std::move(spec),
                                         options.max_episode_steps);
}

}  // namespace gorila
