#include "gorila/network/split/split_dense.h"

#include <algorithm>
#include <array>
#include <vector>

#include "gorila/network/elementwise.h"
#include "gorila/network/float_buffer.h"
#include "gorila/network/gemm/sgemm_dense.h"

namespace gorila {
namespace {

struct Stage {
  std::unique_ptr<DenseStack> dense;  // the leader's part, or all of it
  bool split;
  std::size_t inputs;
  std::size_t outputs;
  std::size_t offset;  // in the local vector
  std::size_t size;
};

std::vector<Stage> MakeStages(const SplitPlan& plan, std::size_t max_rows) {
  const std::vector<std::size_t> offsets = StageOffsets(plan, 0);
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const SplitStage& stage = plan.stages[i];
    stages.push_back({.dense = MakeSgemmDense(stage.ShapeOf(0), max_rows),
                      .split = stage.is_split(),
                      .inputs = stage.inputs(),
                      .outputs = stage.outputs(),
                      .offset = offsets[i],
                      .size = offsets[i + 1] - offsets[i]});
  }
  return stages;
}

void Relu(std::span<float> values) {
  for (float& value : values) value = std::max(value, 0.0F);
}

class SplitDense final : public DenseStack {
 public:
  SplitDense(const SplitPlan& plan, std::size_t max_rows, bool target, MemberGroup& group)
      : max_rows_(max_rows), target_(target), group_(group), stages_(MakeStages(plan, max_rows)) {
    std::size_t widest = 0;
    for (const Stage& stage : stages_) {
      if (stage.split) widest = std::max({widest, stage.inputs, stage.outputs});
    }
    for (int m = 1; m < group.members(); ++m) summands_.emplace_back(max_rows * widest);
  }

  void SetParameters(std::span<const float> values) override {
    for (Stage& stage : stages_) {
      stage.dense->SetParameters(values.subspan(stage.offset, stage.size));
    }
  }

  void Forward(const float* features, std::size_t batch, Pass pass, float* q) override {
    std::vector<FloatBuffer>& activations = activations_[static_cast<std::size_t>(pass)];
    if (activations.empty()) activations = MakeActivations();
    const float* in = features;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const bool last = i + 1 == stages_.size();
      float* const out = last ? q : activations[i].data();
      ForwardStage(i, in, batch, pass, out);
      if (!last) Relu({out, batch * stages_[i].outputs});
      in = out;
    }
  }

  void Backward(const float* features, std::size_t batch, const float* dq,
                std::span<float> gradient, float* dfeatures, FiniteCheck& check) override {
    group_.BeginGradient();
    const auto& activations = activations_[static_cast<std::size_t>(Pass::kForward)];
    if (derivatives_.empty()) derivatives_ = MakeActivations();
    const float* dout = dq;
    for (std::size_t i = stages_.size(); i-- > 0;) {
      const float* const in = i > 0 ? activations[i - 1].data() : features;
      float* const din = i > 0 ? derivatives_[i - 1].data() : dfeatures;
      BackwardStage(i, in, batch, dout, gradient, din, check);
      if (i > 0) MaskByRelu(in, batch * stages_[i].inputs, din);
      dout = din;
    }
  }

  GradientSize elsewhere() const override { return group_.elsewhere(); }
  void ScaleElsewhere(float factor) override { group_.Scale(factor); }

 private:
  std::vector<FloatBuffer> MakeActivations() const {
    std::vector<FloatBuffer> activations;
    for (std::size_t i = 0; i + 1 < stages_.size(); ++i) {
      activations.emplace_back(max_rows_ * stages_[i].outputs);
    }
    return activations;
  }

  void ForwardStage(std::size_t i, const float* in, std::size_t batch, Pass pass, float* out) {
    Stage& stage = stages_[i];
    const auto own = [&] { stage.dense->Forward(in, batch, pass, out); };
    if (!stage.split) return own();
    const std::size_t size = batch * stage.outputs;
    const auto call = [&](std::size_t member) {
      return MemberCall{.kind = MemberCall::Kind::kForward,
                        .target = target_,
                        .stage = static_cast<int>(i),
                        .rows = batch,
                        .pass = pass,
                        .in = {in, batch * stage.inputs},
                        .out = {summands_[member].data(), size}};
    };
    AddSummands(group_.Do(call, own), {out, size});
  }

  void BackwardStage(std::size_t i, const float* in, std::size_t batch, const float* dout,
                     std::span<float> gradient, float* din, FiniteCheck& check) {
    Stage& stage = stages_[i];
    const auto own = [&] {
      stage.dense->Backward(in, batch, dout, gradient.subspan(stage.offset, stage.size), din,
                            check);
    };
    if (!stage.split) return own();
    const std::size_t size = din == nullptr ? 0 : batch * stage.inputs;
    const auto call = [&](std::size_t member) {
      return MemberCall{.kind = MemberCall::Kind::kBackward,
                        .stage = static_cast<int>(i),
                        .rows = batch,
                        .in = {dout, batch * stage.outputs},
                        .out = {summands_[member].data(), size}};
    };
    const bool whole = group_.Do(call, own);
    if (whole) {
      for (const MemberAnswer& answer : group_.answers()) group_.AddSize(answer.size);
    }
    AddSummands(whole, {din, size});
  }

  // In the members' order, so that the same inputs give the same bits.
  void AddSummands(bool whole, std::span<float> sum) const {
    if (!whole) return std::fill(sum.begin(), sum.end(), 0.0F);
    for (const FloatBuffer& summand : summands_) {
      const float* const values = summand.data();
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
    }
  }

  const std::size_t max_rows_;
  const bool target_;
  MemberGroup& group_;
  std::vector<Stage> stages_;
  std::vector<FloatBuffer> summands_;                    // of each other member
  std::array<std::vector<FloatBuffer>, 2> activations_;  // by Pass; empty until used
  std::vector<FloatBuffer> derivatives_;
};

}  // namespace

std::unique_ptr<DenseStack> MakeSplitDense(const SplitPlan& plan, std::size_t max_rows, bool target,
                                           MemberGroup& group) {
  return std::make_unique<SplitDense>(plan, max_rows, target, group);
}

}  // namespace gorila
