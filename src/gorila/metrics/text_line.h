// Lines of the terminal, made of pieces that fit or are left out whole.
#ifndef GORILA_METRICS_TEXT_LINE_H_
#define GORILA_METRICS_TEXT_LINE_H_

#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Select Graphic Rendition codes.
inline constexpr std::string_view kPlain;
inline constexpr std::string_view kDim = "2";
inline constexpr std::string_view kGreen = "32";
inline constexpr std::string_view kYellow = "33";
inline constexpr std::string_view kRed = "31";

struct TextPiece {
  std::string text;  // UTF-8, one column a code point
  std::string_view style = kPlain;
};
using TextPieces = std::vector<TextPiece>;
using TextLines = std::vector<TextPieces>;

// A named figure.
struct TextItem {
  std::string_view name;
  std::string value;
  int columns;  // the item is padded to it, so that its neighbours stand still
  std::string_view style = kPlain;
};

int TextColumns(std::string_view text);
int TextColumns(const TextPieces& pieces);

std::string RepeatText(std::string_view text, int times);

// `text` cut or filled with spaces to that many columns.
std::string PaddedText(std::string_view text, int columns);

// The groups that fit into `columns`, up to the first that does not.
TextPieces JoinFitting(const std::vector<TextPieces>& groups, int columns);
TextPieces ItemLine(const std::vector<TextItem>& items, int columns);

// With `colour`, styles become control sequences.
std::string RenderLine(const TextPieces& pieces, bool colour);

}  // namespace gorila

#endif  // GORILA_METRICS_TEXT_LINE_H_
