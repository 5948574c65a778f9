#include "gorila/network/split/member_group.h"

#include <utility>

namespace gorila {
namespace {

// Whether another member may do better.
bool MemberIsGone(const Status& status) {
  return absl::IsUnavailable(status) || absl::IsFailedPrecondition(status);
}

// Whether the call needs nothing but parameters.
bool CanBeRepeated(MemberCall::Kind kind) {
  return kind == MemberCall::Kind::kPull || kind == MemberCall::Kind::kForward;
}

}  // namespace

bool MemberGroup::Do(absl::FunctionRef<MemberCall(std::size_t)> call,
                     absl::FunctionRef<void()> own) {
  if (!failure_.ok()) return false;
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

// A new member has no parameters yet.
Status MemberGroup::AskAgain(std::size_t link, const MemberCall& call) {
  if (call.kind != MemberCall::Kind::kPull) {
    links_[link]->Start({.kind = MemberCall::Kind::kPull, .target = call.target});
    GORILA_RETURN_IF_ERROR(links_[link]->Finish().status());
  }
  links_[link]->Start(call);
  GORILA_ASSIGN_OR_RETURN(answers_[link], links_[link]->Finish());
  return OkStatus();
}

void MemberGroup::BeginGradient() {
  if (std::exchange(lost_, false)) ++lost_gradients_;
  elsewhere_ = {};
  factor_ = 1;
}

}  // namespace gorila
