#include "gorila/parameter_server/member.h"

#include <algorithm>
#include <utility>

namespace gorila {
namespace {

int SplitStages(const SplitPlan& plan) {
  return static_cast<int>(std::count_if(plan.stages.begin(), plan.stages.end(),
                                        [](const SplitStage& s) { return s.is_split(); }));
}

Status Lacks(int member, std::string_view what) {
  return absl::FailedPreconditionError(
      fmt::format("member {} has no {}: it is newer than what its leader knows", member, what));
}

}  // namespace

Member::Member(const SplitPlan& plan, int index, std::size_t max_rows, PieceStore& store)
    : plan_(plan),
      index_(index),
      store_(store),
      replicas_{Replica(plan, index, max_rows, store.num_shards()),
                Replica(plan, index, max_rows, store.num_shards())},
      gradient_(replicas_[0].network.local_size()) {}

StatusOr<MemberAnswer> Member::Do(const MemberCall& call) {
  switch (call.kind) {
    case MemberCall::Kind::kPull:
      return Pull(call.target);
    case MemberCall::Kind::kForward:
      return Forward(call);
    case MemberCall::Kind::kBackward:
      return Backward(call);
    case MemberCall::Kind::kNoise:
      return SetNoise(call);
    case MemberCall::Kind::kAddUp:
      return AddUp(call);
    case MemberCall::Kind::kSum:
      return Sum(call);
    case MemberCall::Kind::kStage:
      break;
  }
  return Stage(call);
}

bool Member::HasGradient() const { return parts_ >= SplitStages(plan_); }

StatusOr<MemberAnswer> Member::Stage(const MemberCall& call) {
  if (!HasGradient()) return Lacks(index_, "gradient");
  const GradientPart part{
      .client = call.client, .sequence = call.sequence, .member = index_, .members = plan_.members};
  GORILA_RETURN_IF_ERROR(store_.Stage(part, Of(false).network.pieces(), gradient_, call.factor));
  return MemberAnswer{};
}

StatusOr<MemberAnswer> Member::SetNoise(const MemberCall& call) {
  MemberNetwork& network = Of(call.target).network;
  if (call.in.size() != network.noise_size()) {
    return InvalidArgument("noise of {} numbers; member {} expects {}", call.in.size(), index_,
                           network.noise_size());
  }
  if (!network.has_parameters()) return Lacks(index_, "parameters");
  network.SetNoise(call.in);
  return MemberAnswer{};
}

StatusOr<MemberAnswer> Member::AddUp(const MemberCall& call) {
  if (!HasGradient()) return Lacks(index_, "gradient");
  if (call.summed != 0 && call.summed != summed_) return Lacks(index_, "sum");
  if (call.summed == 0) sum_.assign(gradient_.size(), 0.0F);
  for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += call.factor * gradient_[i];
  summed_ = call.last ? 0 : call.summed + 1;
  if (call.last) std::swap(sum_, gradient_);
  return MemberAnswer{};
}

StatusOr<MemberAnswer> Member::Sum(const MemberCall& call) {
  const std::size_t size = gradient_.size();
  if (call.summed < 1 || (call.in.size() == size) == (call.out.size() == size)) {
    return InvalidArgument(
        "a sum of {} gradients, {} numbers given and {} wanted; expected 1 or more and {} one way",
        call.summed, call.in.size(), call.out.size(), size);
  }
  if (!call.in.empty()) {
    sum_.assign(call.in.begin(), call.in.end());
    summed_ = call.summed;
    return MemberAnswer{};
  }
  if (call.summed != summed_) return Lacks(index_, "sum");
  std::copy(sum_.begin(), sum_.end(), call.out.begin());
  return MemberAnswer{};
}

StatusOr<MemberAnswer> Member::Pull(bool target) {
  Replica& replica = Of(target);
  GORILA_ASSIGN_OR_RETURN(
      const bool changed,
      store_.PullPieces(replica.network.pieces(), replica.values, replica.versions, target));
  if (changed) replica.network.SetParameters(replica.values);
  return MemberAnswer{.versions = replica.versions, .changed = changed};
}

Status Member::CheckCall(const MemberCall& call) const {
  const MemberNetwork& network = replicas_[0].network;
  const bool stage = call.stage >= 0 && call.stage < network.stages() && network.Has(call.stage);
  if (!stage) return InvalidArgument("stage is {}; member {} has none such", call.stage, index_);
  if (call.rows < 1 || call.rows > network.max_rows()) {
    return InvalidArgument("{} rows; expected 1..{}", call.rows, network.max_rows());
  }
  const bool forward = call.kind == MemberCall::Kind::kForward;
  const std::size_t inputs = call.rows * network.inputs(call.stage);
  const std::size_t outputs = call.rows * network.outputs(call.stage);
  const std::size_t in = forward ? inputs : outputs;
  const std::size_t out = forward ? outputs : inputs;
  const bool no_out = !forward && call.out.empty();
  if (call.in.size() == in && (no_out || call.out.size() == out)) return OkStatus();
  return InvalidArgument(
      "stage {} with {} rows was given {} and wants {} floats; expected {} and {}", call.stage,
      call.rows, call.in.size(), call.out.size(), in, out);
}

StatusOr<MemberAnswer> Member::Forward(const MemberCall& call) {
  GORILA_RETURN_IF_ERROR(CheckCall(call));
  MemberNetwork& network = Of(call.target).network;
  if (!network.has_parameters()) return Lacks(index_, "parameters");
  if (call.pass == Pass::kForward) parts_ = 0;
  network.Forward(call.stage, call.rows, call.pass, call.in, call.out);
  return MemberAnswer{};
}

StatusOr<MemberAnswer> Member::Backward(const MemberCall& call) {
  GORILA_RETURN_IF_ERROR(CheckCall(call));
  MemberNetwork& network = Of(false).network;
  if (!network.CanGoBack(call.stage, call.rows)) return Lacks(index_, "activations");
  MemberAnswer answer;
  answer.size = network.Backward(call.stage, call.in, gradient_, call.out);
  ++parts_;
  return answer;
}

}  // namespace gorila
