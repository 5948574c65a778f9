// "Did you mean ...?" for names that people type.
#ifndef GORILA_BASE_NEAREST_H_
#define GORILA_BASE_NEAREST_H_

#include <span>
#include <string>
#include <string_view>

namespace gorila {

// The entry of `known` with the smallest edit distance to `given` (first of equals); empty when
// `known` is empty.
std::string_view NearestName(std::string_view given, std::span<const std::string_view> known);

// The same for names in folders, "minatar/breakout" and "learner.loss": what has neither '/' nor
// '.' is compared with their last parts, so that "brekout" gives "minatar/breakout".
std::string_view NearestPath(std::string_view given, std::span<const std::string_view> known);

// The nearest few of `known`, nearest first, for "did you mean ...?": "'a'", "'a' or 'b'", "'a',
// 'b' or 'c'". Names that begin with `given` come first; those much farther than the nearest are
// left out.
std::string NearestNamesText(std::string_view given, std::span<const std::string_view> known);

}  // namespace gorila

#endif  // GORILA_BASE_NEAREST_H_
