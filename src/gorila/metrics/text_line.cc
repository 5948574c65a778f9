#include "gorila/metrics/text_line.h"

#include <fmt/format.h>

#include <algorithm>

namespace gorila {
namespace {

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

int TextColumns(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

int TextColumns(const TextPieces& pieces) {
  int columns = 0;
  for (const TextPiece& piece : pieces) columns += TextColumns(piece.text);
  return columns;
}

std::string RepeatText(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::string PaddedText(std::string_view text, int columns) {
  std::string padded;
  int used = 0;
  for (const char c : text) {
    if (!IsContinuationByte(c) && ++used > columns) return padded;
    padded += c;
  }
  return padded + std::string(static_cast<std::size_t>(std::max(0, columns - used)), ' ');
}

TextPieces JoinFitting(const std::vector<TextPieces>& groups, int columns) {
  TextPieces line;
  for (const TextPieces& group : groups) {
    columns -= TextColumns(group);
    if (columns < 0) break;
    line.insert(line.end(), group.begin(), group.end());
  }
  return line;
}

TextPieces ItemLine(const std::vector<TextItem>& items, int columns) {
  std::vector<TextPieces> groups;
  int padding = 0;  // between the item before and this one
  for (const TextItem& item : items) {
    groups.push_back({{std::string(static_cast<std::size_t>(padding), ' ')},
                      {fmt::format("{} ", item.name), kDim},
                      {item.value, item.style}});
    const int used = TextColumns(item.name) + 1 + TextColumns(item.value);
    padding = std::max(0, item.columns - used) + 2;
  }
  return JoinFitting(groups, columns);
}

std::string RenderLine(const TextPieces& pieces, bool colour) {
  std::string line;
  for (const TextPiece& piece : pieces) {
    if (piece.text.empty()) continue;
    if (colour && !piece.style.empty()) {
      line += fmt::format("\x1b[{}m{}\x1b[0m", piece.style, piece.text);
    } else {
      line += piece.text;
    }
  }
  return line;
}

}  // namespace gorila
