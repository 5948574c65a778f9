#include "gorila/network/split/split_plan.h"

#include <algorithm>

namespace gorila {
namespace {

// As equal as whole cache lines allow.
std::vector<std::size_t> Divide(std::size_t units, std::size_t members) {
  std::vector<std::size_t> bounds;
  for (std::size_t m = 0; m < members; ++m) {
    bounds.push_back(units * m / members / kSplitUnits * kSplitUnits);
  }
  bounds.push_back(units);
  return bounds;
}

Status TooNarrow(const NetworkShape& shape, int members) {
  std::size_t widest = 0;
  for (std::size_t i = 0; i + 1 < shape.dense.size(); ++i) {
    widest = std::max(widest, shape.dense[i].outputs);
  }
  return InvalidArgument(
      "learner.members is {}: the widest hidden layer has {} units, and a member takes {} of them "
      "at least; expected at most {}",
      members, widest, kSplitUnits, std::max<std::size_t>(1, widest / kSplitUnits));
}

// Puts a member's pieces one behind the other.
class PieceList {
 public:
  explicit PieceList(Pieces& pieces) : pieces_(pieces) {}

  void Add(std::size_t begin, std::size_t width, std::size_t rows = 1, std::size_t stride = 0) {
    if (width == 0) return;
    pieces_.push_back(
        {.begin = begin + shift_, .width = width, .rows = rows, .stride = stride, .local = local_});
    local_ += width * rows;
  }
  // Of everything that is added from now on, in the flat vector.
  void Shift(std::size_t by) { shift_ = by; }
  void Skip(std::size_t count) { local_ += count; }

 private:
  Pieces& pieces_;
  std::size_t local_ = 0;
  std::size_t shift_ = 0;
};

void AddStage(const SplitStage& stage, int member, PieceList& list) {
  const DenseShape& first = stage.first;
  if (!stage.is_split()) {
    if (member == 0) list.Add(stage.first_weight, first.parameters());
    return;
  }
  const DenseShape& second = *stage.second;
  const std::size_t unit = stage.units[static_cast<std::size_t>(member)];
  const std::size_t units = stage.units_of(member);
  list.Add(stage.first_weight + unit * first.inputs, units * first.inputs);
  list.Add(stage.first_weight + first.inputs * first.outputs + unit, units);
  list.Add(stage.second_weight + unit, units, second.outputs, second.inputs);
  const std::size_t biases = stage.second_weight + second.inputs * second.outputs;
  if (member == 0) {
    list.Add(biases, second.outputs);
  } else {
    list.Skip(second.outputs);
  }
}

}  // namespace

NetworkShape SplitStage::ShapeOf(int member) const {
  NetworkShape shape;
  if (!is_split()) {
    shape.dense = {first};
    return shape;
  }
  const std::size_t units = units_of(member);
  shape.dense = {{.inputs = first.inputs, .outputs = units},
                 {.inputs = units, .outputs = second->outputs}};
  return shape;
}

StatusOr<SplitPlan> MakeSplitPlan(const NetworkSpec& spec, int members) {
  GORILA_CHECK(!spec.game_heads);
  if (members < 1) {
    return InvalidArgument("learner.members is {}; expected at least 1", members);
  }
  const NetworkShape shape = MakeNetworkShape(spec);
  const auto count = static_cast<std::size_t>(members);
  SplitPlan plan{.members = members, .shared = shape.dense_offset(), .rows = shape.rows};
  std::size_t offset = plan.shared;
  bool any = false;
  for (std::size_t i = 0; i < shape.dense.size(); ++i) {
    SplitStage stage{.first = shape.dense[i], .first_weight = offset};
    offset += stage.first.parameters();
    if (i + 1 < shape.dense.size() && stage.first.outputs >= count * kSplitUnits) {
      stage.second = shape.dense[++i];
      stage.second_weight = offset;
      stage.units = Divide(stage.first.outputs, count);
      offset += stage.second->parameters();
      any = true;
    }
    plan.stages.push_back(std::move(stage));
  }
  if (!any && members > 1) return TooNarrow(shape, members);
  if (spec.noise > 0) plan.sigmas = offset;
  return plan;
}

Pieces PiecesOf(const SplitPlan& plan, int member) {
  Pieces pieces;
  PieceList list(pieces);
  if (member == 0) list.Add(0, plan.shared);
  for (const SplitStage& stage : plan.stages) AddStage(stage, member, list);
  if (plan.sigmas > 0) {
    list.Shift(plan.sigmas - plan.shared);
    for (const SplitStage& stage : plan.stages) AddStage(stage, member, list);
  }
  return pieces;
}

std::size_t LocalSize(const SplitPlan& plan, int member) {
  const std::vector<std::size_t> offsets = StageOffsets(plan, member);
  return offsets.back() + (plan.sigmas > 0 ? offsets.back() - offsets.front() : 0);
}

std::vector<std::size_t> StageOffsets(const SplitPlan& plan, int member) {
  std::vector<std::size_t> offsets = {member == 0 ? plan.shared : 0};
  for (const SplitStage& stage : plan.stages) {
    std::size_t size = 0;
    if (member == 0 || stage.is_split()) {
      for (const DenseShape& layer : stage.ShapeOf(member).dense) size += layer.parameters();
    }
    offsets.push_back(offsets.back() + size);
  }
  return offsets;
}

std::vector<float> TakeFactors(const SplitPlan& plan, int member, const FactoredNoise& whole) {
  std::vector<float> taken;
  const auto take = [&taken](std::span<const float> factors) {
    taken.insert(taken.end(), factors.begin(), factors.end());
  };
  std::size_t layer = 0;
  for (const SplitStage& stage : plan.stages) {
    const std::size_t first = layer++;
    const std::size_t second = stage.is_split() ? layer++ : first;
    if (!stage.is_split() && member > 0) continue;
    take(whole.of_inputs(first));
    if (stage.is_split()) {
      const std::size_t unit = stage.units[static_cast<std::size_t>(member)];
      const std::size_t units = stage.units_of(member);
      take(whole.of_outputs(first).subspan(unit, units));
      take(whole.of_inputs(second).subspan(unit, units));
    }
    take(whole.of_outputs(second));
  }
  return taken;
}

double SplitShare(const NetworkSpec& spec, const SplitPlan& plan) {
  const NetworkShape shape = MakeNetworkShape(spec);
  double split = 0;
  for (const SplitStage& stage : plan.stages) {
    if (stage.is_split()) split += stage.first.flops() + stage.second->flops();
  }
  split *= static_cast<double>(plan.rows);
  return split / shape.forward_flops();
}

}  // namespace gorila
