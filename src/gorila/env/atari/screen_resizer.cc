#include "gorila/env/atari/screen_resizer.h"

#include <algorithm>
#include <cmath>

#include "gorila/base/status.h"

namespace gorila::atari {
namespace {

constexpr int kWeightBits = 14;
constexpr int kOne = 1 << kWeightBits;
constexpr int kFractionBits = 8;  // of what the first pass leaves
constexpr std::size_t kMostTaps = 16;

// The exact weights of output `i` over all inputs.
std::vector<double> ExactWeights(int i, int from, int to, ScreenResize filter) {
  std::vector<double> weights(static_cast<std::size_t>(from), 0.0);
  const double scale = static_cast<double>(from) / to;
  const auto at = [&](int input) -> double& {
    return weights[static_cast<std::size_t>(std::clamp(input, 0, from - 1))];
  };
  if (filter == ScreenResize::kBilinear) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int left = static_cast<int>(std::floor(centre));
    at(left) += 1 - (centre - left);
    at(left + 1) += centre - left;
    return weights;
  }
  for (int input = 0; input < from; ++input) {
    const double overlap =
        std::min<double>(input + 1, (i + 1) * scale) - std::max<double>(input, i * scale);
    // Rounding errors at the ends are no pixels.
    if (overlap > 1e-9) at(input) = overlap / scale;
  }
  return weights;
}

// As whole numbers that sum to kOne: the largest takes what rounding leaves.
std::vector<std::int16_t> WholeWeights(const std::vector<double>& exact) {
  std::vector<std::int16_t> weights;
  int sum = 0;
  for (const double weight : exact) {
    weights.push_back(static_cast<std::int16_t>(std::lround(weight * kOne)));
    sum += weights.back();
  }
  auto& largest = *std::max_element(weights.begin(), weights.end());
  largest = static_cast<std::int16_t>(largest + kOne - sum);
  return weights;
}

}  // namespace

ScreenResizer::Taps ScreenResizer::MakeTaps(int from, int to, ScreenResize filter) {
  Taps taps;
  std::vector<std::vector<std::int16_t>> all;
  for (int i = 0; i < to; ++i) {
    all.push_back(WholeWeights(ExactWeights(i, from, to, filter)));
    const auto used = [](std::int16_t weight) { return weight != 0; };
    const auto first = std::find_if(all.back().begin(), all.back().end(), used);
    const auto last = std::find_if(all.back().rbegin(), all.back().rend(), used).base();
    taps.first.push_back(static_cast<std::size_t>(first - all.back().begin()));
    taps.count = std::max(taps.count, static_cast<std::size_t>(last - first));
  }
  GORILA_CHECK(taps.count <= kMostTaps, "{} taps from {} to {}", taps.count, from, to);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // All outputs have as many taps; those at the end begin earlier, with weights of zero.
    taps.first[i] = std::min(taps.first[i], static_cast<std::size_t>(from) - taps.count);
    const auto begin = all[i].begin() + static_cast<std::ptrdiff_t>(taps.first[i]);
    taps.weights.insert(taps.weights.end(), begin, begin + static_cast<std::ptrdiff_t>(taps.count));
  }
  return taps;
}

ScreenResizer::ScreenResizer(int height, int width, int size, ScreenResize filter)
    : height_(static_cast<std::size_t>(height)),
      width_(static_cast<std::size_t>(width)),
      size_(static_cast<std::size_t>(size)),
      vertical_(MakeTaps(height, size, filter)),
      horizontal_(MakeTaps(width, size, filter)),
      sums_(width_),
      shrunken_(width_) {
  GORILA_CHECK(size >= 1 && height >= size && width >= size, "{}x{} to {}", height, width, size);
}

// Row `row` of the output, not yet narrower.
void ScreenResizer::ResizeColumns(const std::uint8_t* source, std::size_t row) {
  std::int32_t* const sums = sums_.data();
  constexpr int kShift = kWeightBits - kFractionBits;
  std::fill(sums_.begin(), sums_.end(), 1 << (kShift - 1));  // rounds
  for (std::size_t k = 0; k < vertical_.count; ++k) {
    const std::int16_t weight = vertical_.weights[row * vertical_.count + k];
    if (weight == 0) continue;
    const std::uint8_t* const from = source + (vertical_.first[row] + k) * width_;
    for (std::size_t x = 0; x < width_; ++x) {
      sums[x] += std::int32_t{weight} * static_cast<std::int16_t>(from[x]);
    }
  }
  std::uint16_t* const shrunken = shrunken_.data();
  for (std::size_t x = 0; x < width_; ++x) {
    shrunken[x] = static_cast<std::uint16_t>(sums[x] >> kShift);
  }
}

// kCount taps, known to the compiler so that it unrolls them; 0 = as many as there are.
template <std::size_t kCount>
void ScreenResizer::ResizeRow(std::size_t row, std::uint8_t* destination) const {
  const std::size_t count = kCount == 0 ? horizontal_.count : kCount;
  const std::uint16_t* const shrunken = shrunken_.data();
  const std::int16_t* weights = horizontal_.weights.data();
  constexpr int kShift = kWeightBits + kFractionBits;
  for (std::size_t x = 0; x < size_; ++x, weights += count) {
    const std::uint16_t* const from = shrunken + horizontal_.first[x];
    std::int32_t sum = 1 << (kShift - 1);  // rounds
    for (std::size_t k = 0; k < count; ++k) sum += std::int32_t{weights[k]} * from[k];
    destination[row * size_ + x] = static_cast<std::uint8_t>(sum >> kShift);
  }
}

void ScreenResizer::Resize(std::span<const std::uint8_t> source,
                           std::span<std::uint8_t> destination) {
  GORILA_CHECK(source.size() == height_ * width_ && destination.size() == size_ * size_,
               "{} to {} pixels", source.size(), destination.size());
  for (std::size_t row = 0; row < size_; ++row) {
    ResizeColumns(source.data(), row);
    if (horizontal_.count == 2) {
      ResizeRow<2>(row, destination.data());
    } else if (horizontal_.count == 3) {
      ResizeRow<3>(row, destination.data());
    } else {
      ResizeRow<0>(row, destination.data());
    }
  }
}

}  // namespace gorila::atari
