#include "gorila/base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace gorila {
namespace {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitute, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

constexpr std::string_view kSeparators = "./";

std::string_view LastPart(std::string_view name) {
  return name.substr(name.find_last_of(kSeparators) + 1);
}

// By the distance to `part_of` a name.
template <typename PartOf>
std::string_view Nearest(std::string_view given, std::span<const std::string_view> known,
                         PartOf part_of) {
  std::string_view nearest;
  std::size_t best = static_cast<std::size_t>(-1);
  for (const std::string_view name : known) {
    const std::size_t distance = EditDistance(given, part_of(name));
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace

std::string_view NearestName(std::string_view given, std::span<const std::string_view> known) {
  return Nearest(given, known, [](std::string_view name) { return name; });
}

std::string_view NearestPath(std::string_view given, std::span<const std::string_view> known) {
  const bool whole = given.find_first_of(kSeparators) != std::string_view::npos;
  const std::string_view part = LastPart(given);
  for (const std::string_view name : known) {
    if (LastPart(name) == part) return name;
  }
  return whole ? NearestName(given, known) : Nearest(given, known, &LastPart);
}

std::string NearestNamesText(std::string_view given, std::span<const std::string_view> known) {
  constexpr std::size_t kMost = 3;
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string_view name : known) {
    const bool begins = given.size() > 1 && name.starts_with(given);
    ranked.emplace_back(begins ? 0 : EditDistance(given, name), name);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t count = 0;
  while (count < std::min(kMost, ranked.size()) && ranked[count].first <= ranked[0].first + 1) {
    ++count;
  }
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += i + 1 == count ? " or " : ", ";
    text.append("'").append(ranked[i].second).append("'");
  }
  return text;
}

}  // namespace gorila
