// The group of members that compute one network together, as its leader sees it.
#ifndef GORILA_NETWORK_SPLIT_MEMBER_GROUP_H_
#define GORILA_NETWORK_SPLIT_MEMBER_GROUP_H_

#include <absl/functional/function_ref.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/network/convolution_stack.h"
#include "gorila/network/gradient_size.h"

namespace gorila {

// What a leader asks of another member. Spans are borrowed until it has answered.
struct MemberCall {
  enum class Kind {
    kPull,      // newer parameters from the parameter server
    kForward,   // its summand of a stage's outputs
    kBackward,  // its part of the gradient, its summand of the derivative of a stage's inputs
    kNoise,     // computes with these factors of noise from now on
    kAddUp,     // adds its part of the gradient to those before it
    kSum,       // gives what it has added up, or takes it
    kStage,     // its part of the gradient to the parameter server, for the leader to commit
  };
  Kind kind = Kind::kPull;
  bool target = false;  // kPull, kForward, kNoise: theta- in place of theta
  int stage = 0;
  std::size_t rows = 0;
  Pass pass = Pass::kPredict;
  // kForward: rows x inputs; kBackward: rows x outputs; kNoise: TakeFactors; kSum: its local
  // vector, or empty.
  std::span<const float> in = {};
  // kForward: rows x outputs; kBackward: rows x inputs, or empty; kSum: its local vector, or empty.
  std::span<float> out = {};
  // kStage: the gradient's number among those of the group.
  std::uint64_t client = 0;
  std::int64_t sequence = 0;
  float factor = 1;   // kStage, kAddUp: of the gradient
  int summed = 0;     // kAddUp, kSum: gradients that were added up before
  bool last = false;  // kAddUp: the sum takes the gradient's place
};

struct MemberAnswer {
  std::vector<std::int64_t> versions = {};  // kPull: of each shard, as ShardVersions
  bool changed = false;                     // kPull: whether anything was newer
  GradientSize size = {};                   // kBackward: of the stage's part of the gradient
};

// The way to one member. One call at a time: Start, then Finish.
class MemberLink {
 public:
  virtual ~MemberLink() = default;
  virtual void Start(const MemberCall& call) = 0;
  // Blocks until the member has answered. Unavailable or FailedPrecondition when the member was
  // replaced by one that lacks what the call needs; other errors are final.
  virtual StatusOr<MemberAnswer> Finish() = 0;
  // Blocks until a member can be called again, which may be a new one. Its error is final.
  virtual Status Recover() = 0;
};

// Used by one thread. A member that fails is waited for, given the parameters again, and asked
// again where the call needs nothing that the former one knew; otherwise the present gradient is
// lost, and the next one is whole again.
class MemberGroup {
 public:
  explicit MemberGroup(std::vector<std::unique_ptr<MemberLink>> links)
      : links_(std::move(links)), answers_(links_.size()) {}

  int members() const { return 1 + static_cast<int>(links_.size()); }

  // Has every other member do `call(its number - 1)` while `own` runs in this thread. False when
  // an answer is missing.
  bool Do(absl::FunctionRef<MemberCall(std::size_t)> call, absl::FunctionRef<void()> own);
  // Of the last Do.
  std::span<const MemberAnswer> answers() const { return answers_; }

  // Whether a part of the present gradient is missing; until the next one begins.
  bool lost() const { return lost_; }
  // Thread-safe.
  std::int64_t lost_gradients() const { return lost_gradients_.load(std::memory_order_relaxed); }
  // What the group has of the present gradient beside the leader's part.
  GradientSize elsewhere() const { return elsewhere_; }
  float factor() const { return factor_; }
  void Scale(float factor) { factor_ *= factor; }

  // As FactoredNoise::SetFactors of the other members' layers, while `own` runs.
  void SetNoise(bool target, std::vector<std::vector<float>> factors,
                absl::FunctionRef<void()> own);

  void BeginGradient();
  // Adds the present gradient, times factor(), to the sum of the `summed` ones before it; with
  // `last` the sum becomes the present gradient. Whoever loses its part of one loses the sum.
  void AddUp(int summed, bool last);
  // What the other members have added up: to `sums`, or from it. False when it is lost.
  bool ReadSums(int summed, std::span<std::vector<float>> sums);
  void WriteSums(int summed, std::span<const std::vector<float>> sums);
  void AddSize(const GradientSize& size) { elsewhere_ += size; }

  // Why the group cannot continue, for good; OK while it can.
  const Status& failure() const { return failure_; }

 private:
  bool DoForSum(absl::FunctionRef<MemberCall(std::size_t)> call);
  bool Settle(std::size_t link, const MemberCall& call);
  Status AskAgain(std::size_t link, const MemberCall& call);
  std::vector<std::vector<float>>& NoiseOf(bool target) { return noise_[target ? 1 : 0]; }

  const std::vector<std::unique_ptr<MemberLink>> links_;
  std::vector<MemberAnswer> answers_;
  GradientSize elsewhere_;
  std::array<std::vector<std::vector<float>>, 2> noise_;  // of theta, theta-; by link, or empty
  float factor_ = 1;
  bool lost_ = false;
  bool sum_lost_ = false;
  std::atomic<std::int64_t> lost_gradients_{0};
  Status failure_;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_MEMBER_GROUP_H_
