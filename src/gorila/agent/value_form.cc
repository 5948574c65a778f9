#include "gorila/agent/value_form.h"

#include <algorithm>

#include "gorila/agent/atom_math.h"

namespace gorila {
namespace {

// Of one dueling combination: a state's or, with sampled taus, one tau's.
struct Sizes {
  explicit Sizes(const ValueForm& form)
      : actions(static_cast<std::size_t>(form.num_actions)),
        atoms(form.kind == ValueKind::kSampled ? 1 : static_cast<std::size_t>(form.atoms)),
        of_state(static_cast<std::size_t>(form.atoms) / atoms) {}
  std::size_t actions, atoms;
  std::size_t of_state;  // combinations

  std::size_t x() const { return actions * atoms; }
  std::size_t outputs() const { return x() + atoms; }  // with dueling heads
};

// The sum of advantages of atom i over the actions that are allowed.
float SumOfAdvantages(const Sizes& sizes, const float* outputs, AllowedActions allowed,
                      std::size_t i) {
  float sum = 0;
  if (allowed.empty()) {
    for (std::size_t a = 0; a < sizes.actions; ++a) sum += outputs[a * sizes.atoms + i];
    return sum;
  }
  for (std::size_t a = 0; a < sizes.actions; ++a) {
    if (allowed[a] != 0) sum += outputs[a * sizes.atoms + i];
  }
  return sum;
}

void CombineState(const Sizes& sizes, const float* outputs, AllowedActions allowed, float* x) {
  const float* const value = outputs + sizes.x();
  const auto count = static_cast<float>(NumAllowed(allowed, static_cast<int>(sizes.actions)));
  for (std::size_t i = 0; i < sizes.atoms; ++i) {
    const float base = value[i] - SumOfAdvantages(sizes, outputs, allowed, i) / count;
    for (std::size_t a = 0; a < sizes.actions; ++a) {
      x[a * sizes.atoms + i] = outputs[a * sizes.atoms + i] + base;
    }
  }
}

void CombineStateBackward(const Sizes& sizes, const float* dx, AllowedActions allowed,
                          float* doutputs) {
  float* const dvalue = doutputs + sizes.x();
  const auto count = static_cast<float>(NumAllowed(allowed, static_cast<int>(sizes.actions)));
  for (std::size_t i = 0; i < sizes.atoms; ++i) {
    float sum = 0;
    for (std::size_t a = 0; a < sizes.actions; ++a) sum += dx[a * sizes.atoms + i];
    dvalue[i] = sum;
    const float mean = sum / count;
    for (std::size_t a = 0; a < sizes.actions; ++a) {
      doutputs[a * sizes.atoms + i] = dx[a * sizes.atoms + i] - mean;
    }
  }
  for (std::size_t a = 0; a < allowed.size(); ++a) {
    if (allowed[a] == 0) std::fill_n(doutputs + a * sizes.atoms, sizes.atoms, 0.0F);
  }
}

// Of action `a` over the taus.
float SampledMean(const ValueForm& form, std::span<const float> x, std::size_t a) {
  double sum = 0;
  const auto actions = static_cast<std::size_t>(form.num_actions);
  for (std::size_t i = a; i < x.size(); i += actions) sum += static_cast<double>(x[i]);
  return static_cast<float>(sum / form.atoms);
}

}  // namespace

std::vector<HeadSpec> HeadsOf(const ValueForm& form) {
  const Sizes sizes(form);
  const int width = static_cast<int>(sizes.x());
  if (form.dueling) {
    return {{.name = "advantage", .width = width},
            {.name = "value", .width = static_cast<int>(sizes.atoms)}};
  }
  if (form.kind == ValueKind::kPolicy) {
    return {{.name = "policy", .width = width}, {.name = "value", .width = 1}};
  }
  if (form.kind == ValueKind::kExpectation || form.kind == ValueKind::kSampled) return {};
  return {{.name = form.kind == ValueKind::kCategorical ? "logits" : "quantiles", .width = width}};
}

std::span<const float> Combine(const ValueForm& form, std::span<const float> outputs,
                               std::size_t batch, std::span<float> scratch,
                               const StateActions& allowed) {
  if (!form.dueling) return outputs;
  const Sizes sizes(form);
  for (std::size_t i = 0; i < batch * sizes.of_state; ++i) {
    CombineState(sizes, &outputs[i * sizes.outputs()], allowed[i / sizes.of_state],
                 &scratch[i * sizes.x()]);
  }
  return scratch.first(batch * form.size());
}

void CombineBackward(const ValueForm& form, std::span<const float> dx, std::size_t batch,
                     std::span<float> doutputs, const StateActions& allowed) {
  const Sizes sizes(form);
  for (std::size_t i = 0; i < batch * sizes.of_state; ++i) {
    CombineStateBackward(sizes, &dx[i * sizes.x()], allowed[i / sizes.of_state],
                         &doutputs[i * sizes.outputs()]);
  }
}

float ActionValue(const ValueForm& form, std::span<const float> x, std::size_t a) {
  const auto atoms = static_cast<std::size_t>(form.atoms);
  switch (form.kind) {
    case ValueKind::kCategorical:
      return static_cast<float>(
          form.low + form.atom_distance() * static_cast<double>(MeanIndex(&x[a * atoms], atoms)));
    case ValueKind::kQuantiles:
      return MeanOf(&x[a * atoms], atoms);
    case ValueKind::kSampled:
      return SampledMean(form, x, a);
    case ValueKind::kPolicy:
      GORILA_CHECK(false, "a policy has no values of actions");
    case ValueKind::kExpectation:
      break;
  }
  return x[a];
}

void ActionValues(const ValueForm& form, std::span<const float> x, std::span<float> q) {
  for (std::size_t a = 0; a < q.size(); ++a) q[a] = ActionValue(form, x, a);
}

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  const float most = Largest(logits.data(), logits.size());
  const float sum = Exponentials(logits.data(), most, logits.size(), probabilities.data());
  for (float& probability : probabilities) probability /= sum;
}

}  // namespace gorila
