#include "gorila/actor/actor.h"

#include <algorithm>

namespace gorila {

Actor::Actor(const ActorOptions& options, const ActorPlace& place,
             std::vector<std::unique_ptr<Environment>> environments, NetworkReplica& replica,
             Replay& replay, RandomStream random)
    : options_(options),
      place_(place),
      environments_(std::move(environments)),
      observation_(environments_.front()->spec().observation),
      num_actions_(environments_.front()->spec().num_actions()),
      replica_(replica),
      replay_(replay),
      random_(random),
      observations_(environments_.size() * observation_.stacked_bytes()),
      time_steps_(environments_.size()),
      running_(environments_.size()),
      q_(environments_.size() * static_cast<std::size_t>(num_actions_)),
      actions_(environments_.size()),
      explores_(environments_.size()) {
  for (std::size_t i = 0; i < environments_.size(); ++i) BeginEpisode(i);
}

FrameStacker Actor::Stacker(std::size_t i) {
  const std::size_t bytes = observation_.stacked_bytes();
  return {observation_, std::span(observations_).subspan(i * bytes, bytes)};
}

void Actor::BeginEpisode(std::size_t i) {
  time_steps_[i] = environments_[i]->Reset(Stacker(i).BeginEpisode());
  running_[i] = {};
}

Status Actor::Step(std::int64_t ticks, std::vector<EpisodeResult>& finished) {
  if (steps_ % options_.refresh_every == 0) GORILA_RETURN_IF_ERROR(replica_.Refresh());
  ++steps_;
  epsilon_ = Epsilon(options_.exploration, ticks, place_.index, place_.actors);
  ChooseActions();
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    GORILA_RETURN_IF_ERROR(StepEnvironment(i, finished));
  }
  return OkStatus();
}

// Paper section 4.2, step a.
void Actor::ChooseActions() {
  bool any_greedy = false;
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    explores_[i] = random_.Uniform() < epsilon_;
    if (explores_[i]) {
      actions_[i] = random_.Integer(0, num_actions_);
    } else {
      any_greedy = true;
    }
  }
  if (!any_greedy) return;
  replica_.network().Predict(observations_, num_environments(), q_);
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    if (explores_[i]) continue;
    const float* const q = &q_[i * static_cast<std::size_t>(num_actions_)];
    actions_[i] = static_cast<int>(std::max_element(q, q + num_actions_) - q);
  }
}

// Paper section 4.2, step b.
Status Actor::StepEnvironment(std::size_t i, std::vector<EpisodeResult>& finished) {
  FrameStacker stacker = Stacker(i);
  const int stream = static_cast<int>(i);
  GORILA_RETURN_IF_ERROR(replay_.Insert(
      stream, {.frame = stacker.newest(), .time_step = time_steps_[i], .action = actions_[i]}));
  time_steps_[i] = environments_[i]->Step(actions_[i], stacker.Advance());
  running_[i].episode_return += time_steps_[i].reward;
  ++running_[i].length;
  if (!time_steps_[i].last()) return OkStatus();
  GORILA_RETURN_IF_ERROR(
      replay_.Insert(stream, {.frame = stacker.newest(), .time_step = time_steps_[i]}));
  finished.push_back(running_[i]);
  BeginEpisode(i);
  return OkStatus();
}

void Actor::SaveState(StateWriter& writer) const {
  writer.Write(steps_);
  random_.SaveState(writer);
  writer.WriteSpan<std::byte>(observations_);
  writer.WriteSpan<TimeStep>(time_steps_);
  writer.WriteSpan<EpisodeResult>(running_);
  for (const auto& environment : environments_) environment->SaveState(writer);
}

Status Actor::RestoreState(StateReader& reader) {
  std::vector<std::byte> observations;
  std::vector<TimeStep> time_steps;
  std::vector<EpisodeResult> running;
  GORILA_RETURN_IF_ERROR(reader.Read(steps_));
  GORILA_RETURN_IF_ERROR(random_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(observations));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(time_steps));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(running));
  if (observations.size() != observations_.size() || time_steps.size() != time_steps_.size() ||
      running.size() != running_.size()) {
    return DataLoss(
        "actor state is of {} environments with {} bytes of observations, expected {} with {}",
        time_steps.size(), observations.size(), time_steps_.size(), observations_.size());
  }
  observations_ = std::move(observations);
  time_steps_ = std::move(time_steps);
  running_ = std::move(running);
  for (const auto& environment : environments_) {
    GORILA_RETURN_IF_ERROR(environment->RestoreState(reader));
  }
  return OkStatus();
}

}  // namespace gorila
