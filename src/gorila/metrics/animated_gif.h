// Films of episodes as animated GIFs (giflib).
#ifndef GORILA_METRICS_ANIMATED_GIF_H_
#define GORILA_METRICS_ANIMATED_GIF_H_

#include <filesystem>
#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// The bytes of a GIF that shows `frames` (all of one size, 1 to 65535 pixels a side) for
// `delay_milliseconds` each, over and over. GIF counts time in hundredths of a second: the delay is
// rounded to them and must be 20 to 655350 ms (browsers slow shorter ones down). Colours are exact
// when all frames together (every MinAtar game) or each of them have at most 256; a frame with more
// gets 256 near ones. InvalidArgument names the fault and the frame.
StatusOr<std::string> EncodeAnimatedGif(std::span<const RgbImage> frames, int delay_milliseconds);

// EncodeAnimatedGif into a file, written aside and renamed. Blocks on the disk.
Status WriteAnimatedGif(const std::filesystem::path& path, std::span<const RgbImage> frames,
                        int delay_milliseconds);

}  // namespace gorila

#endif  // GORILA_METRICS_ANIMATED_GIF_H_
