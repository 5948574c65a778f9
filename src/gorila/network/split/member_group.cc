#include "gorila/network/split/member_group.h"

#include <utility>

namespace gorila {
namespace {

// Whether another member may do better.
bool MemberIsGone(const Status& status) {
  return absl::IsUnavailable(status) || absl::IsFailedPrecondition(status);
}

// Whether the call needs nothing but parameters and noise.
bool CanBeRepeated(MemberCall::Kind kind) {
  return kind == MemberCall::Kind::kPull || kind == MemberCall::Kind::kForward ||
         kind == MemberCall::Kind::kNoise;
}

}  // namespace

bool MemberGroup::Do(absl::FunctionRef<MemberCall(std::size_t)> call,
                     absl::FunctionRef<void()> own) {
  if (!failure_.ok()) {
    own();
    return false;
  }
  std::vector<MemberCall> calls;
  calls.reserve(links_.size());
  for (std::size_t i = 0; i < links_.size(); ++i) {
    links_[i]->Start(calls.emplace_back(call(i)));
  }
  own();
  bool whole = true;
  for (std::size_t i = 0; i < links_.size(); ++i) whole = Settle(i, calls[i]) && whole;
  return whole;
}

// Every call that was started is finished, whatever became of the others.
bool MemberGroup::Settle(std::size_t link, const MemberCall& call) {
  StatusOr<MemberAnswer> answer = links_[link]->Finish();
  if (answer.ok()) {
    answers_[link] = *std::move(answer);
    return true;
  }
  Status status = answer.status();
  while (failure_.ok() && MemberIsGone(status)) {
    status = links_[link]->Recover();
    if (!status.ok()) break;
    if (!CanBeRepeated(call.kind)) {
      lost_ = true;
      return false;
    }
    status = AskAgain(link, call);
    if (status.ok()) return true;
  }
  if (failure_.ok()) failure_ = status;
  return false;
}

// A new member has no parameters yet, and no noise.
Status MemberGroup::AskAgain(std::size_t link, const MemberCall& call) {
  const auto ask = [&](const MemberCall& asked) -> Status {
    links_[link]->Start(asked);
    GORILA_ASSIGN_OR_RETURN(answers_[link], links_[link]->Finish());
    return OkStatus();
  };
  if (call.kind != MemberCall::Kind::kPull) {
    GORILA_RETURN_IF_ERROR(ask({.kind = MemberCall::Kind::kPull, .target = call.target}));
  }
  if (const auto& noise = NoiseOf(call.target);
      call.kind == MemberCall::Kind::kForward && !noise.empty()) {
    GORILA_RETURN_IF_ERROR(
        ask({.kind = MemberCall::Kind::kNoise, .target = call.target, .in = noise[link]}));
  }
  return ask(call);
}

void MemberGroup::SetNoise(bool target, std::vector<std::vector<float>> factors,
                           absl::FunctionRef<void()> own) {
  NoiseOf(target) = std::move(factors);
  const auto call = [&](std::size_t link) {
    return MemberCall{
        .kind = MemberCall::Kind::kNoise, .target = target, .in = NoiseOf(target)[link]};
  };
  Do(call, own);
}

void MemberGroup::BeginGradient() {
  if (std::exchange(lost_, false)) ++lost_gradients_;
  elsewhere_ = {};
  factor_ = 1;
}

// A member that is lost here takes the sum with it, not the present gradient.
bool MemberGroup::DoForSum(absl::FunctionRef<MemberCall(std::size_t)> call) {
  const bool lost = lost_;
  const bool whole = Do(call, [] {});
  lost_ = lost;
  return whole;
}

void MemberGroup::AddUp(int summed, bool last) {
  const auto call = [&](std::size_t) {
    return MemberCall{
        .kind = MemberCall::Kind::kAddUp, .factor = factor_, .summed = summed, .last = last};
  };
  sum_lost_ = std::exchange(lost_, false) || sum_lost_ || !DoForSum(call);
  if (!last) return;
  factor_ = 1;
  lost_ = std::exchange(sum_lost_, false);
  if (lost_) lost_gradients_ += summed;  // and the present one, when the next begins
}

bool MemberGroup::ReadSums(int summed, std::span<std::vector<float>> sums) {
  const auto call = [&](std::size_t link) {
    return MemberCall{.kind = MemberCall::Kind::kSum, .out = sums[link], .summed = summed};
  };
  sum_lost_ = sum_lost_ || !DoForSum(call);
  return !sum_lost_;
}

void MemberGroup::WriteSums(int summed, std::span<const std::vector<float>> sums) {
  const auto call = [&](std::size_t link) {
    return MemberCall{.kind = MemberCall::Kind::kSum, .in = sums[link], .summed = summed};
  };
  sum_lost_ = !DoForSum(call);
}

}  // namespace gorila
