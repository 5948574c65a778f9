#include "gorila/parameter_server/gradient_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "gorila/base/bfloat16.h"
#include "gorila/base/nearest.h"
#include "gorila/base/vectorise.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {
namespace {

static_assert(std::endian::native == std::endian::little, "encodings are little-endian");

struct EncodingRow {
  std::string_view name;
  GradientEncoding encoding;
};
constexpr std::array kEncodings = {EncodingRow{"float32", GradientEncoding::kFloat32},
                                   EncodingRow{"bf16", GradientEncoding::kBf16},
                                   EncodingRow{"topk", GradientEncoding::kTopK}};

// kTopK: the number of entries, then each entry in increasing order of its index.
struct Entry {
  std::uint32_t index;
  float value;
};
constexpr std::size_t kCountBytes = sizeof(std::uint32_t);

// An entry waits until it is among the largest `fraction`: with gradients of one size it then has
// at most 1 / fraction of their largest entry. Gradients differ, so ten times that is allowed.
constexpr double kResidualSlack = 10;
constexpr double kUsualWeight = 1.0 / 16;  // of the newest gradient in the usual size

// Without the sign, floats are ordered as their bits; these are the upper ones.
constexpr int kBucketShift = 16;
constexpr std::size_t kBuckets = std::size_t{1} << (31 - kBucketShift);

// Up to which a histogram costs more than it saves.
constexpr std::size_t kFewEntries = 4096;

std::uint32_t BucketOf(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7fffffffU) >> kBucketShift;
}

GORILA_VECTORISE
void Add(const float* values, std::size_t size, float* sums) {
  for (std::size_t i = 0; i < size; ++i) sums[i] += values[i];
}

GORILA_VECTORISE
float LargestSize(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
  }
  return std::bit_cast<float>(largest);
}

GORILA_VECTORISE
void DropAbove(float most, std::span<float> values) {
  for (float& value : values) value = std::abs(value) <= most ? value : 0.0F;
}

// Replaces `values` by the rounding error, or by 0 where that is not finite.
GORILA_VECTORISE
void RoundToBf16(float* values, std::size_t size, Bfloat16* rounded) {
  for (std::size_t i = 0; i < size; ++i) {
    rounded[i] = RoundToBfloat16(values[i]);
    const float rest = values[i] - Widen(rounded[i]);
    const bool finite = (std::bit_cast<std::uint32_t>(rest) & 0x7f800000U) != 0x7f800000U;
    values[i] = finite ? rest : 0.0F;
  }
}

std::size_t EntriesKept(double fraction, std::size_t size) {
  const auto kept = static_cast<std::size_t>(fraction * static_cast<double>(size));
  return std::clamp<std::size_t>(kept, 1, std::max<std::size_t>(size, 1));
}

// Which entries are sent: all from this bucket of sizes on, and so many of the one below.
struct Largest {
  std::size_t bucket = 0;
  std::size_t of_next = 0;
};

// A histogram of sizes finds the bucket that contains the k-th largest: two passes, where sorting
// would take twenty. But to clear it, and to look through it, takes as long as many entries do.
Largest FindInHistogram(std::span<const float> values, std::size_t kept,
                        std::span<std::uint32_t> histogram) {
  std::fill(histogram.begin(), histogram.end(), 0);
  for (const float value : values) ++histogram[BucketOf(value)];
  Largest largest{.bucket = kBuckets, .of_next = 0};
  std::size_t above = 0;  // entries in larger buckets
  while (largest.bucket > 0 && above + histogram[largest.bucket - 1] <= kept) {
    above += histogram[--largest.bucket];
  }
  if (largest.bucket > 0) largest.of_next = kept - above;
  return largest;
}

// The same of few entries: `buckets` has room for that of each.
Largest FindAmongFew(std::span<const float> values, std::size_t kept,
                     std::span<std::uint32_t> buckets) {
  if (kept >= values.size()) return {};
  std::transform(values.begin(), values.end(), buckets.begin(), BucketOf);
  const auto first = buckets.begin() + static_cast<std::ptrdiff_t>(kept);
  std::nth_element(buckets.begin(), first, buckets.end(), std::greater<>());
  const std::uint32_t bucket = *first;  // the largest with too many
  const auto above = std::count_if(buckets.begin(), first,
                                   [bucket](std::uint32_t other) { return other > bucket; });
  return {.bucket = bucket + std::size_t{1}, .of_next = kept - static_cast<std::size_t>(above)};
}

Status WrongLength(std::size_t bytes, std::size_t expected, std::size_t size) {
  return InvalidArgument("gradient of {} bytes; expected {} ({} entries)", bytes, expected, size);
}

Status DecodeTopK(std::span<const std::byte> bytes, std::span<float> gradient) {
  std::uint32_t count = 0;
  if (bytes.size() < kCountBytes) return WrongLength(bytes.size(), kCountBytes, gradient.size());
  std::memcpy(&count, bytes.data(), kCountBytes);
  const std::size_t expected = kCountBytes + std::size_t{count} * sizeof(Entry);
  if (bytes.size() != expected) return WrongLength(bytes.size(), expected, count);
  std::fill(gradient.begin(), gradient.end(), 0.0F);
  std::uint64_t least = 0;  // what the next index must be at least
  for (std::uint32_t i = 0; i < count; ++i) {
    Entry entry{};
    std::memcpy(&entry, bytes.data() + kCountBytes + i * sizeof entry, sizeof entry);
    if (entry.index < least || entry.index >= gradient.size()) {
      return InvalidArgument("gradient entry {} has index {}; expected {}..{}", i, entry.index,
                             least, gradient.size() - 1);
    }
    gradient[entry.index] = entry.value;
    least = std::uint64_t{entry.index} + 1;
  }
  return OkStatus();
}

}  // namespace

