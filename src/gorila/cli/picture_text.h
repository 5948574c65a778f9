// Pictures as text for terminals with 24-bit colours.
#ifndef GORILA_CLI_PICTURE_TEXT_H_
#define GORILA_CLI_PICTURE_TEXT_H_

#include <string>
#include <vector>

#include "gorila/env/environment.h"

namespace gorila::cli {

// One line of text for two rows of blocks: the upper half of a character is the upper block
// (U+2580), its background the lower one. Blocks are squares of pixels, as large as it takes for
// the picture to have at most `most_columns` (>= 1) of them a row and 2 * `most_lines` (>= 2) a
// column; each shows its pixels' mean. Every line resets the colours at its end.
std::vector<std::string> PictureLines(const RgbImage& image, int most_columns, int most_lines);

}  // namespace gorila::cli

#endif  // GORILA_CLI_PICTURE_TEXT_H_
