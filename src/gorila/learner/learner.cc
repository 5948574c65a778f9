#include "gorila/learner/learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gorila/base/finite.h"

namespace gorila {
namespace {

// Every so many gradients what is only watched is computed: the norm is a pass over the vector, a
// hundredth of a step's work.
constexpr std::int64_t kWatchPeriod = 16;

}  // namespace

StatusOr<std::unique_ptr<Learner>> Learner::Make(const LearnerOptions& options,
                                                 NetworkReplica& online,
                                                 std::unique_ptr<NetworkReplica> target,
                                                 Replay& replay, ParameterStore& store,
                                                 RandomStream random) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(options.agent.algorithm));
  return std::unique_ptr<Learner>(
      new Learner(options, *row, online, std::move(target), replay, store, random));
}

Learner::Learner(const LearnerOptions& options, const AlgorithmRow& algorithm,
                 NetworkReplica& online, std::unique_ptr<NetworkReplica> target, Replay& replay,
                 ParameterStore& store, RandomStream random)
    : options_(options),
      online_(online),
      target_(std::move(target)),
      replay_(replay),
      store_(store),
      loss_(algorithm.make_loss(options.agent, online.network().spec(), options.batch_size)),
      random_(random),
      outliers_(options.outliers),
      batch_(online.network().host_memory()),
      own_gradient_(online.network().host_memory()),
      sum_(options.push_every > 1 ? online.network().layout().size : 0,
           online.network().host_memory()) {
  GORILA_CHECK((target_ != nullptr) == algorithm.uses_target, "{}", algorithm.name);
  const auto batch = static_cast<std::size_t>(options.batch_size);
  const int states = StatesOfMinibatch(options.agent, options.batch_size);
  doutputs_.resize(static_cast<std::size_t>(states) *
                   static_cast<std::size_t>(online.network().spec().outputs()));
  errors_.resize(batch);
  weights_.resize(batch);
  values_.resize(batch);
  sorted_errors_.resize(batch);
}

// Paper section 4.2, steps c to g; the target replica follows the server's own target copies.
// Sampling comes first: it may wait, and the parameters should be fresh afterwards.
Status Learner::Step() {
  GORILA_RETURN_IF_ERROR(replay_.Sample(options_.batch_size, batch_));
  GORILA_RETURN_IF_ERROR(online_.Follow());
  GORILA_RETURN_IF_ERROR(RefreshTarget());
  const double loss = ComputeLoss();
  WatchValues();
  ++counters_.gradients;
  online_.CountGradient();
  if (outliers_.IsOutlier(loss)) {
    ++counters_.outliers;
    return TellOutlierPriorities();
  }
  // The first losses count equally, so that the mean does not start from zero.
  const auto sent = static_cast<double>(counters_.gradients - counters_.outliers);
  counters_.loss += std::max(0.01, 1 / sent) * (loss - counters_.loss);
  ComputeGradient();
  const bool finite = ClipAndWatchGradient();
  if (finite) GORILA_RETURN_IF_ERROR(TellPriorities());
  return PushGradient(finite);
}

Status Learner::RefreshTarget() { return target_ == nullptr ? OkStatus() : target_->Refresh(); }

// Scaled by the largest in the minibatch, so that weights only ever shrink a gradient; the number
// of transitions in the replay cancels out.
void Learner::ComputeWeights() {
  const double least = *std::min_element(batch_.probabilities.begin(), batch_.probabilities.end());
  const double exponent = ImportanceExponent();
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    weights_[i] = static_cast<float>(std::pow(least / batch_.probabilities[i], exponent));
  }
}

double Learner::ImportanceExponent() const {
  const double begin = options_.importance_exponent;
  const double end = options_.importance_exponent_end;
  if (end < 0) return begin;
  if (options_.importance_updates <= 0) return end;
  const auto updates = static_cast<double>(std::max<std::int64_t>(online_.versions().front(), 0));
  const double part = updates / static_cast<double>(options_.importance_updates);
  return begin + std::min(part, 1.0) * (end - begin);
}

double Learner::ComputeLoss() {
  ComputeWeights();
  return loss_->Compute({.online = online_.network(),
                         .target = target_ == nullptr ? nullptr : &target_->network(),
                         .batch = batch_,
                         .weights = weights_,
                         .random = random_},
                        doutputs_, errors_);
}

// Where it is sent from, unless the network wants memory of another kind for it.
void Learner::ComputeGradient() {
  QNetwork& network = online_.network();
  if (network.host_memory() == std::pmr::get_default_resource()) {
    gradient_ = store_.LendGradient();
  }
  if (gradient_.empty()) {
    own_gradient_.resize(network.layout().size);
    gradient_ = own_gradient_;
  }
  network.Backward(doutputs_, gradient_);
}

// Of every minibatch, or of one in so many where that takes long.
void Learner::WatchValues() {
  if (!loss_->ValuesAreCheap() && counters_.gradients % kWatchPeriod != 0) return;
  loss_->Values(values_);
  double sum = 0;
  for (const float value : values_) {
    sum += static_cast<double>(value);
    statistics_.value_max = std::max(statistics_.value_max, static_cast<double>(value));
  }
  ++statistics_.batches;
  statistics_.value_sum += sum / batch_.size;
  if (const PolicyTerms terms = loss_->MeanTerms(); std::isfinite(terms.entropy)) {
    ++statistics_.entropies;
    statistics_.entropy_sum += terms.entropy;
    statistics_.policy_loss_sum += terms.policy;
    statistics_.baseline_loss_sum += terms.baseline;
  }
}

