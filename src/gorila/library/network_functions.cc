// The functions of gorila.h about networks.
#include <cmath>
#include <utility>

#include "gorila/library/call.h"
#include "gorila/library/gorila.h"
#include "gorila/library/network_handle.h"
#include "gorila/library/settings.h"

using gorila::ActBy;
using gorila::InvalidArgument;
using gorila::OkStatus;
using gorila::Status;
using gorila::StatusOr;
using gorila::library::Call;

namespace {

Status CheckEpsilon(double epsilon) {
  if (epsilon >= 0 && epsilon <= 1) return OkStatus();
  return InvalidArgument("epsilon is {}; expected 0 to 1", epsilon);
}

Status CheckBatch(const gorila_network* network, const void* observations, std::size_t bytes,
                  std::int32_t batch, const void* output) {
  if (network == nullptr) return InvalidArgument("network is NULL");
  if (batch < 0) return InvalidArgument("batch is {}; expected 0 or more", batch);
  const std::size_t expected = static_cast<std::size_t>(batch) * network->input().stacked_bytes();
  if (bytes != expected) {
    return InvalidArgument("{} bytes of observations; expected {}: {} of {} bytes each", bytes,
                           expected, batch, network->input().stacked_bytes());
  }
  if (batch > 0 && (observations == nullptr || output == nullptr)) {
    return InvalidArgument("observations or the output is NULL");
  }
  return network->CheckGame();
}

// Whether the network is a policy, as the function that was called expects.
Status CheckPolicy(const gorila_network* network, bool expected) {
  if (network == nullptr || network->is_policy() == expected) return OkStatus();
  const std::string& algorithm = network->config().learner.agent.algorithm;
  if (expected) {
    return InvalidArgument(
        "networks of algorithm {} give values of actions, not probabilities; call "
        "gorila_network_q_values",
        algorithm);
  }
  return InvalidArgument(
      "networks of algorithm {} give probabilities of actions, not their values; call "
      "gorila_network_probabilities",
      algorithm);
}

StatusOr<ActBy> ActByOf(const gorila_network* network, std::int32_t how) {
  switch (how) {
    case GORILA_ACT_CONFIGURED:
      return network->act_by();
    case GORILA_ACT_SAMPLE:
      return ActBy::kSample;
    case GORILA_ACT_ARGMAX:
      return ActBy::kArgmax;
    default:
      return InvalidArgument(
          "how is {}; expected one of GORILA_ACT_CONFIGURED, _SAMPLE and _ARGMAX", how);
  }
}

std::span<const std::byte> Bytes(const void* observations, std::size_t bytes) {
  return {static_cast<const std::byte*>(observations), bytes};
}

}  // namespace

extern "C" {

std::int32_t gorila_network_load(const char* path, const char* config, const char* const* settings,
                                 size_t num_settings, gorila_network** network) {
  return Call([&]() -> Status {
    if (path == nullptr || network == nullptr) return InvalidArgument("path or network is NULL");
    GORILA_ASSIGN_OR_RETURN(const auto texts, gorila::library::SettingsOf(settings, num_settings));
    GORILA_ASSIGN_OR_RETURN(auto loaded, gorila_network::Load(path, config, texts));
    *network = loaded.release();
    return OkStatus();
  });
}

void gorila_network_free(gorila_network* network) { delete network; }

std::int32_t gorila_network_spec(const gorila_network* network, gorila_spec* spec) {
  return Call([&]() -> Status {
    if (network == nullptr) return InvalidArgument("network is NULL");
    return gorila::library::FillSpec(network->input(), network->num_actions(), spec);
  });
}

const char* gorila_network_environment(const gorila_network* network) {
  return network->config().environment.name.c_str();
}

const char* gorila_network_algorithm(const gorila_network* network) {
  return network->config().learner.agent.algorithm.c_str();
}

const char* gorila_network_file(const gorila_network* network) { return network->file().c_str(); }

const char* gorila_network_warnings(const gorila_network* network) {
  return network->warnings().c_str();
}

const char* gorila_network_config(const gorila_network* network) {
  return network->config_text().c_str();
}

std::int32_t gorila_network_num_games(const gorila_network* network) {
  return static_cast<std::int32_t>(network->games().size());
}

const char* gorila_network_game(const gorila_network* network, std::int32_t index) {
  const auto& games = network->games();
  if (index < 0 || static_cast<std::size_t>(index) >= games.size()) return nullptr;
  return games[static_cast<std::size_t>(index)].c_str();
}

std::int32_t gorila_network_choose_game(gorila_network* network, const char* game) {
  return Call([&]() -> Status {
    if (network == nullptr || game == nullptr) return InvalidArgument("network or game is NULL");
    return network->ChooseGame(game);
  });
}

const char* gorila_network_action_name(const gorila_network* network, std::int32_t action) {
  const auto& names = network->environment().action_names;
  if (action < 0 || static_cast<std::size_t>(action) >= names.size()) return nullptr;
  return names[static_cast<std::size_t>(action)].c_str();
}

std::int32_t gorila_network_q_values(gorila_network* network, const void* observations,
                                     size_t bytes, std::int32_t batch, float* q) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckPolicy(network, false));
    GORILA_RETURN_IF_ERROR(CheckBatch(network, observations, bytes, batch, q));
    const auto rows = static_cast<std::size_t>(batch);
    network->QValues(Bytes(observations, bytes),
                     {q, rows * static_cast<std::size_t>(network->num_actions())});
    return OkStatus();
  });
}

