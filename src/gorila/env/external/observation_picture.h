// A picture of an observation, for environments that draw none themselves.
#ifndef GORILA_ENV_EXTERNAL_OBSERVATION_PICTURE_H_
#define GORILA_ENV_EXTERNAL_OBSERVATION_PICTURE_H_

#include <span>

#include "gorila/env/environment.h"

namespace gorila {

// Pictures of one channel are grey and those of three are colours; of other boards each cell shows
// the mean of its channels; vectors are bars about a middle line, each relative to the largest. The
// longer side is about 160 pixels. `observation`: spec.frame_bytes() long.
void DrawObservation(const ObservationSpec& spec, std::span<const std::byte> observation,
                     RgbImage& image);

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_OBSERVATION_PICTURE_H_
