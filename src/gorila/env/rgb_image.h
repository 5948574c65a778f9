#ifndef GORILA_ENV_RGB_IMAGE_H_
#define GORILA_ENV_RGB_IMAGE_H_

#include <cstdint>
#include <vector>

namespace gorila {

// A picture for people: `height` x `width` x 3 bytes, row-major RGB.
struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

}  // namespace gorila

#endif  // GORILA_ENV_RGB_IMAGE_H_