std::int32_t gorila_network_is_policy(const gorila_network* network) {
  return network->is_policy() ? 1 : 0;
}

std::int32_t gorila_network_probabilities(gorila_network* network, const void* observations,
                                          size_t bytes, std::int32_t batch, float* probabilities,
                                          float* values) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckPolicy(network, true));
    const float* const either = probabilities == nullptr ? values : probabilities;
    GORILA_RETURN_IF_ERROR(CheckBatch(network, observations, bytes, batch, either));
    const auto rows = static_cast<std::size_t>(batch);
    const std::size_t numbers = rows * static_cast<std::size_t>(network->num_actions());
    network->Probabilities(Bytes(observations, bytes),
                           {probabilities, probabilities == nullptr ? 0 : numbers},
                           {values, values == nullptr ? 0 : rows});
    return OkStatus();
  });
}

std::int32_t gorila_network_act(gorila_network* network, const void* observations, size_t bytes,
                                std::int32_t batch, double epsilon, std::uint64_t seed,
                                std::int64_t* actions) {
  return gorila_network_act_by(network, GORILA_ACT_CONFIGURED, observations, bytes, batch, epsilon,
                               seed, actions);
}

std::int32_t gorila_network_act_by(gorila_network* network, std::int32_t how,
                                   const void* observations, size_t bytes, std::int32_t batch,
                                   double epsilon, std::uint64_t seed, std::int64_t* actions) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckBatch(network, observations, bytes, batch, actions));
    GORILA_RETURN_IF_ERROR(CheckEpsilon(epsilon));
    GORILA_ASSIGN_OR_RETURN(const ActBy act_by, ActByOf(network, how));
    network->Act(Bytes(observations, bytes), act_by, epsilon, seed,
                 {actions, static_cast<std::size_t>(batch)});
    return OkStatus();
  });
}

std::int32_t gorila_network_configured_act(const gorila_network* network) {
  return network->act_by() == ActBy::kSample ? GORILA_ACT_SAMPLE : GORILA_ACT_ARGMAX;
}

std::int32_t gorila_network_num_tensors(const gorila_network* network) {
  return static_cast<std::int32_t>(network->layout().tensors.size());
}

std::int32_t gorila_network_tensor(const gorila_network* network, std::int32_t index,
                                   gorila_tensor* tensor) {
  return Call([&]() -> Status {
    if (network == nullptr || tensor == nullptr) return InvalidArgument("an argument is NULL");
    if (tensor->struct_size < sizeof(gorila_tensor)) {
      return InvalidArgument("tensor->struct_size is {}; expected sizeof(gorila_tensor), {}",
                             tensor->struct_size, sizeof(gorila_tensor));
    }
    const auto& tensors = network->layout().tensors;
    if (index < 0 || static_cast<std::size_t>(index) >= tensors.size()) {
      return InvalidArgument("tensor {} of {}", index, tensors.size());
    }
    const gorila::ParameterTensor& found = tensors[static_cast<std::size_t>(index)];
    tensor->rank = static_cast<std::int32_t>(found.shape.size());
    tensor->name = found.name.c_str();
    tensor->shape = found.shape.data();
    tensor->values = network->parameters().data() + found.offset;
    tensor->size = found.size;
    return OkStatus();
  });
}

std::uint64_t gorila_network_evaluation_seed(const gorila_network* network) {
  return gorila::FinalEvaluationSeed(network->config());
}

std::int32_t gorila_network_evaluate(const gorila_network* network, const char* protocol,
                                     std::int32_t episodes, std::uint64_t seed, double epsilon,
                                     std::int32_t (*cancelled)(void* context), void* context,
                                     double* returns, std::int64_t* steps) {
  return Call([&]() -> Status {
    if (network == nullptr || returns == nullptr) {
      return InvalidArgument("network or returns is NULL");
    }
    if (!(epsilon < 0)) GORILA_RETURN_IF_ERROR(CheckEpsilon(epsilon));
    GORILA_RETURN_IF_ERROR(network->CheckGame());
    std::function<bool()> ask;
    if (cancelled != nullptr) ask = [&] { return cancelled(context) != 0; };
    GORILA_ASSIGN_OR_RETURN(const gorila::EvaluationResult result,
                            network->Evaluate(protocol, episodes, seed, epsilon, std::move(ask)));
    std::copy(result.returns.begin(), result.returns.end(), returns);
    if (steps != nullptr) *steps = result.steps;
    return OkStatus();
  });
}

}  // extern "C"
