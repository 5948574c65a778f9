#include "gorila/actor/actor.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gorila {
namespace {

// As it is saved: a game is its environment's.
struct RunningEpisode {
  double episode_return;
  std::int64_t length;
};

}  // namespace

Actor::Actor(const ActorOptions& options, const ActorPlace& place,
             std::vector<std::unique_ptr<Environment>> environments, NetworkReplica& replica,
             std::unique_ptr<Policy> policy, Replay& replay, RandomStream random)
    : options_(options),
      place_(place),
      environments_(std::move(environments)),
      num_games_(environments_.front()->spec().num_games()),
      replica_(replica),
      policy_(std::move(policy)),
      replay_(replay),
      random_(random),
      game_frames_(static_cast<std::size_t>(num_games_)),
      stacks_(environments_.front()->spec().observation, environments_.size()),
      time_steps_(environments_.size()),
      running_(environments_.size()),
      acting_(environments_.size(), {.random = &random_}) {
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    acting_[i].game = environments_[i]->spec().game;
  }
  if (!options.normalise_rewards) return;
  std::vector<int> games;
  for (const ActingEnvironment& acting : acting_) games.push_back(acting.game);
  normaliser_.emplace(options.discount, std::move(games));
  normalised_.resize(environments_.size());
}

void Actor::CountFrames() {
  for (const ActingEnvironment& acting : acting_) {
    ++game_frames_[static_cast<std::size_t>(acting.game)];
  }
}

void Actor::CountEarlierFrames(std::span<const std::int64_t> frames) {
  GORILA_CHECK(frames.size() == game_frames_.size(), "{} games", frames.size());
  for (std::size_t game = 0; game < frames.size(); ++game) game_frames_[game] += frames[game];
}

StatusOr<std::unique_ptr<Actor>> Actor::Make(const ActorOptions& options, const ActorPlace& place,
                                             std::vector<std::unique_ptr<Environment>> environments,
                                             NetworkReplica& replica,
                                             std::unique_ptr<Policy> policy, Replay& replay,
                                             RandomStream random) {
  std::unique_ptr<Actor> actor(new Actor(options, place, std::move(environments), replica,
                                         std::move(policy), replay, random));
  for (std::size_t i = 0; i < actor->environments_.size(); ++i) {
    GORILA_RETURN_IF_ERROR(actor->BeginEpisode(i));
  }
  actor->SetEpsilons(0);  // so that it is known before the first step
  return actor;
}

Status Actor::BeginEpisode(std::size_t i) {
  GORILA_ASSIGN_OR_RETURN(time_steps_[i],
                          environments_[i]->Reset(stacks_.stacker(i).BeginEpisode()));
  running_[i] = {.game = acting_[i].game};
  if (normaliser_.has_value()) normalised_[i] = 0;
  return OkStatus();
}

// The step that was lost never happened: what is known ends one time step earlier, as at a time
// limit. Of an episode that has just begun nothing is known.
Status Actor::AbandonEpisode(std::size_t i) {
  if (time_steps_[i].step_type != StepType::kFirst) {
    ReplayRow last = PresentRow(i, stacks_.stacker(i).newest());
    last.time_step.step_type = StepType::kLast;
    GORILA_RETURN_IF_ERROR(replay_.Insert(static_cast<int>(i), last));
  }
  if (normaliser_.has_value()) normaliser_->EndEpisode(i);
  return BeginEpisode(i);
}

Status Actor::Step(std::int64_t ticks, std::vector<EpisodeResult>& finished) {
  if (steps_ % options_.refresh_every == 0) GORILA_RETURN_IF_ERROR(replica_.Follow());
  ++steps_;
  SetEpsilons(ticks);
  ChooseActions();
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    environments_[i]->Submit(chosen_.actions[i]);
  }
  for (std::size_t i = 0; i < environments_.size(); ++i) {
    GORILA_RETURN_IF_ERROR(StepEnvironment(i, finished));
  }
  CountFrames();
  return OkStatus();
}

// Those that play a game spread over the whole range of epsilons.
void Actor::SetEpsilons(std::int64_t ticks) {
  const int count = num_environments();
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    const double epsilon =
        Epsilon(options_.exploration, ticks, (place_.index * count + i) / num_games_,
                place_.actors * count / num_games_);
    acting_[static_cast<std::size_t>(i)].epsilon = epsilon;
    sum += epsilon;
  }
  epsilon_ = options_.exploration.spread > 0 ? sum / count : acting_.front().epsilon;
}

// Paper section 4.2, step a.
void Actor::ChooseActions() {
  policy_->Act({.observations = stacks_.all(),
                .environments = acting_,
                .show_values = options_.send_values,
                .noisy = true},
               chosen_);
}

// NaN if the policy does not choose by probabilities.
float Actor::LogProbabilityOf(std::size_t i) const {
  const std::vector<float>& all = chosen_.log_probabilities;
  return all.empty() ? std::numeric_limits<float>::quiet_NaN() : all[i];
}

