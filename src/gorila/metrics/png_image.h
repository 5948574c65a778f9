// Pictures as PNG files (libpng).
#ifndef GORILA_METRICS_PNG_IMAGE_H_
#define GORILA_METRICS_PNG_IMAGE_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"

namespace gorila {

// The bytes of an 8-bit RGB PNG. InvalidArgument for an image without pixels or whose `pixels` do
// not have 3 * width * height bytes.
StatusOr<std::string> EncodePng(const RgbImage& image);

// Reads any PNG as 8-bit RGB, transparent pixels over white. DataLoss when it is not a whole PNG.
StatusOr<RgbImage> DecodePng(std::string_view bytes);

// EncodePng into a file, written aside and renamed. Blocks on the disk.
Status WritePng(const std::filesystem::path& path, const RgbImage& image);

// OK when the image has pixels and as many as its size says; otherwise InvalidArgument.
Status CheckImage(const RgbImage& image);

}  // namespace gorila

#endif  // GORILA_METRICS_PNG_IMAGE_H_
