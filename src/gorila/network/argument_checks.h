// Requirements that every backend has of its callers.
#ifndef GORILA_NETWORK_ARGUMENT_CHECKS_H_
#define GORILA_NETWORK_ARGUMENT_CHECKS_H_

#include <cstddef>
#include <span>

#include "gorila/network/network_spec.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

// Checks the arguments of QNetwork::Predict and Forward.
inline void CheckComputeArguments(const NetworkSpec& spec, int max_batch,
                                  std::span<const std::byte> observations, int batch,
                                  std::span<const float> q) {
  GORILA_CHECK(batch >= 1 && batch <= max_batch, "batch {} is not in 1..{}", batch, max_batch);
  const auto size = static_cast<std::size_t>(batch);
  GORILA_CHECK(observations.size() == size * spec.input.stacked_bytes(),
               "{} bytes for {} observations of {}", observations.size(), batch,
               spec.input.stacked_bytes());
  GORILA_CHECK(q.size() == size * static_cast<std::size_t>(spec.outputs()),
               "room for {} outputs of a batch of {}, each of {}", q.size(), batch, spec.outputs());
}

// Checks what QNetwork::UseTaus was given, for a computation of `batch` observations.
inline void CheckTaus(const NetworkSpec& spec, int batch, std::span<const float> taus) {
  GORILA_CHECK(taus.empty() || taus.size() == static_cast<std::size_t>(batch * spec.taus),
               "{} taus for a batch of {}, each of {}", taus.size(), batch, spec.taus);
}

// Checks the arguments of QNetwork::SetParameters.
inline void CheckParameters(const ParameterLayout& layout, std::span<const float> values) {
  GORILA_CHECK(values.size() == layout.size, "{} values for {} parameters", values.size(),
               layout.size);
}

// Checks the arguments of QNetwork::Backward; `batch` is the last Forward's, 0 when there was none.
inline void CheckBackwardArguments(const NetworkSpec& spec, const ParameterLayout& layout,
                                   std::size_t batch, std::span<const float> dq,
                                   std::span<const float> gradient) {
  GORILA_CHECK(batch > 0, "Backward without Forward");
  GORILA_CHECK(dq.size() == batch * static_cast<std::size_t>(spec.outputs()),
               "{} derivatives for a batch of {} and {} outputs", dq.size(), batch, spec.outputs());
  CheckParameters(layout, gradient);
}

}  // namespace gorila

#endif  // GORILA_NETWORK_ARGUMENT_CHECKS_H_
