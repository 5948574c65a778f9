// What actors play and networks compute in a simulation: an environment whose frames say which step
// they are of, and a network that takes virtual time and whose gradients lower the sum of each
// shard's slice by 1. All else of an agent is the real thing.
#ifndef GORILA_SIMULATION_AGENTS_H_
#define GORILA_SIMULATION_AGENTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/partition.h"

namespace gorila::simulation {

// What their owner sees of them; of the scheduler's thread.
struct AgentWatch {
  std::function<std::uint64_t()> life;      // a number of the process that runs, not 0
  std::function<double()> compute_seconds;  // that its next gradient takes
  std::function<void()> stepped;            // an environment of it, before anybody is told
  std::function<void()> computed;           // a gradient
  std::function<void(std::string what)> violated;
};

// Of an actor, or the actor of a bundle.
inline constexpr int kActorEnvironments = 2;

// While it lives, and in its thread only, there are an environment and a backend of this name.
inline constexpr char kSimulated[] = "simulated";

class Agents {
 public:
  explicit Agents(AgentWatch watch);
  ~Agents() { LeaveThread(); }
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;

  // As the destructor does.
  void LeaveThread();
  // How the shards divide the parameters; before a gradient is computed.
  void UsePartition(std::vector<Slice> partition) { partition_ = std::move(partition); }

  const AgentWatch& watch() const { return watch_; }
  const std::vector<Slice>& partition() const { return partition_; }

 private:
  const AgentWatch watch_;
  std::vector<Slice> partition_;
};

// The frames' shape.
const ObservationSpec& SimulatedObservation();

// What a frame says.
struct FrameMark {
  std::uint64_t life = 0;  // 0: the frame is blank, of before its episode
  std::uint32_t environment = 0, episode = 0, step = 0;

  bool operator==(const FrameMark&) const = default;
};

// The mark of a stack's newest frame; why it is none, or frames of it are not consecutive steps.
StatusOr<FrameMark> MarkOfStack(std::span<const std::byte> stack);

// The steps from one state to a later one of the same episode; an error where it is another's.
StatusOr<int> StepsBetween(std::span<const std::byte> state, std::span<const std::byte> later);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_AGENTS_H_
