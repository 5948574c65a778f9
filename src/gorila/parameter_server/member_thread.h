// A member of a group as a thread of its leader's process.
#ifndef GORILA_PARAMETER_SERVER_MEMBER_THREAD_H_
#define GORILA_PARAMETER_SERVER_MEMBER_THREAD_H_

#include <atomic>
#include <memory>
#include <optional>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"
#include "gorila/parameter_server/member.h"

namespace gorila {

// Exchanges through memory: nothing is copied. Called by one thread, the leader's.
class MemberThread final : public MemberLink {
 public:
  // ResourceExhausted when no thread can be started.
  static StatusOr<std::unique_ptr<MemberThread>> Make(std::unique_ptr<Member> member);
  ~MemberThread() override;
  MemberThread(const MemberThread&) = delete;
  MemberThread& operator=(const MemberThread&) = delete;

  void Start(const MemberCall& call) override GORILA_EXCLUDES(mutex_);
  StatusOr<MemberAnswer> Finish() override GORILA_EXCLUDES(mutex_);
  // Not needed: it lives as long as its leader.
  Status Recover() override { return OkStatus(); }

 private:
  enum class State { kIdle, kAsked, kAnswered, kEnding };

  explicit MemberThread(std::unique_ptr<Member> member) : member_(std::move(member)) {}
  void Loop() GORILA_EXCLUDES(mutex_);
  State WaitWhile(State state) GORILA_EXCLUDES(mutex_);
  void Become(State state) GORILA_EXCLUDES(mutex_);

  const std::unique_ptr<Member> member_;
  Mutex mutex_;
  CondVar changed_;
  // Written under the lock; read without it by who spins before it sleeps. Whoever sees kAsked or
  // kAnswered owns the two below.
  std::atomic<State> state_{State::kIdle};
  MemberCall call_;
  StatusOr<MemberAnswer> answer_ = MemberAnswer{};
  Thread thread_;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_MEMBER_THREAD_H_
