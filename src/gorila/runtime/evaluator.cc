#include "gorila/runtime/evaluator.h"

#include <algorithm>
#include <array>
#include <memory>

#include "gorila/actor/frame_stacker.h"
#include "gorila/base/nearest.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/runtime/cluster.h"

namespace gorila {
namespace {

constexpr std::array kProtocols = {
    EvaluationProtocol{"greedy", "always the best action; at most 100,000 steps an episode", 0.0,
                       100000},
    EvaluationProtocol{"epsilon-0.05",
                       "DQN's: a random action with probability 0.05; at most 100,000 "
                       "steps an episode",
                       0.05, 100000},
};

constexpr int kMostAtOnce = 32;

// Up to kMostAtOnce episodes at once, with one batched forward pass a step.
class Evaluation {
 public:
  Evaluation(const Config& config, const EvaluationProtocol& protocol,
             const EvaluationRequest& request, QNetwork& network)
      : config_(config),
        protocol_(protocol),
        request_(request),
        network_(network),
        observation_(network.spec().input),
        num_actions_(network.spec().num_actions),
        returns_(static_cast<std::size_t>(request.episodes)) {}

  Status Run() {
    while (next_ < request_.episodes || !seats_.empty()) {
      while (next_ < request_.episodes && seats_.size() < kMostAtOnce) {
        GORILA_RETURN_IF_ERROR(Begin());
      }
      if (request_.cancelled && request_.cancelled()) {
        return absl::CancelledError("evaluation was cancelled");
      }
      Step();
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
    std::vector<std::byte> stacked;
    std::int64_t length = 0;
    bool done = false;
  };

  Status Begin() {
    const auto episode = static_cast<std::uint64_t>(next_);
    GORILA_ASSIGN_OR_RETURN(
        std::unique_ptr<Environment> environment,
        MakeEnvironment(config_.environment.name, config_.environment.options,
                        MakeRandomDraws(RandomStream::Derive(request_.seed,
                                                             "evaluation environment", episode))));
    Seat seat{next_++, std::move(environment),
              RandomStream::Derive(request_.seed, "evaluation actions", episode),
              std::vector<std::byte>(observation_.stacked_bytes())};
    seat.environment->Reset(FrameStacker(observation_, seat.stacked).BeginEpisode());
    seats_.push_back(std::move(seat));
    return OkStatus();
  }

  void Step() {
    const std::size_t bytes = observation_.stacked_bytes();
    observations_.resize(seats_.size() * bytes);
    q_.resize(seats_.size() * static_cast<std::size_t>(num_actions_));
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      std::copy(seats_[i].stacked.begin(), seats_[i].stacked.end(), &observations_[i * bytes]);
    }
    network_.Predict(observations_, static_cast<int>(seats_.size()), q_);
    for (std::size_t i = 0; i < seats_.size(); ++i) StepSeat(i);
    std::erase_if(seats_, [](const Seat& seat) { return seat.done; });
  }

  void StepSeat(std::size_t i) {
    Seat& seat = seats_[i];
    const float* const q = &q_[i * static_cast<std::size_t>(num_actions_)];
    const int action = seat.random.Uniform() < protocol_.epsilon
                           ? seat.random.Integer(0, num_actions_)
                           : static_cast<int>(std::max_element(q, q + num_actions_) - q);
    const TimeStep step =
        seat.environment->Step(action, FrameStacker(observation_, seat.stacked).Advance());
    returns_[static_cast<std::size_t>(seat.episode)] += step.reward;
    ++steps_;
    seat.done = step.last() || ++seat.length >= protocol_.max_steps;
  }

  const Config& config_;
  const EvaluationProtocol& protocol_;
  const EvaluationRequest& request_;
  QNetwork& network_;
  const ObservationSpec observation_;
  const int num_actions_;
  std::vector<double> returns_;
  std::int64_t steps_ = 0;
  int next_ = 0;
  std::vector<Seat> seats_;
  std::vector<std::byte> observations_;
  std::vector<float> q_;
};

}  // namespace

std::span<const EvaluationProtocol> EvaluationProtocols() { return kProtocols; }

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
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec spec, ResolveNetwork(config));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<QNetwork> network,
                          MakeQNetwork(config.network.backend, spec, kMostAtOnce));
  if (parameters.size() != network->layout().size) {
    return InvalidArgument("the parameters are {} numbers, the network of '{}' has {}",
                           parameters.size(), config.environment.name, network->layout().size);
  }
  network->SetParameters(parameters);
  Evaluation evaluation(config, *protocol, request, *network);
  GORILA_RETURN_IF_ERROR(evaluation.Run());
  return EvaluationResult{.protocol = std::string(protocol->name),
                          .epsilon = protocol->epsilon,
                          .returns = evaluation.returns(),
                          .steps = evaluation.steps(),
                          .summary = SummariseReturns(evaluation.returns())};
}

std::uint64_t FinalEvaluationSeed(const Config& config) {
  return RandomStream::Derive(config.run.seed, "final evaluation").NextBits();
}

}  // namespace gorila
