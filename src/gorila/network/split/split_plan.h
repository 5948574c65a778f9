// How the fully connected layers of a network are divided among the members of a group (model
// parallelism: Dean et al. 2012, section 3; Shoeybi et al. 2019, section 3).
#ifndef GORILA_NETWORK_SPLIT_SPLIT_PLAN_H_
#define GORILA_NETWORK_SPLIT_SPLIT_PLAN_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "gorila/network/factored_noise.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/network_spec.h"
#include "gorila/network/split/parameter_pieces.h"

namespace gorila {

// Units of a layer that a member has are a multiple of this (a cache line), but for the last one's.
inline constexpr std::size_t kSplitUnits = 16;

// One layer, which the first member computes alone; or two, of which each member has some units of
// the first: their rows of the first's weights, their biases and their columns of the second's
// weights. What the members make of the second layer adds up to its outputs; its biases are the
// first member's.
struct SplitStage {
  DenseShape first;
  std::optional<DenseShape> second = {};
  std::size_t first_weight = 0;  // where their parameters begin in the flat vector
  std::size_t second_weight = 0;
  std::vector<std::size_t> units = {};  // of two: member m has units[m] .. units[m + 1] - 1

  bool is_split() const { return second.has_value(); }
  std::size_t inputs() const { return first.inputs; }
  std::size_t outputs() const { return is_split() ? second->outputs : first.outputs; }
  std::size_t units_of(int member) const {
    const auto m = static_cast<std::size_t>(member);
    return units[m + 1] - units[m];
  }
  // The layers as `member` computes them.
  NetworkShape ShapeOf(int member) const;
};

// Member 0 leads: it has the convolutions, and every layer that is not split.
struct SplitPlan {
  int members = 1;
  std::size_t shared = 0;               // parameters before the fully connected layers
  std::size_t sigmas = 0;               // where those of noisy layers begin; 0: no layer is noisy
  std::size_t rows = 1;                 // of the fully connected layers for each observation (taus)
  std::vector<SplitStage> stages = {};  // from the features to the outputs
};

// `spec` without game_heads. InvalidArgument when no layer is wide enough, or for a
// number of members below 1; the message begins with learner.members.
StatusOr<SplitPlan> MakeSplitPlan(const NetworkSpec& spec, int members);

// What `member` has of the parameters. Each stage is contiguous in the local vector, laid out as
// that of a network of ShapeOf(member); of members above 0 the second layer's biases have a place
// there, but are not among the pieces. Behind the stages are their sigmas, laid out alike.
Pieces PiecesOf(const SplitPlan& plan, int member);

// Where each stage begins in the member's local vector; the last entry is where they end.
std::vector<std::size_t> StageOffsets(const SplitPlan& plan, int member);

// Of the member's local vector.
std::size_t LocalSize(const SplitPlan& plan, int member);

// The factors of the noise of a member's layers, stage by stage, from those of all.
std::vector<float> TakeFactors(const SplitPlan& plan, int member, const FactoredNoise& whole);

// The share of a forward and a backward pass's multiplications that is divided among the members.
double SplitShare(const NetworkSpec& spec, const SplitPlan& plan);

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_SPLIT_PLAN_H_
