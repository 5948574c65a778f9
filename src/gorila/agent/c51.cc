#include "gorila/agent/c51.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/atom_math.h"

namespace gorila {
namespace {

template <typename Element>
using PerAtom = std::array<Element, kMostAtoms>;

// The target distribution of transition i.
void ProjectTarget(const LossBatch& batch, std::size_t i, std::span<double> projected) {
  const auto r = static_cast<double>(batch.r_t[i]);
  const auto discount = static_cast<double>(batch.discount_t[i]);
  PerAtom<float> room;
  const std::span<float> probabilities = std::span(room).first(batch.atoms());
  if (discount > 0) {
    const std::span<const float> choosing =
        batch.State(batch.online_t.empty() ? batch.target_t : batch.online_t, i);
    const std::size_t best = BestAction(batch.form, choosing, batch.allowed[i]);
    Softmax(batch.Action(batch.target_t, i, best), probabilities);
  }
  ProjectCategorical(batch.form, r, discount, probabilities, projected);
}

// Writes the softmax of `logits`. The logarithm of one of its values is its logit less the result.
double SoftmaxAndLog(std::span<const float> logits, std::span<float> probabilities) {
  const float most = Largest(logits.data(), logits.size());
  const float sum = Exponentials(logits.data(), most, logits.size(), probabilities.data());
  for (float& probability : probabilities) probability /= sum;
  return static_cast<double>(most) + std::log(static_cast<double>(sum));
}

}  // namespace

void ProjectCategorical(const ValueForm& form, double r, double discount,
                        std::span<const float> probabilities, std::span<double> projected) {
  std::fill(projected.begin(), projected.end(), 0.0);
  const double last = form.atoms - 1;
  // Where it lands, in atoms: rounding must not carry it beyond the ends, nor what is not a number.
  const auto place = [&](double value) {
    return std::min(last, std::max(0.0, (value - form.low) / form.atom_distance()));
  };
  const auto add = [&](double b, double probability) {
    const double below = std::floor(b);
    const auto l = static_cast<std::size_t>(below);
    projected[l] += probability * (1 - (b - below));
    if (b > below) projected[l + 1] += probability * (b - below);
  };
  if (discount <= 0) return add(place(r), 1);
  for (int j = 0; j < form.atoms; ++j) {
    add(place(r + discount * form.atom(j)),
        static_cast<double>(probabilities[static_cast<std::size_t>(j)]));
  }
}

double C51Loss(const AgentOptions& options, const LossBatch& batch, std::span<float> dx,
               std::span<float> errors) {
  std::fill(dx.begin(), dx.end(), 0.0F);
  PerAtom<double> room;
  PerAtom<float> predicted_room;
  const std::span<double> target = std::span(room).first(batch.atoms());
  const std::span<float> predicted = std::span(predicted_room).first(batch.atoms());
  double total = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    ProjectTarget(batch, i, target);
    const std::span<const float> logits = batch.Action(batch.online_tm1, i, batch.Taken(i));
    const double whole = SoftmaxAndLog(logits, predicted);
    const double scale = batch.Scale(options.reduction, i);
    float* const derivative = &dx[i * batch.form.size() + batch.Taken(i) * batch.atoms()];
    double cross_entropy = 0;
    double entropy = 0;
    for (std::size_t j = 0; j < batch.atoms(); ++j) {
      derivative[j] = static_cast<float>(scale * (static_cast<double>(predicted[j]) - target[j]));
      if (target[j] <= 0) continue;
      cross_entropy -= target[j] * (static_cast<double>(logits[j]) - whole);
      entropy -= target[j] * static_cast<double>(std::log(static_cast<float>(target[j])));
    }
    errors[i] = static_cast<float>(cross_entropy < entropy ? 0 : cross_entropy - entropy);
    total += batch.Weight(i) * cross_entropy;
  }
  return total / static_cast<double>(batch.size());
}

}  // namespace gorila
