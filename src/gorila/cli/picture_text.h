// Pictures as text for terminals with 24-bit colours.
#ifndef GORILA_CLI_PICTURE_TEXT_H_
#define GORILA_CLI_PICTURE_TEXT_H_

#include <string>
#include <vector>

#include "gorila/env/environment.h"

namespace gorila::cli {

// Blocks are squares of pixels, as large as it takes for the picture to have at most `most_columns`
// (>= 2) columns and `most_lines` (>= 1) lines of text; each shows its pixels' mean. With `utf8` a
// character is two blocks: its upper half (U+2580), and its background below. Otherwise a block is
// two spaces, so that it is about as wide as high. Every line resets the colours at its end.
std::vector<std::string> PictureLines(const RgbImage& image, int most_columns, int most_lines,
                                      bool utf8);

}  // namespace gorila::cli

#endif  // GORILA_CLI_PICTURE_TEXT_H_
