#include "gorila/evaluation/evaluator.h"

#include <algorithm>
#include <array>
#include <memory>

#include "gorila/agent/frame_stacker.h"
#include "gorila/base/nearest.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/playing_agent.h"
#include "gorila/evaluation/protocol_label.h"
#include "gorila/evaluation/start_points.h"

namespace gorila {
namespace {

constexpr std::array kProtocols = {
    EvaluationProtocol{.name = "greedy",
                       .summary = "always the best action; at most 100,000 steps an episode",
                       .epsilon = 0.0},
    EvaluationProtocol{.name = "epsilon-0.05",
                       .summary = "a random action with probability 0.05; at most 100,000 steps an "
                                  "episode",
                       .epsilon = 0.05},
    EvaluationProtocol{.name = "noop30",
                       .summary = "DQN's and Gorila's null-op starts: up to 30 no-ops, 18,000 "
                                  "emulator frames, epsilon 0.05",
                       .epsilon = 0.05,
                       .noop_max = 30,
                       .max_frames = 18000,
                       .repeat_action_probability = 0},
    EvaluationProtocol{.name = "human-starts",
                       .summary = "Gorila's human starts: start points of evaluation.starts, "
                                  "108,000 emulator frames counting the start's own, epsilon 0.05",
                       .epsilon = 0.05,
                       .noop_max = 0,
                       .max_frames = 108000,
                       .repeat_action_probability = 0,
                       .human_starts = true},
    EvaluationProtocol{.name = "sticky",
                       .summary =
                           "Machado et al. 2018: the previous action is repeated with probability "
                           "0.25 each emulator frame, no no-ops, 18,000 frames, epsilon 0.05",
                       .epsilon = 0.05,
                       .noop_max = 0,
                       .max_frames = 18000,
                       .repeat_action_probability = 0.25},
};

constexpr int kMostAtOnce = 32;
constexpr int kMostAttempts = 3;  // at an episode that its environment loses

// The probability that the environment repeats an action of its own accord.
double StickyActions(const Config& config, const EvaluationProtocol& protocol) {
  const std::string_view name = config.environment.name;
  const EnvironmentOptions options = EvaluationOptions(config.environment.options, protocol);
  if (IsConsoleGame(name)) return options.atari.repeat_action_probability;
  const auto rows = EnvironmentTable();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [name](const EnvironmentRow& one) { return one.name == name; });
  return row != rows.end() && row->sticky_actions ? options.sticky_actions : 0;
}

StatusOr<StartPoints> LoadStarts(const Config& config, const EvaluationProtocol& protocol) {
  if (!protocol.human_starts) return StartPoints{};
  if (config.evaluation.starts == "none") {
    return InvalidArgument(
        "evaluation.starts is none; protocol {} needs a file of start points, which 'gorila play "
        "--record-starts FILE' makes",
        protocol.name);
  }
  return ReadStartPoints(config.evaluation.starts);
}

// Up to kMostAtOnce episodes at once, whose actions are chosen together.
class Evaluation {
 public:
  Evaluation(const Config& config, const EvaluationProtocol& protocol,
             const EvaluationRequest& request, const StartPoints& starts, const PlayingAgent& agent,
             EnvironmentFactory& factory)
      : config_(config),
        protocol_(protocol),
        epsilon_(EvaluationEpsilon(config, protocol)),
        options_(EvaluationOptions(config.environment.options, protocol)),
        factory_(factory),
        starts_(starts),
        request_(request),
        policy_(*agent.policy),
        returns_(static_cast<std::size_t>(request.episodes)),
        stacks_(agent.network->spec().input, kMostAtOnce) {}

  Status Run() {
    while (next_ < request_.episodes || !seats_.empty()) {
      while (next_ < request_.episodes && seats_.size() < kMostAtOnce) {
        GORILA_RETURN_IF_ERROR(Begin());
      }
      if (request_.cancelled && request_.cancelled()) {
        return absl::CancelledError("evaluation was cancelled");
      }
      GORILA_RETURN_IF_ERROR(Step());
    }
    return OkStatus();
  }

  const std::vector<double>& returns() const { return returns_; }
  std::int64_t steps() const { return steps_; }

 private:
  struct Seat {
    int episode;
    std::unique_ptr<Environment> environment;
    RandomStream random;
    std::int64_t length = 0;
    bool done = false;
    int lost = 0;  // times that its environment lost the episode

    ActingEnvironment Acting(double epsilon) {
      return {.epsilon = epsilon, .random = &random, .game = environment->spec().game};
    }
  };

  Status Begin() {
    const auto episode = static_cast<std::uint64_t>(next_);
    Seat seat{next_++, nullptr, RandomStream::Derive(request_.seed, "evaluation actions", episode)};
    GORILA_RETURN_IF_ERROR(BeginEpisode(episode, seats_.size(), seat));
    seats_.push_back(std::move(seat));
    return OkStatus();
  }

  // In place i among the seats.
  Status BeginEpisode(std::uint64_t episode, std::size_t i, Seat& seat) {
    if (protocol_.human_starts) {
      const StartPoint& start = starts_.starts[episode % starts_.starts.size()];
      GORILA_ASSIGN_OR_RETURN(seat.environment,
                              MakeAtStart(starts_, start, config_.environment.name, options_,
                                          factory_, stacks_.stack(i)));
      return OkStatus();
    }
    GORILA_ASSIGN_OR_RETURN(seat.environment,
                            factory_.Make(MakeRandomDraws(RandomStream::Derive(
                                request_.seed, "evaluation environment", episode))));
    return seat.environment->Reset(stacks_.stacker(i).BeginEpisode()).status();
  }

