#include "gorila/agent/value_form.h"

#include "gorila/agent/atom_math.h"

namespace gorila {
namespace {

struct Sizes {
  explicit Sizes(const ValueForm& form)
      : actions(static_cast<std::size_t>(form.num_actions)),
        atoms(static_cast<std::size_t>(form.atoms)) {}
  std::size_t actions, atoms;

  std::size_t x() const { return actions * atoms; }
  std::size_t outputs() const { return x() + atoms; }  // with dueling heads
};

void CombineState(const Sizes& sizes, const float* outputs, float* x) {
  const float* const value = outputs + sizes.x();
  for (std::size_t i = 0; i < sizes.atoms; ++i) {
    float sum = 0;
    for (std::size_t a = 0; a < sizes.actions; ++a) sum += outputs[a * sizes.atoms + i];
    const float base = value[i] - sum / static_cast<float>(sizes.actions);
    for (std::size_t a = 0; a < sizes.actions; ++a) {
      x[a * sizes.atoms + i] = outputs[a * sizes.atoms + i] + base;
    }
  }
}

void CombineStateBackward(const Sizes& sizes, const float* dx, float* doutputs) {
  float* const dvalue = doutputs + sizes.x();
  for (std::size_t i = 0; i < sizes.atoms; ++i) {
    float sum = 0;
    for (std::size_t a = 0; a < sizes.actions; ++a) sum += dx[a * sizes.atoms + i];
    dvalue[i] = sum;
    const float mean = sum / static_cast<float>(sizes.actions);
    for (std::size_t a = 0; a < sizes.actions; ++a) {
      doutputs[a * sizes.atoms + i] = dx[a * sizes.atoms + i] - mean;
    }
  }
}

}  // namespace

std::vector<HeadSpec> HeadsOf(const ValueForm& form) {
  const int width = static_cast<int>(form.size());
  const char* const name = form.kind == ValueKind::kExpectation   ? "q"
                           : form.kind == ValueKind::kCategorical ? "logits"
                                                                  : "quantiles";
  if (form.dueling) {
    return {{.name = "advantage", .width = width}, {.name = "value", .width = form.atoms}};
  }
  if (form.kind == ValueKind::kExpectation) return {};
  return {{.name = name, .width = width}};
}

std::span<const float> Combine(const ValueForm& form, std::span<const float> outputs,
                               std::size_t batch, std::span<float> scratch) {
  if (!form.dueling) return outputs;
  const Sizes sizes(form);
  for (std::size_t i = 0; i < batch; ++i) {
    CombineState(sizes, &outputs[i * sizes.outputs()], &scratch[i * sizes.x()]);
  }
  return scratch.first(batch * sizes.x());
}

void CombineBackward(const ValueForm& form, std::span<const float> dx, std::size_t batch,
                     std::span<float> doutputs) {
  const Sizes sizes(form);
  for (std::size_t i = 0; i < batch; ++i) {
    CombineStateBackward(sizes, &dx[i * sizes.x()], &doutputs[i * sizes.outputs()]);
  }
}

void ActionValues(const ValueForm& form, std::span<const float> x, std::span<float> q) {
  const auto atoms = static_cast<std::size_t>(form.atoms);
  for (std::size_t a = 0; a < q.size(); ++a) {
    const std::span<const float> action = x.subspan(a * atoms, atoms);
    switch (form.kind) {
      case ValueKind::kExpectation:
        q[a] = action.front();
        break;
      case ValueKind::kCategorical:
        q[a] = static_cast<float>(
            form.low + form.atom_distance() * static_cast<double>(MeanIndex(action.data(), atoms)));
        break;
      case ValueKind::kQuantiles:
        q[a] = MeanOf(action.data(), atoms);
        break;
    }
  }
}

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  const float most = Largest(logits.data(), logits.size());
  const float sum = Exponentials(logits.data(), most, logits.size(), probabilities.data());
  for (float& probability : probabilities) probability /= sum;
}

}  // namespace gorila
