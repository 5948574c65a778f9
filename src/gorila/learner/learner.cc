#include "gorila/learner/learner.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/parameter_server/shard.h"

namespace gorila {
namespace {

// Every so many gradients the norm is taken: a pass over the vector, a hundredth of a step's work.
constexpr std::int64_t kNormPeriod = 16;

// Eight sums side by side, which vectorise where a single one in order may not.
double EuclideanNorm(std::span<const float> values) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= values.size(); i += sums.size()) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += values[i + j] * values[i + j];
  }
  double sum = 0;
  for (const float part : sums) sum += part;
  for (; i < values.size(); ++i) sum += values[i] * values[i];
  return std::sqrt(sum);
}

}  // namespace

StatusOr<std::unique_ptr<Learner>> Learner::Make(const LearnerOptions& options,
                                                 NetworkReplica& online,
                                                 std::unique_ptr<NetworkReplica> target,
                                                 Replay& replay, ParameterStore& store) {
  GORILA_ASSIGN_OR_RETURN(const TdAlgorithm* algorithm, FindTdAlgorithm(options.algorithm));
  return std::unique_ptr<Learner>(
      new Learner(options, *algorithm, online, std::move(target), replay, store));
}

Learner::Learner(const LearnerOptions& options, const TdAlgorithm& algorithm,
                 NetworkReplica& online, std::unique_ptr<NetworkReplica> target, Replay& replay,
                 ParameterStore& store)
    : options_(options),
      algorithm_(algorithm),
      online_(online),
      target_(std::move(target)),
      replay_(replay),
      store_(store),
      num_actions_(online.network().spec().num_actions),
      outliers_(options.outliers),
      batch_(online.network().host_memory()),
      gradient_(online.network().layout().size, online.network().host_memory()) {
  const auto batch = static_cast<std::size_t>(options.batch_size);
  const std::size_t values = batch * static_cast<std::size_t>(num_actions_);
  q_tm1_.resize(values);
  q_target_t_.resize(values);
  q_online_t_.resize(values);
  dq_.resize(values);
  td_errors_.resize(batch);
  weights_.resize(batch);
  absolute_errors_.resize(batch);
}

// Paper section 4.2, steps c to g; the target replica follows the server's own target copies.
// Sampling comes first: it may wait, and the parameters should be fresh afterwards.
Status Learner::Step() {
  GORILA_RETURN_IF_ERROR(replay_.Sample(options_.batch_size, batch_));
  GORILA_RETURN_IF_ERROR(online_.Refresh());
  GORILA_RETURN_IF_ERROR(target_->Refresh());
  const double loss = ComputeLoss();
  WatchValues();
  ++counters_.gradients;
  if (outliers_.IsOutlier(loss)) {
    ++counters_.outliers;
    return OkStatus();
  }
  // The first losses count equally, so that the mean does not start from zero.
  const auto sent = static_cast<double>(counters_.gradients - counters_.outliers);
  counters_.loss += std::max(0.01, 1 / sent) * (loss - counters_.loss);
  online_.network().Backward(dq_, gradient_);
  WatchGradient();
  GORILA_RETURN_IF_ERROR(TellPriorities());
  return PushGradient();
}

// Scaled by the largest in the minibatch, so that weights only ever shrink a gradient; the number
// of transitions in the replay cancels out.
void Learner::ComputeWeights() {
  const double least = *std::min_element(batch_.probabilities.begin(), batch_.probabilities.end());
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    weights_[i] =
        static_cast<float>(std::pow(least / batch_.probabilities[i], options_.importance_exponent));
  }
}

double Learner::ComputeLoss() {
  ComputeWeights();
  const int size = batch_.size;
  target_->network().Predict(batch_.s_t, size, q_target_t_);
  if (algorithm_.needs_q_online_t) {
    online_.network().PredictSame(target_->network(), batch_.s_t, size, q_online_t_);
  }
  online_.network().Forward(batch_.s_tm1, size, q_tm1_);
  const TdBatch td{.num_actions = num_actions_,
                   .q_tm1 = q_tm1_,
                   .a_tm1 = batch_.a_tm1,
                   .r_t = batch_.r_t,
                   .discount_t = batch_.discount_t,
                   .q_target_t = q_target_t_,
                   .q_online_t = q_online_t_,
                   .weights = weights_};
  return TdLoss(algorithm_, options_.loss, td, dq_, td_errors_);
}

void Learner::WatchValues() {
  double sum = 0;
  const auto actions = static_cast<std::size_t>(num_actions_);
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch_.size); ++i) {
    const float* const q = &q_tm1_[i * actions];
    const double value = *std::max_element(q, q + actions);
    sum += value;
    statistics_.value_max = std::max(statistics_.value_max, value);
  }
  ++statistics_.batches;
  statistics_.value_sum += sum / batch_.size;
}

void Learner::WatchGradient() {
  if (counters_.gradients % kNormPeriod != 1) return;
  ++statistics_.norms;
  statistics_.norm_sum += EuclideanNorm(gradient_);
}

// Of a gradient that no shard will take, none: its transitions would be drawn again and again and
// refused each time. Errors that are not finite come from parameters that are not; they say nothing
// of a transition.
Status Learner::TellPriorities() {
  if (!SquaresAreFinite(gradient_)) return OkStatus();
  for (std::size_t i = 0; i < td_errors_.size(); ++i) {
    if (!std::isfinite(td_errors_[i])) return OkStatus();
    absolute_errors_[i] = std::abs(td_errors_[i]);
  }
  return replay_.UpdatePriorities(batch_, absolute_errors_);
}

Status Learner::PushGradient() {
  GORILA_ASSIGN_OR_RETURN(const PushOutcome outcome, store_.Push(gradient_, online_.versions()));
  counters_.slices += outcome;
  return OkStatus();
}

void Learner::SaveState(StateWriter& writer) const {
  outliers_.SaveState(writer);
  writer.Write(counters_);
}

Status Learner::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(outliers_.RestoreState(reader));
  return reader.Read(counters_);
}

}  // namespace gorila
