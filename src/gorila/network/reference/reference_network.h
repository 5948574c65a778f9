// The network computed as its definition reads: plain loops in double precision. Slow; what every
// other backend is tested against.
#ifndef GORILA_NETWORK_REFERENCE_REFERENCE_NETWORK_H_
#define GORILA_NETWORK_REFERENCE_REFERENCE_NETWORK_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "gorila/network/q_network.h"

namespace gorila {

// The network's real-valued inputs (value * scale) for `batch` observations as bytes.
std::vector<double> ReferenceInputs(const ObservationSpec& observation,
                                    std::span<const std::byte> observations, std::size_t batch);

// Outputs, batch x spec.outputs(). `parameters` in the order of MakeParameterLayout, `inputs` as
// ReferenceInputs gives them (its size decides the batch); `taus` as for QNetwork::UseTaus, empty:
// the midpoints.
std::vector<double> ReferenceQValues(const NetworkSpec& spec, std::span<const double> parameters,
                                     std::span<const double> inputs,
                                     std::span<const double> taus = {});

// Gradient with respect to the parameters, given `dq`, the loss's with respect to the outputs.
std::vector<double> ReferenceGradient(const NetworkSpec& spec, std::span<const double> parameters,
                                      std::span<const double> inputs, std::span<const double> dq,
                                      std::span<const double> taus = {});

// These functions behind the common interface. Allocates in every call.
StatusOr<std::unique_ptr<QNetwork>> MakeReferenceNetwork(const NetworkSpec& spec, int max_batch);

}  // namespace gorila

#endif  // GORILA_NETWORK_REFERENCE_REFERENCE_NETWORK_H_
