// The optimizers a parameter shard can apply to its slice.
#ifndef GORILA_PARAMETER_SERVER_OPTIMIZER_H_
#define GORILA_PARAMETER_SERVER_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

struct OptimizerOptions {
  std::string name = "adam";  // a row of OptimizerTable()
  double learning_rate = 5e-4;
  double learning_rate_end = -1;   // reached linearly after decay_updates; < 0 = constant
  std::int64_t decay_updates = 0;  // 0 = constant here; the runtime puts the run's length in
  double epsilon = 1e-8;           // added where the optimizer divides (each says where)
  double decay = 0.95;             // RMSProp: of its moving averages
  double momentum = 0.95;          // RMSProp with momentum
  double beta1 = 0.9;              // Adam
  double beta2 = 0.999;            // Adam
  double initial_accumulator = 0;  // AdaGrad: squared gradients before the first

  bool operator==(const OptimizerOptions&) const = default;
};

// The learning rate for the update that makes version `version` (1, 2, ...).
double LearningRate(const OptimizerOptions& options, std::int64_t version);

// Applies gradients to one slice of the parameters. Not thread-safe: the shard's lock guards it.
class Optimizer {
 public:
  // One vector of state with an element for each parameter ("sum_of_squares", ...).
  struct Slot {
    std::string_view name;
    std::vector<float> values;
  };

  virtual ~Optimizer() = default;

  // values[i] changes by the rule, with `learning_rate`; `update` counts the updates of this slice
  // from 1. `values` and `gradient` have the size the optimizer was made with.
  virtual void Apply(std::span<float> values, std::span<const float> gradient, float learning_rate,
                     std::int64_t update) = 0;

  std::span<Slot> slots() { return slots_; }
  std::span<const Slot> slots() const { return slots_; }

 protected:
  std::vector<Slot> slots_;
};

struct OptimizerRow {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Optimizer> (*make)(const OptimizerOptions& options, std::size_t size);
};
std::span<const OptimizerRow> OptimizerTable();

// InvalidArgument for an unknown name.
StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const OptimizerOptions& options,
                                                   std::size_t size);

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_OPTIMIZER_H_