  Status Step() {
    acting_.clear();
    for (Seat& seat : seats_) acting_.push_back(seat.Acting(epsilon_));
    policy_.Act({.observations = stacks_.first(seats_.size()), .environments = acting_}, chosen_);
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      seats_[i].environment->Submit(chosen_.actions[i]);
    }
    for (std::size_t i = 0; i < seats_.size(); ++i) GORILA_RETURN_IF_ERROR(StepSeat(i));
    LeaveSeats();
    return OkStatus();
  }

  // Those still playing keep their order.
  void LeaveSeats() {
    std::size_t playing = 0;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      if (seats_[i].done) continue;
      if (playing != i) {
        seats_[playing] = std::move(seats_[i]);
        stacks_.Copy(i, playing);
      }
      ++playing;
    }
    seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(playing), seats_.end());
  }

  Status StepSeat(std::size_t i) {
    Seat& seat = seats_[i];
    if (Status status = seat.environment->Await(); !status.ok()) {
      if (!IsEpisodeLost(status)) return status;
      if (++seat.lost < kMostAttempts) return PlayAgain(i);
      return Unavailable("episode {} was lost {} times, at last: {}", seat.episode, seat.lost,
                         std::string(status.message()));
    }
    GORILA_ASSIGN_OR_RETURN(
        const TimeStep step,
        seat.environment->Step(chosen_.actions[i], stacks_.stacker(i).Advance()));
    returns_[static_cast<std::size_t>(seat.episode)] += step.reward;
    ++steps_;
    seat.done = step.last() || ++seat.length >= protocol_.max_steps;
    return OkStatus();
  }

  // The episode that its environment lost, from its beginning.
  Status PlayAgain(std::size_t i) {
    Seat& seat = seats_[i];
    const auto episode = static_cast<std::uint64_t>(seat.episode);
    returns_[episode] = 0;
    seat.length = 0;
    seat.environment.reset();
    return BeginEpisode(episode, i, seat);
  }

  const Config& config_;
  const EvaluationProtocol& protocol_;
  const double epsilon_;
  const EnvironmentOptions options_;
  EnvironmentFactory& factory_;
  const StartPoints& starts_;
  const EvaluationRequest& request_;
  Policy& policy_;
  std::vector<double> returns_;
  std::int64_t steps_ = 0;
  int next_ = 0;
  std::vector<Seat> seats_;
  FrameStacks stacks_;  // of each seat, in their order
  std::vector<ActingEnvironment> acting_;
  ActOutput chosen_;
};

}  // namespace

std::span<const EvaluationProtocol> EvaluationProtocols() { return kProtocols; }

double EvaluationEpsilon(const Config& config, const EvaluationProtocol& protocol) {
  if (config.evaluation.epsilon >= 0) return config.evaluation.epsilon;
  return ResolveActBy(config) == ActBy::kSample ? 0 : protocol.epsilon;
}

EnvironmentOptions EvaluationOptions(const EnvironmentOptions& configured,
                                     const EvaluationProtocol& protocol) {
  EnvironmentOptions options = configured;
  AtariOptions& atari = options.atari;
  atari.life_loss_ends_episode = false;
  if (protocol.noop_max >= 0) atari.noop_max = protocol.noop_max;
  if (protocol.max_frames >= 0) atari.max_frames = protocol.max_frames;
  if (protocol.repeat_action_probability >= 0) {
    atari.repeat_action_probability = protocol.repeat_action_probability;
  }
  return options;
}

StatusOr<const EvaluationProtocol*> FindEvaluationProtocol(std::string_view name) {
  std::vector<std::string_view> names;
  for (const EvaluationProtocol& protocol : kProtocols) {
    if (protocol.name == name) return &protocol;
    names.push_back(protocol.name);
  }
  return InvalidArgument("evaluation.protocol is '{}'; expected one of {}; did you mean '{}'?",
                         name, fmt::join(names, ", "), NearestName(name, names));
}

StatusOr<EvaluationResult> Evaluate(const Config& config, std::span<const float> parameters,
                                    const EvaluationRequest& request) {
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(request.protocol));
  if (request.episodes < 1) {
    return InvalidArgument("evaluation.episodes is {}; expected at least 1", request.episodes);
  }
  GORILA_ASSIGN_OR_RETURN(const PlayingAgent agent, MakePlayingAgent(config, kMostAtOnce));
  if (parameters.size() != agent.network->layout().size) {
    return InvalidArgument("the parameters are {} numbers, the network of '{}' has {}",
                           parameters.size(), config.environment.name,
                           agent.network->layout().size);
  }
  agent.network->SetParameters(parameters);
  GORILA_ASSIGN_OR_RETURN(const StartPoints starts, LoadStarts(config, *protocol));
  const EnvironmentOptions options = EvaluationOptions(config.environment.options, *protocol);
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<EnvironmentFactory> factory,
      MakeEnvironmentFactory(config.environment.name,
                             protocol->human_starts ? StartPointOptions(options) : options));
  Evaluation evaluation(config, *protocol, request, starts, agent, *factory);
  GORILA_RETURN_IF_ERROR(evaluation.Run());
  const double epsilon = EvaluationEpsilon(config, *protocol);
  const ActBy act = ResolveActBy(config);
  return EvaluationResult{
      .protocol = ProtocolLabel(*protocol, epsilon, act, config.environment.name),
      .version = protocol->version,
      .epsilon = epsilon,
      .act = act,
      .sticky_actions = StickyActions(config, *protocol),
      .returns = evaluation.returns(),
      .steps = evaluation.steps(),
      .summary = SummariseReturns(evaluation.returns())};
}

std::uint64_t FinalEvaluationSeed(const Config& config) {
  return RandomStream::Derive(config.run.seed, "final evaluation").NextBits();
}

}  // namespace gorila
