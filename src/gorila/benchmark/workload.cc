#include "gorila/benchmark/workload.h"

#include "gorila/base/random.h"
#include "gorila/env/registry.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

constexpr std::int64_t kReplayRows = 20000;
constexpr int kEpisodeSteps = 1000;

TimeStep StepAt(std::int64_t row) {
  const std::int64_t step = row % (kEpisodeSteps + 1);
  if (step == 0) return {.step_type = StepType::kFirst};
  if (step == kEpisodeSteps) return {.step_type = StepType::kLast, .reward = 1, .discount = 0};
  return {.step_type = StepType::kMid, .reward = 0.1F};
}

// `group` may be null.
StatusOr<std::unique_ptr<NetworkReplica>> MakeReplica(const LearnerPlace& place,
                                                      const NetworkSpec& network,
                                                      ParameterStore& store, NetworkGroup* group,
                                                      NetworkReplica::Follows follows) {
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<QNetwork> q_network,
      group != nullptr ? group->MakeNetwork(follows == NetworkReplica::Follows::kTarget)
                       : MakeQNetwork(place.backend, network,
                                      StatesOfMinibatch(place.agent, place.batch), place.device));
  return std::make_unique<NetworkReplica>(std::move(q_network), store, follows);
}

}  // namespace

EnvironmentSpec PublishedEnvironment(std::string_view network_preset) {
  if (network_preset == "nature_dqn") {
    return {.name = "random frames",
            .observation = {.height = 84, .width = 84, .scale = 1 / 255.0F, .stack = 4},
            .action_names = std::vector<std::string>(18)};
  }
  return {.name = "random frames",
          .observation = {.channels = 4, .height = 10, .width = 10},
          .action_names = std::vector<std::string>(6)};
}

StatusOr<std::unique_ptr<LocalReplay>> MakeFullReplay(const ObservationSpec& observation,
                                                      std::int64_t capacity,
                                                      const TransitionOptions& transition) {
  const LocalReplayOptions options{
      .capacity = capacity,
      .transition = transition,
      .rate = {.updates_per_step = 1e9, .min_size = 1, .insert_lead = 0}};
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<LocalReplay> replay,
                          LocalReplay::Make(options, observation, 1, RandomStream(1)));
  RandomStream random(2);
  const int levels = observation.scale == 1 ? 2 : 256;
  std::vector<std::byte> frame(observation.frame_bytes());
  for (std::byte& value : frame) value = static_cast<std::byte>(random.Integer(0, levels));
  for (std::int64_t row = 0; row < capacity; ++row) {
    // One new value a row is enough: nothing here looks at what the frames show.
    frame[random.Below(frame.size())] = static_cast<std::byte>(random.Integer(0, levels));
    GORILA_RETURN_IF_ERROR(replay->Insert(
        0, {.frame = frame, .time_step = StepAt(row), .action = 1, .log_probability = -1}));
  }
  return replay;
}

StatusOr<std::unique_ptr<LocalReplay>> MakeGameReplay(std::string_view game, std::int64_t capacity,
                                                      const FrameStorageOptions& frames) {
  GORILA_ASSIGN_OR_RETURN(const auto environment,
                          MakeEnvironment(game, {}, MakeRandomDraws(RandomStream(1))));
  const EnvironmentSpec& spec = environment->spec();
  const LocalReplayOptions options{
      .capacity = capacity,
      .rate = {.updates_per_step = 1e9, .min_size = 1, .insert_lead = 0},
      .frames = frames};
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<LocalReplay> replay,
                          LocalReplay::Make(options, spec.observation, 1, RandomStream(2)));
  RandomStream random(3);
  std::vector<std::byte> frame(spec.observation.frame_bytes());
  TimeStep step = {.step_type = StepType::kLast};
  int action = 0;
  for (std::int64_t row = 0; row < capacity; ++row) {
    GORILA_ASSIGN_OR_RETURN(
        step, step.last() ? environment->Reset(frame) : environment->Step(action, frame));
    action = random.Integer(0, spec.num_actions());
    GORILA_RETURN_IF_ERROR(
        replay->Insert(0, {.frame = frame, .time_step = step, .action = action}));
  }
  return replay;
}

StatusOr<std::unique_ptr<InProcessParameterStore>> MakeBenchmarkStore(const NetworkSpec& network,
                                                                      int shards) {
  const ShardOptions options{
      .optimizer = {.name = "rmsprop", .learning_rate = 2.5e-4, .epsilon = 0.01}};
  RandomStream random(3);
  return InProcessParameterStore::Make(options, shards,
                                       InitialParameters(MakeParameterLayout(network), random));
}

StatusOr<NetworkSpec> Described(NetworkSpec layers, const AgentOptions& agent) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(agent.algorithm));
  GORILA_RETURN_IF_ERROR(row->check(agent));
  row->describe(agent, layers);
  return layers;
}

StatusOr<std::unique_ptr<LearnerWorkload>> LearnerWorkload::Make(const LearnerPlace& place,
                                                                 const NetworkSpec& network,
                                                                 InProcessParameterStore& whole) {
  std::unique_ptr<LearnerWorkload> workload(new LearnerWorkload);
  workload->pieces_ = std::make_unique<InProcessPieceStore>(whole);
  if (place.members > 1) {
    GORILA_ASSIGN_OR_RETURN(
        workload->group_,
        NetworkGroup::OfThreads({.members = place.members,
                                 .backend = place.backend,
                                 .max_batch = StatesOfMinibatch(place.agent, place.batch)},
                                network, whole, *workload->pieces_));
  }
  NetworkGroup* const group = workload->group_.get();
  ParameterStore& store = group != nullptr ? group->store() : whole;
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(place.agent.algorithm));
  const TransitionOptions transition{.unroll = UsesUnrolls(place.agent) ? place.agent.unroll : 0};
  GORILA_ASSIGN_OR_RETURN(workload->replay_,
                          MakeFullReplay(network.input, kReplayRows, transition));
  GORILA_ASSIGN_OR_RETURN(workload->online_, MakeReplica(place, network, store, group,
                                                         NetworkReplica::Follows::kOnline));
  std::unique_ptr<NetworkReplica> target;
  if (row->uses_target) {
    GORILA_ASSIGN_OR_RETURN(
        target, MakeReplica(place, network, store, group, NetworkReplica::Follows::kTarget));
  }
  const LearnerOptions options{
      .agent = place.agent, .batch_size = place.batch, .outliers = {.deviations = 0}};
  GORILA_ASSIGN_OR_RETURN(workload->learner_,
                          Learner::Make(options, *workload->online_, std::move(target),
                                        *workload->replay_, store, RandomStream(4)));
  return workload;
}

void LearnerWorkload::Step() {
  const Status status = learner_->Step();
  GORILA_CHECK(status.ok(), "{}", status.ToString());
}

double LearnerStepFlops(const NetworkSpec& network, int states, int forward_passes) {
  const NetworkShape shape = MakeNetworkShape(network);
  return states * (forward_passes * shape.forward_flops() + shape.backward_flops());
}

}  // namespace gorila
