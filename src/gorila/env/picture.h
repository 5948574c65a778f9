// Flat-colour pictures of environments for people.
#ifndef GORILA_ENV_PICTURE_H_
#define GORILA_ENV_PICTURE_H_

#include <cstdint>

#include "gorila/env/environment.h"

namespace gorila {

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;

  bool operator==(const Rgb&) const = default;
};

// Okabe and Ito's colours (2008), told apart with every common colour blindness, and neutrals for
// what should stand back. Meant for the dark background.
namespace colour {
inline constexpr Rgb kBackground{0x1b, 0x1f, 0x2a};
inline constexpr Rgb kDim{0x4a, 0x50, 0x60};
inline constexpr Rgb kGrey{0x99, 0x9f, 0xab};
inline constexpr Rgb kWhite{0xf5, 0xf5, 0xf0};
inline constexpr Rgb kOrange{0xe6, 0x9f, 0x00};
inline constexpr Rgb kSkyBlue{0x56, 0xb4, 0xe9};
inline constexpr Rgb kGreen{0x00, 0x9e, 0x73};
inline constexpr Rgb kYellow{0xf0, 0xe4, 0x42};
inline constexpr Rgb kBlue{0x00, 0x72, 0xb2};
inline constexpr Rgb kVermillion{0xd5, 0x5e, 0x00};
inline constexpr Rgb kPurple{0xcc, 0x79, 0xa7};
}  // namespace colour

// Makes `image` `width` x `height` pixels of one colour.
void ClearImage(RgbImage& image, int width, int height, Rgb colour);

// Fills columns left..right-1 of rows top..bottom-1; pixels outside the image are skipped.
void FillRectangle(RgbImage& image, int left, int top, int right, int bottom, Rgb colour);

// Draws the points within `thickness` / 2 pixels of the line from (x0, y0) to (x1, y1).
void DrawLine(RgbImage& image, double x0, double y0, double x1, double y1, double thickness,
              Rgb colour);

}  // namespace gorila

#endif  // GORILA_ENV_PICTURE_H_
