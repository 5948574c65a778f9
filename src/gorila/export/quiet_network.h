// A network as it plays: without the noise that it explored with.
#ifndef GORILA_EXPORT_QUIET_NETWORK_H_
#define GORILA_EXPORT_QUIET_NETWORK_H_

#include <span>
#include <utility>

#include "gorila/agent/value_form.h"
#include "gorila/base/status.h"
#include "gorila/network/network_spec.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

struct QuietNetwork {
  NetworkSpec spec;                   // noise is 0
  ParameterLayout layout;             // of `spec`
  std::span<const float> parameters;  // the means, in the layout's order; borrowed
};

// `parameters` are those of `spec`, which has no sampled head, sigmas included; `form` is what its
// outputs mean.
inline QuietNetwork WithoutNoise(const NetworkSpec& spec, const ValueForm& form,
                                 std::span<const float> parameters) {
  GORILA_CHECK(HeadsOf(form) == spec.heads && form.num_actions == spec.num_actions,
               "the form of another network");
  GORILA_CHECK(spec.taus == 0, "{} taus", spec.taus);
  const std::size_t expected = MakeParameterLayout(spec).size;
  GORILA_CHECK(parameters.size() == expected, "{} {}", parameters.size(), expected);
  NetworkSpec quiet = spec;
  quiet.noise = 0;
  ParameterLayout layout = MakeParameterLayout(quiet);
  return {std::move(quiet), layout, parameters.first(layout.size)};
}

}  // namespace gorila

#endif  // GORILA_EXPORT_QUIET_NETWORK_H_