bool Learner::GradientIsFinite() const {
  const std::optional<bool> known = online_.network().GradientIsFinite();
  if (known.has_value()) return *known;
  return SquaresAreFinite(gradient_) && online_.network().elsewhere().finite;
}

// What is watched is the norm before it is clipped. Where it is taken, it is finite only if every
// square is, which saves a pass.
bool Learner::ClipAndWatchGradient() {
  const double most = options_.gradient_norm;
  const bool watched = counters_.gradients % kWatchPeriod == 1;
  if (most <= 0 && !watched) return GradientIsFinite();
  const double norm = std::sqrt(SumOfSquares(gradient_) + online_.network().elsewhere().squares);
  if (watched) {
    ++statistics_.norms;
    statistics_.norm_sum += norm;
  }
  // The shards refuse what is not finite.
  if (!std::isfinite(norm)) return GradientIsFinite();
  if (most <= 0 || norm <= most) return true;
  const auto scale = static_cast<float>(most / norm);
  for (float& value : gradient_) value *= scale;
  online_.network().ScaleElsewhere(scale);
  return true;
}

// Not of a gradient that no shard will take: its transitions would be drawn again and again and
// refused each time. Errors that are not finite come from parameters that are not; they say nothing
// of a transition.
Status Learner::TellPriorities() {
  if (!std::all_of(errors_.begin(), errors_.end(), [](float e) { return std::isfinite(e); })) {
    return OkStatus();
  }
  return replay_.UpdatePriorities(batch_, errors_);
}

// Nothing was learnt from a discarded minibatch: with the errors that made it an outlier, or with
// the priority of what nobody has learnt from, its transitions would be drawn, and discarded, again
// and again. None gets more than the others' median error, so that they count as usual ones.
Status Learner::TellOutlierPriorities() {
  for (float& error : errors_) {
    if (!std::isfinite(error)) error = std::numeric_limits<float>::max();
  }
  sorted_errors_.assign(errors_.begin(), errors_.end());
  std::sort(sorted_errors_.begin(), sorted_errors_.end());
  const std::size_t others = sorted_errors_.size() - 1;  // without the largest
  const float most = others == 0 ? 0 : sorted_errors_[(others - 1) / 2];
  if (most >= std::numeric_limits<float>::max()) return OkStatus();
  for (float& error : errors_) error = std::min(error, most);
  return replay_.UpdatePriorities(batch_, errors_);
}

// One that is not finite would spoil a sum, so it goes by itself, to be refused and counted.
Status Learner::PushGradient(bool finite) {
  if (options_.push_every == 1 || !finite) return Send(gradient_, online_.versions(), finite);
  return AddUp() ? Send(sum_, sum_versions_, SquaresAreFinite(sum_)) : OkStatus();
}

// True when the sum is complete.
bool Learner::AddUp() {
  if (summed_ == 0) {
    std::copy(gradient_.begin(), gradient_.end(), sum_.begin());
    sum_versions_ = online_.versions();
  } else {
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += gradient_[i];
  }
  const bool last = summed_ + 1 == options_.push_every;
  store_.AddUpElsewhere(summed_, last);
  summed_ = last ? 0 : summed_ + 1;
  return last;
}

Status Learner::Send(std::span<const float> gradient, const ShardVersions& versions, bool finite) {
  GORILA_ASSIGN_OR_RETURN(const PushOutcome outcome, finite ? store_.PushFinite(gradient, versions)
                                                            : store_.Push(gradient, versions));
  counters_.slices += outcome;
  ++statistics_.lags;
  // Without the gradient's own update.
  statistics_.lag_sum += std::max<std::int64_t>(store_.UpdateCount() - versions.front() - 1, 0);
  return OkStatus();
}

void Learner::SaveState(StateWriter& writer) const {
  outliers_.SaveState(writer);
  writer.Write(counters_);
  if (online_.network().spec().is_stochastic()) random_.SaveState(writer);
  if (options_.push_every == 1) return;
  std::vector<float> sum;
  if (summed_ > 0) sum = store_.WholeSum(sum_, summed_);
  writer.Write(sum.empty() ? 0 : summed_);  // what is lost begins anew
  if (sum.empty()) return;
  writer.WriteSpan(std::span<const std::int64_t>(sum_versions_));
  writer.WriteSpan(std::span<const float>(sum));
}

Status Learner::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(outliers_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Read(counters_));
  if (counters_.gradients > 0) online_.CountGradient();
  if (online_.network().spec().is_stochastic()) {
    GORILA_RETURN_IF_ERROR(random_.RestoreState(reader));
  }
  return options_.push_every == 1 ? OkStatus() : RestoreSum(reader);
}

Status Learner::RestoreSum(StateReader& reader) {
  int summed = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(summed));
  if (summed < 0 || summed >= options_.push_every) {
    return DataLoss("the learner had added up {} gradients; expected fewer than {}", summed,
                    options_.push_every);
  }
  if (summed > 0) {
    ShardVersions versions;
    std::vector<float> sum;
    GORILA_RETURN_IF_ERROR(reader.ReadVector(versions));
    GORILA_RETURN_IF_ERROR(reader.ReadVector(sum));
    if (versions.size() != online_.versions().size()) {
      return DataLoss("the learner's sum has versions of {} shards; expected {}", versions.size(),
                      online_.versions().size());
    }
    GORILA_RETURN_IF_ERROR(store_.RestoreWholeSum(sum, summed, sum_));
    sum_versions_ = std::move(versions);
  }
  summed_ = summed;
  return OkStatus();
}

}  // namespace gorila
