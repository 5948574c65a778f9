#include "gorila/network/split/member_network.h"

#include <algorithm>

#include "gorila/base/finite.h"
#include "gorila/network/gemm/sgemm_dense.h"
#include "gorila/network/single_thread.h"

namespace gorila {

MemberNetwork::MemberNetwork(const SplitPlan& plan, int member, std::size_t max_rows)
    : pieces_(PiecesOf(plan, member)),
      offsets_(StageOffsets(plan, member)),
      local_size_(LocalSize(plan, member)),
      max_rows_(max_rows),
      values_(plan.sigmas > 0 ? offsets_.back() : 0) {
  GORILA_CHECK(member >= 1 && member < plan.members, "member {} of {}", member, plan.members);
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const SplitStage& of_plan = plan.stages[i];
    Stage& stage = stages_.emplace_back();
    if (!of_plan.is_split()) continue;
    stage.inputs = of_plan.inputs();
    stage.outputs = of_plan.outputs();
    stage.dense = MakeSgemmDense(of_plan.ShapeOf(member), max_rows);
    stage.offset = offsets_[i];
    stage.size = offsets_[i + 1] - offsets_[i] - stage.outputs;
    if (plan.sigmas > 0) stage.noise.emplace(of_plan.ShapeOf(member).dense);
  }
}

void MemberNetwork::SetParameters(std::span<const float> local) {
  GORILA_CHECK(local.size() == local_size(), "{} {}", local.size(), local_size());
  has_parameters_ = true;
  has_noise_ = false;
  given_ = local;
  for (Stage& stage : stages_) {
    stage.rows = 0;
    if (stage.dense == nullptr) continue;
    stage.dense->SetParameters(local.subspan(stage.offset, stage.all()));
  }
}

std::size_t MemberNetwork::noise_size() const {
  std::size_t size = 0;
  for (const Stage& stage : stages_) {
    if (stage.noise.has_value()) size += stage.noise->factors().size();
  }
  return size;
}

void MemberNetwork::SetNoise(std::span<const float> factors) {
  GORILA_CHECK(has_parameters_ && factors.size() == noise_size(), "{}", factors.size());
  has_noise_ = true;
  for (Stage& stage : stages_) {
    if (!stage.noise.has_value()) continue;
    const std::size_t count = stage.noise->factors().size();
    stage.noise->SetFactors(factors.first(count));
    factors = factors.subspan(count);
    const auto values = std::span(values_).subspan(stage.offset, stage.all());
    stage.noise->Add(given_.subspan(stage.offset, stage.all()),
                     given_.subspan(SigmasOf(stage), stage.all()), values);
    stage.rows = 0;
    stage.dense->SetParameters(values);
  }
}

void MemberNetwork::Forward(int stage, std::size_t rows, Pass pass, std::span<const float> inputs,
                            std::span<float> outputs) {
  const SingleThreadScope single_thread;
  Stage& at = At(stage);
  GORILA_CHECK(has_parameters_ && at.dense != nullptr && rows >= 1 && rows <= max_rows_);
  if (pass == Pass::kForward) {
    at.rows = rows;
    at.kept = inputs.data();
  }
  at.dense->Forward(inputs.data(), rows, pass, outputs.data());
}

GradientSize MemberNetwork::Backward(int stage, std::span<const float> doutputs,
                                     std::span<float> gradient, std::span<float> dinputs) {
  const SingleThreadScope single_thread;
  Stage& at = At(stage);
  GORILA_CHECK(at.dense != nullptr && at.rows > 0);
  const std::span<float> all = gradient.subspan(at.offset, at.all());
  FiniteCheck check;
  at.dense->Backward(at.kept, at.rows, doutputs.data(), all,
                     dinputs.empty() ? nullptr : dinputs.data(), check);
  GradientSize size{.squares = SumOfSquares(all.first(at.size)),
                    .finite = check.SquaresAreFinite()};
  if (at.noise.has_value()) size += SigmaGradient(at, gradient);
  return size;
}

GradientSize MemberNetwork::SigmaGradient(const Stage& stage, std::span<float> gradient) const {
  const std::span<float> sigmas = gradient.subspan(SigmasOf(stage), stage.all());
  if (has_noise_) {
    stage.noise->SigmaGradient(gradient.subspan(stage.offset, stage.all()), sigmas);
  } else {
    std::fill(sigmas.begin(), sigmas.end(), 0.0F);
  }
  const std::span<const float> own = sigmas.first(stage.size);
  return {.squares = SumOfSquares(own), .finite = SquaresAreFinite(own)};
}

}  // namespace gorila
