// A trained network as gorila.h hands it out.
#ifndef GORILA_LIBRARY_NETWORK_HANDLE_H_
#define GORILA_LIBRARY_NETWORK_HANDLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gorila/agent/policy.h"
#include "gorila/base/random.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/evaluation/playing_agent.h"
#include "gorila/launch/trained_network.h"
#include "gorila/library/gorila.h"
#include "gorila/network/parameter_layout.h"

// Used by one thread at a time. Sizes are checked by the functions of gorila.h.
struct gorila_network {
 public:
  // As gorila_network_load.
  static gorila::StatusOr<std::unique_ptr<gorila_network>> Load(
      const char* path, const char* config, std::span<const char* const> settings);

  // Of several games that of the chosen one, once there is one.
  const gorila::Config& config() const { return trained_.config; }
  const std::vector<std::string>& games() const { return games_; }
  gorila::Status ChooseGame(const char* game);
  // InvalidArgument where there are several games and none was chosen.
  gorila::Status CheckGame() const;
  const gorila::EnvironmentSpec& environment() const { return environment_; }
  const gorila::ObservationSpec& input() const { return agent_.network->spec().input; }
  int num_actions() const { return agent_.network->spec().num_actions; }
  const gorila::ParameterLayout& layout() const { return agent_.network->layout(); }
  std::span<const float> parameters() const { return trained_.parameters; }
  const std::string& file() const { return file_; }
  const std::string& warnings() const { return warnings_; }
  const std::string& config_text() const { return config_text_; }

  bool is_policy() const { return agent_.is_policy; }
  gorila::ActBy act_by() const { return agent_.act_by; }

  // Not of a policy.
  void QValues(std::span<const std::byte> observations, std::span<float> q);
  // Of a policy. Either output may be empty.
  void Probabilities(std::span<const std::byte> observations, std::span<float> probabilities,
                     std::span<float> values);
  void Act(std::span<const std::byte> observations, gorila::ActBy act_by, double epsilon,
           std::uint64_t seed, std::span<std::int64_t> actions);
  gorila::StatusOr<gorila::EvaluationResult> Evaluate(const char* protocol, int episodes,
                                                      std::uint64_t seed, double epsilon,
                                                      std::function<bool()> cancelled) const;

 private:
  gorila_network() = default;
  // Of so many observations, the first of which is the call's `first`.
  void Choose(std::span<const std::byte> observations, std::size_t count, std::size_t first,
              gorila::ActBy act_by, double epsilon, std::uint64_t seed);

  gorila::TrainedNetwork trained_;
  gorila::Config run_;              // trained_.config before a game was chosen
  std::vector<std::string> games_;  // of the run
  gorila::EnvironmentSpec environment_;
  gorila::PlayingAgent agent_;
  std::unique_ptr<gorila::Policy> other_way_;  // of a policy: what agent_.act_by is not
  std::string file_;
  std::string warnings_;
  std::string config_text_;
  std::vector<gorila::RandomStream> streams_;
  std::vector<gorila::ActingEnvironment> acting_;
  gorila::ActOutput chosen_;
  std::vector<std::int32_t> games_of_batch_;
  std::vector<float> outputs_;
  std::vector<float> of_state_;
};

#endif  // GORILA_LIBRARY_NETWORK_HANDLE_H_
