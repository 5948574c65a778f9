// Observations as the network's real-valued inputs.
#ifndef GORILA_NETWORK_OBSERVATION_READER_H_
#define GORILA_NETWORK_OBSERVATION_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gorila/env/environment.h"
#include "gorila/network/elementwise.h"

namespace gorila {

// Writes value * scale for `batch` stacked observations, in their order, to `inputs`.
inline void ReadObservations(const ObservationSpec& spec, std::span<const std::byte> observations,
                             std::size_t batch, float* inputs) {
  const std::size_t elements = batch * spec.frame_elements() * static_cast<std::size_t>(spec.stack);
  const float scale = spec.scale;
  if (spec.element == ElementType::kUint8) {
    ScaleBytes(reinterpret_cast<const std::uint8_t*>(observations.data()), scale, elements, inputs);
  } else {
    // Bytes need not be aligned like floats.
    std::memcpy(inputs, observations.data(), elements * sizeof(float));
    for (std::size_t i = 0; i < elements; ++i) inputs[i] *= scale;
  }
}

}  // namespace gorila

#endif  // GORILA_NETWORK_OBSERVATION_READER_H_
