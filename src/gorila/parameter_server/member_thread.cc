#include "gorila/parameter_server/member_thread.h"

#include <utility>

#include "gorila/base/denormals.h"

namespace gorila {
namespace {

// Some 20 us: an exchange of the small networks takes about as long, and a sleeping thread takes
// twice that to wake.
constexpr int kSpins = 2000;

}  // namespace

StatusOr<std::unique_ptr<MemberThread>> MemberThread::Make(std::unique_ptr<Member> member) {
  std::unique_ptr<MemberThread> made(new MemberThread(std::move(member)));
  GORILA_ASSIGN_OR_RETURN(made->thread_,
                          StartThread("member", [thread = made.get()] { thread->Loop(); }));
  return made;
}

MemberThread::~MemberThread() {
  if (!thread_.joinable()) return;
  Become(State::kEnding);
  thread_.join();
}

void MemberThread::Become(State state) {
  const MutexLock lock(mutex_);
  state_.store(state, std::memory_order_release);
  changed_.NotifyAll();
}

MemberThread::State MemberThread::WaitWhile(State state) {
  if (simulated_runtime == nullptr) {
    for (int i = 0; i < kSpins; ++i) {
      const State now = state_.load(std::memory_order_acquire);
      if (now != state) return now;
    }
  }
  const MutexLock lock(mutex_);
  while (state_.load(std::memory_order_acquire) == state) changed_.Wait(mutex_);
  return state_.load(std::memory_order_acquire);
}

void MemberThread::Start(const MemberCall& call) {
  GORILA_CHECK(state_.load() == State::kIdle, "a member has one call at a time");
  call_ = call;
  Become(State::kAsked);
}

StatusOr<MemberAnswer> MemberThread::Finish() {
  WaitWhile(State::kAsked);
  StatusOr<MemberAnswer> answer = std::move(answer_);
  Become(State::kIdle);
  return answer;
}

void MemberThread::Loop() {
  FlushDenormalsInThisThread();
  State state = State::kIdle;
  for (;;) {
    state = WaitWhile(state);
    if (state == State::kEnding) return;
    if (state != State::kAsked) continue;
    answer_ = member_->Do(call_);
    Become(State::kAnswered);
    state = State::kAnswered;
  }
}

}  // namespace gorila
