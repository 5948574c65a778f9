#include "gorila/network/split/split_network.h"

#include <algorithm>
#include <utility>

#include "gorila/network/game_heads.h"
#include "gorila/network/gemm/gemm_network.h"
#include "gorila/network/gemm/im2col_convolutions.h"
#include "gorila/network/gemm/sgemm.h"
#include "gorila/network/layered_network.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/noisy_network.h"
#include "gorila/network/onednn/onednn_network.h"
#include "gorila/network/split/split_dense.h"

namespace gorila {
namespace {

// Every piece is a tensor, called as the one that it is a part of.
ParameterLayout LeaderLayout(const NetworkSpec& spec, const SplitPlan& plan) {
  const ParameterLayout whole = MakeParameterLayout(spec);
  ParameterLayout layout;
  for (const Piece& piece : PiecesOf(plan, 0)) {
    const auto tensor = std::find_if(whole.tensors.begin(), whole.tensors.end(),
                                     [&](const ParameterTensor& candidate) {
                                       return piece.begin < candidate.offset + candidate.size;
                                     });
    layout.tensors.push_back(
        {.name = tensor->name,
         .shape = {static_cast<int>(piece.rows), static_cast<int>(piece.width)},
         .offset = layout.size,
         .size = piece.size(),
         .fan_in = tensor->fan_in});
    layout.size += piece.size();
  }
  return layout;
}

StatusOr<std::unique_ptr<ConvolutionStack>> MakeConvolutions(std::string_view backend,
                                                             const NetworkSpec& spec,
                                                             std::size_t batch) {
  const NetworkShape shape = MakeNetworkShape(spec);
  if (shape.convolutions.empty()) return std::unique_ptr<ConvolutionStack>();
  const bool blocked = backend == "onednn" || (backend == "auto" && !shape.IsSmall());
  if (blocked) return MakeOneDnnConvolutions(spec, batch);
  return MakeIm2ColConvolutions(spec.input, shape.convolutions, batch);
}

StatusOr<std::unique_ptr<QNetwork>> MakeMeans(std::string_view backend, NetworkSpec spec,
                                              int max_batch, SplitPlan plan, bool target,
                                              MemberGroup& group) {
  spec.noise = 0;
  plan.sigmas = 0;
  const auto batch = static_cast<std::size_t>(max_batch);
  GORILA_ASSIGN_OR_RETURN(auto convolutions, MakeConvolutions(backend, spec, batch));
  return MakeLayeredNetwork(spec, max_batch, std::move(convolutions),
                            MakeSplitDense(plan, batch * plan.rows, target, group),
                            LeaderLayout(spec, plan));
}

std::vector<DenseShape> LeaderShapes(const SplitPlan& plan) {
  std::vector<DenseShape> shapes;
  for (const SplitStage& stage : plan.stages) {
    for (const DenseShape& layer : stage.ShapeOf(0).dense) shapes.push_back(layer);
  }
  return shapes;
}

// The leader draws for all, as a network of one member does.
std::unique_ptr<QNetwork> AddNoise(const NetworkSpec& spec, std::unique_ptr<QNetwork> means,
                                   const SplitPlan& plan, bool target, MemberGroup& group) {
  const auto draw = [plan, target, &group, whole = FactoredNoise(MakeNetworkShape(spec).dense)](
                        RandomStream& random, FactoredNoise& own) mutable {
    whole.Draw(random);
    std::vector<std::vector<float>> others;
    for (int m = 1; m < plan.members; ++m) others.push_back(TakeFactors(plan, m, whole));
    group.SetNoise(target, std::move(others), [&] { own.SetFactors(TakeFactors(plan, 0, whole)); });
  };
  return MakeNoisyNetwork(spec, LeaderLayout(spec, plan), FactoredNoise(LeaderShapes(plan)),
                          std::move(means), draw);
}

}  // namespace

StatusOr<SplitPlan> PlanSplitNetwork(const NetworkSpec& spec, int members) {
  return MakeSplitPlan(spec.game_heads ? WithHeadsOfAllGames(spec) : spec, members);
}

Status CheckSplitBackend(std::string_view backend, std::string_view device, int members) {
  const bool computes = backend == "auto" || backend == "gemm" || backend == "onednn";
  if (computes && device == "cpu") return OkStatus();
  return InvalidArgument(
      "learner.members is {} with network.backend {} and network.device {}; expected 1, or a "
      "backend auto, gemm or onednn on the cpu",
      members, backend, device);
}

StatusOr<std::unique_ptr<QNetwork>> MakeSplitNetwork(std::string_view backend,
                                                     const NetworkSpec& spec, int max_batch,
                                                     const SplitPlan& plan, bool target,
                                                     MemberGroup& group) {
  GORILA_RETURN_IF_ERROR(CheckNetworkSpec(spec));
  GORILA_RETURN_IF_ERROR(CheckSplitBackend(backend, "cpu", plan.members));
  GORILA_RETURN_IF_ERROR(PrepareSgemm());
  GORILA_CHECK(group.members() == plan.members && max_batch >= 1);
  const NetworkSpec layers = spec.game_heads ? WithHeadsOfAllGames(spec) : spec;
  GORILA_ASSIGN_OR_RETURN(auto network, MakeMeans(backend, layers, max_batch, plan, target, group));
  if (layers.noise > 0) network = AddNoise(layers, std::move(network), plan, target, group);
  if (!spec.game_heads) return network;
  return MakeGameHeads(spec, std::move(network));
}

}  // namespace gorila