StatusOr<GradientEncoding> ParseGradientEncoding(std::string_view name) {
  std::vector<std::string_view> names;
  for (const EncodingRow& row : kEncodings) {
    if (row.name == name) return row.encoding;
    names.push_back(row.name);
  }
  return InvalidArgument("gradient encoding is '{}'; expected one of {}; did you mean '{}'?", name,
                         fmt::join(names, ", "), NearestName(name, names));
}

std::string_view GradientEncodingName(GradientEncoding encoding) {
  for (const EncodingRow& row : kEncodings) {
    if (row.encoding == encoding) return row.name;
  }
  return "unknown";
}

std::size_t MaxEncodedBytes(GradientEncoding encoding, std::size_t size) {
  switch (encoding) {
    case GradientEncoding::kFloat32:
      return size * sizeof(float);
    case GradientEncoding::kBf16:
      return size * sizeof(Bfloat16);
    case GradientEncoding::kTopK:
      return kCountBytes + EntriesKept(kMaxTopKFraction, size) * sizeof(Entry);
  }
  return 0;
}

GradientEncoder::GradientEncoder(GradientEncoding encoding, double fraction, std::size_t size)
    : encoding_(encoding),
      size_(size),
      kept_(EntriesKept(fraction, size)),
      most_(kResidualSlack / fraction),
      residual_(encoding == GradientEncoding::kFloat32 ? 0 : size),
      histogram_(encoding != GradientEncoding::kTopK ? 0
                 : size < kFewEntries                ? size
                                                     : kBuckets) {
  GORILA_CHECK(
      encoding != GradientEncoding::kTopK || (fraction > 0 && fraction <= kMaxTopKFraction),
      "fraction {}", fraction);
}

void GradientEncoder::Encode(std::span<const float> gradient, std::vector<std::byte>& bytes) {
  GORILA_CHECK(gradient.size() == size_, "{} {}", gradient.size(), size_);
  if (encoding_ == GradientEncoding::kFloat32) {
    const auto as_bytes = std::as_bytes(gradient);
    bytes.assign(as_bytes.begin(), as_bytes.end());
    return;
  }
  const bool valid = SquaresAreFinite(gradient);
  if (!valid) Forget();
  if (valid && encoding_ == GradientEncoding::kTopK) DropExcess(gradient);
  Add(gradient.data(), size_, residual_.data());
  if (encoding_ == GradientEncoding::kBf16) {
    EncodeBf16(bytes);
  } else {
    EncodeTopK(bytes);
  }
  if (!valid) Forget();
}

void GradientEncoder::Forget() { std::fill(residual_.begin(), residual_.end(), 0.0F); }

// Sizes are compared by their logarithms, so that neither a few huge gradients nor a few tiny ones
// change much what is usual.
void GradientEncoder::DropExcess(std::span<const float> gradient) {
  const auto largest = static_cast<double>(LargestSize(gradient));
  if (largest == 0) return;
  ++seen_;
  usual_ += std::max(kUsualWeight, 1 / static_cast<double>(seen_)) * (std::log(largest) - usual_);
  const double most = most_ * std::max(largest, std::exp(usual_));
  if (most < static_cast<double>(std::numeric_limits<float>::max())) {
    DropAbove(static_cast<float>(most), residual_);
  }
}

void GradientEncoder::EncodeBf16(std::vector<std::byte>& bytes) {
  bytes.resize(size_ * sizeof(Bfloat16));
  RoundToBf16(residual_.data(), size_, reinterpret_cast<Bfloat16*>(bytes.data()));
}

// Of the bucket below the largest ones the first entries are sent until there are k.
void GradientEncoder::EncodeTopK(std::vector<std::byte>& bytes) {
  const Largest largest = size_ < kFewEntries ? FindAmongFew(residual_, kept_, histogram_)
                                              : FindInHistogram(residual_, kept_, histogram_);
  const std::size_t bucket = largest.bucket;
  std::size_t of_next = largest.of_next;
  bytes.resize(kCountBytes + kept_ * sizeof(Entry));
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < size_ && count < kept_; ++i) {
    const std::size_t own = BucketOf(residual_[i]);
    const bool next = own + 1 == bucket && of_next > 0;
    if (own < bucket && !next) continue;
    if (next) --of_next;
    const Entry entry{static_cast<std::uint32_t>(i), residual_[i]};
    std::memcpy(bytes.data() + kCountBytes + count * sizeof entry, &entry, sizeof entry);
    residual_[i] = 0;
    ++count;
  }
  std::memcpy(bytes.data(), &count, kCountBytes);
}

Status DecodeGradient(GradientEncoding encoding, std::span<const std::byte> bytes,
                      std::span<float> gradient) {
  if (encoding == GradientEncoding::kTopK) return DecodeTopK(bytes, gradient);
  const std::size_t expected = MaxEncodedBytes(encoding, gradient.size());
  if (bytes.size() != expected) return WrongLength(bytes.size(), expected, gradient.size());
  if (encoding == GradientEncoding::kFloat32) {
    std::memcpy(gradient.data(), bytes.data(), bytes.size());
  } else {
    Widen(reinterpret_cast<const Bfloat16*>(bytes.data()), gradient.size(), gradient.data());
  }
  return OkStatus();
}

}  // namespace gorila