RowValues Actor::ValuesOf(std::size_t i) const {
  if (!options_.send_values) return {};
  const std::size_t actions = chosen_.values.size() / environments_.size();
  const float* const q = &chosen_.values[i * actions];
  return {.taken = q[chosen_.actions[i]], .best = *std::max_element(q, q + actions)};
}

// Without the action.
ReplayRow Actor::PresentRow(std::size_t i, std::span<const std::byte> frame) const {
  ReplayRow row{.frame = frame, .time_step = time_steps_[i], .game = acting_[i].game};
  if (normaliser_.has_value()) row.time_step.reward = normalised_[i];
  return row;
}

// Paper section 4.2, step b.
Status Actor::StepEnvironment(std::size_t i, std::vector<EpisodeResult>& finished) {
  FrameStacker stacker = stacks_.stacker(i);
  const int stream = static_cast<int>(i);
  const int action = chosen_.actions[i];
  if (const Status status = environments_[i]->Await(); !status.ok()) {
    return IsEpisodeLost(status) ? AbandonEpisode(i) : status;
  }
  ReplayRow row = PresentRow(i, stacker.newest());
  row.action = action;
  row.values = ValuesOf(i);
  row.log_probability = LogProbabilityOf(i);
  GORILA_RETURN_IF_ERROR(replay_.Insert(stream, row));
  GORILA_ASSIGN_OR_RETURN(time_steps_[i], environments_[i]->Step(action, stacker.Advance()));
  if (normaliser_.has_value()) normalised_[i] = normaliser_->Normalise(i, time_steps_[i]);
  running_[i].episode_return += time_steps_[i].reward;
  ++running_[i].length;
  if (!time_steps_[i].last()) return OkStatus();
  GORILA_RETURN_IF_ERROR(replay_.Insert(stream, PresentRow(i, stacker.newest())));
  finished.push_back(running_[i]);
  return BeginEpisode(i);
}

void Actor::SaveState(StateWriter& writer) const {
  writer.Write(steps_);
  random_.SaveState(writer);
  writer.WriteSpan<std::byte>(stacks_.all());
  writer.WriteSpan<TimeStep>(time_steps_);
  std::vector<RunningEpisode> running;
  for (const EpisodeResult& episode : running_) {
    running.push_back({episode.episode_return, episode.length});
  }
  writer.WriteSpan<RunningEpisode>(running);
  if (normaliser_.has_value()) {
    normaliser_->SaveState(writer);
    writer.WriteSpan<float>(normalised_);
  }
  if (num_games_ > 1) writer.WriteSpan<std::int64_t>(game_frames_);
  for (const auto& environment : environments_) environment->SaveState(writer);
}

// Of one game all steps of its environments; states have no count of them.
Status Actor::RestoreFrames(StateReader& reader) {
  if (num_games_ == 1) {
    game_frames_.front() = steps_ * num_environments();
    return OkStatus();
  }
  std::vector<std::int64_t> frames;
  GORILA_RETURN_IF_ERROR(reader.ReadVector(frames));
  if (frames.size() != game_frames_.size()) {
    return DataLoss("the actor's state has frames of {} games, expected {}", frames.size(),
                    game_frames_.size());
  }
  game_frames_ = std::move(frames);
  return OkStatus();
}

Status Actor::RestoreState(StateReader& reader) {
  std::vector<std::byte> observations;
  std::vector<TimeStep> time_steps;
  std::vector<RunningEpisode> running;
  GORILA_RETURN_IF_ERROR(reader.Read(steps_));
  GORILA_RETURN_IF_ERROR(random_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(observations));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(time_steps));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(running));
  if (observations.size() != stacks_.all().size() || time_steps.size() != time_steps_.size() ||
      running.size() != running_.size()) {
    return DataLoss(
        "the actor's state has {} environments with {} bytes of observations, expected {} with {}",
        time_steps.size(), observations.size(), time_steps_.size(), stacks_.all().size());
  }
  if (normaliser_.has_value()) {
    std::vector<float> normalised;
    GORILA_RETURN_IF_ERROR(normaliser_->RestoreState(reader));
    GORILA_RETURN_IF_ERROR(reader.ReadVector(normalised));
    if (normalised.size() != normalised_.size()) {
      return DataLoss("the actor's state has {} normalised rewards, expected {}", normalised.size(),
                      normalised_.size());
    }
    normalised_ = std::move(normalised);
  }
  GORILA_RETURN_IF_ERROR(RestoreFrames(reader));
  stacks_.Assign(observations);
  time_steps_ = std::move(time_steps);
  for (std::size_t i = 0; i < running.size(); ++i) {
    running_[i] = {running[i].episode_return, running[i].length, acting_[i].game};
  }
  for (const auto& environment : environments_) {
    GORILA_RETURN_IF_ERROR(environment->RestoreState(reader));
  }
  return OkStatus();
}

}  // namespace gorila
