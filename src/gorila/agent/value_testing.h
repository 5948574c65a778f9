// For tests of the value family's losses: random minibatches, and what must hold for every loss.
#ifndef GORILA_AGENT_VALUE_TESTING_H_
#define GORILA_AGENT_VALUE_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gorila/agent/loss_batch.h"
#include "gorila/base/random.h"

namespace gorila {

// Owns what a LossBatch refers to. Every fourth transition or so is a terminal.
struct ValueBatch {
  ValueBatch(const ValueForm& of, std::size_t size, std::uint64_t seed, bool double_selection,
             bool with_target_tm1 = false)
      : form(of), a_tm1(size), r_t(size), discount_t(size) {
    RandomStream random(seed);
    // Multiples of 1/256, so that a small change of one is exact.
    const auto floats = [&](std::size_t count) {
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>(random.Integer(-512, 513)) / 256;
      return values;
    };
    online_tm1 = floats(size * form.size());
    target_t = floats(size * form.size());
    if (double_selection) online_t = floats(size * form.size());
    if (with_target_tm1) target_tm1 = floats(size * form.size());
    for (std::int32_t& action : a_tm1) action = random.Integer(0, form.num_actions);
    r_t = floats(size);
    for (float& discount : discount_t) discount = random.Integer(0, 4) == 0 ? 0 : 0.9375F;
  }

  std::size_t size() const { return a_tm1.size(); }
  LossBatch view() const {
    return {form, online_tm1, a_tm1, r_t, discount_t, target_t, online_t, target_tm1, a_t, weights};
  }

  ValueForm form;
  std::vector<float> online_tm1;
  std::vector<std::int32_t> a_tm1;
  std::vector<float> r_t;
  std::vector<float> discount_t;
  std::vector<float> target_t;
  std::vector<float> online_t;
  std::vector<float> target_tm1;
  std::vector<std::int32_t> a_t;
  std::vector<float> weights;
};

struct ValueResult {
  double loss = 0;
  std::vector<float> dx;
  std::vector<float> errors;
};

inline ValueResult ComputeLoss(LossFunction loss, const AgentOptions& options,
                               const LossBatch& batch) {
  ValueResult result;
  result.dx.assign(batch.online_tm1.size(), 77);  // must be overwritten
  result.errors.assign(batch.size(), 77);
  result.loss = loss(options, batch, result.dx, result.errors);
  return result;
}

// By central differences: targets are constants of the loss.
inline void ExpectGradientOfLoss(LossFunction loss, const AgentOptions& options, ValueBatch batch) {
  const ValueResult result = ComputeLoss(loss, options, batch.view());
  const double factor =
      options.reduction == BatchReduction::kSum ? static_cast<double>(batch.size()) : 1.0;
  constexpr float kStep = 1.0F / 256;
  double largest = 0;
  for (std::size_t i = 0; i < batch.online_tm1.size(); ++i) {
    const float value = batch.online_tm1[i];
    batch.online_tm1[i] = value + kStep;
    const double above = ComputeLoss(loss, options, batch.view()).loss;
    batch.online_tm1[i] = value - kStep;
    const double below = ComputeLoss(loss, options, batch.view()).loss;
    batch.online_tm1[i] = value;
    const double slope = factor * (above - below) / (2 * kStep);
    EXPECT_NEAR(result.dx[i], slope, 0.003 * factor) << i;
    largest = std::max(largest, std::abs(slope));
  }
  EXPECT_GT(largest, 0.02) << "nothing was compared";
}

inline void ExpectWeightsToScale(LossFunction loss, const AgentOptions& options, ValueBatch batch) {
  const ValueResult plain = ComputeLoss(loss, options, batch.view());
  batch.weights.assign(batch.size(), 1);
  EXPECT_EQ(ComputeLoss(loss, options, batch.view()).dx, plain.dx);
  double sum = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.weights.assign(batch.size(), 0);
    batch.weights[i] = 0.25F;
    const ValueResult one = ComputeLoss(loss, options, batch.view());
    EXPECT_EQ(one.errors, plain.errors);
    for (std::size_t k = 0; k < one.dx.size(); ++k) {
      const float expected = k / batch.form.size() == i ? plain.dx[k] / 4 : 0;
      EXPECT_NEAR(one.dx[k], expected, 1e-7F + 1e-6F * std::abs(expected));
    }
    sum += 4 * one.loss;
  }
  EXPECT_NEAR(sum, plain.loss, 1e-12 * plain.loss);
}

inline void ExpectTerminalsNotToMatter(LossFunction loss, const AgentOptions& options,
                                       ValueBatch batch) {
  batch.discount_t[2] = 0;
  const ValueResult before = ComputeLoss(loss, options, batch.view());
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (std::vector<float>* values : {&batch.target_t, &batch.online_t}) {
      if (values->empty()) continue;
      std::fill_n(&(*values)[2 * batch.form.size()], batch.form.size(), value);
    }
    const ValueResult after = ComputeLoss(loss, options, batch.view());
    EXPECT_EQ(after.loss, before.loss);
    EXPECT_EQ(after.dx, before.dx);
    EXPECT_EQ(after.errors, before.errors);
  }
}

inline std::vector<double> ReferenceSoftmax(std::span<const float> logits) {
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) {
    p.push_back(std::exp(static_cast<double>(logit)));
    sum += p.back();
  }
  for (double& value : p) value /= sum;
  return p;
}

// The value of one action from its atoms, by the definition.
inline double ReferenceValue(const ValueForm& form, std::span<const float> atoms) {
  if (form.kind == ValueKind::kExpectation) return static_cast<double>(atoms[0]);
  double value = 0;
  const std::vector<double> p = ReferenceSoftmax(atoms);
  for (int i = 0; i < form.atoms; ++i) {
    const auto at = static_cast<std::size_t>(i);
    value += form.kind == ValueKind::kCategorical ? p[at] * form.atom(i)
                                                  : static_cast<double>(atoms[at]) / form.atoms;
  }
  return value;
}

inline std::size_t ReferenceBest(const ValueForm& form, std::span<const float> x) {
  if (form.kind == ValueKind::kSampled) {
    const auto actions = static_cast<std::size_t>(form.num_actions);
    std::vector<double> sums(actions);
    for (std::size_t i = 0; i < x.size(); ++i) sums[i % actions] += static_cast<double>(x[i]);
    return static_cast<std::size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
  }
  const auto atoms = static_cast<std::size_t>(form.atoms);
  std::size_t best = 0;
  for (std::size_t a = 1; a * atoms < x.size(); ++a) {
    if (ReferenceValue(form, x.subspan(a * atoms, atoms)) >
        ReferenceValue(form, x.subspan(best * atoms, atoms))) {
      best = a;
    }
  }
  return best;
}

}  // namespace gorila

#endif  // GORILA_AGENT_VALUE_TESTING_H_
