// How a gradient travels: as it is, rounded to half its size, or its largest entries alone.
#ifndef GORILA_PARAMETER_SERVER_GRADIENT_CODEC_H_
#define GORILA_PARAMETER_SERVER_GRADIENT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

enum class GradientEncoding {
  kFloat32,  // 4 bytes an entry, exact
  kBf16,     // 2 bytes an entry: the upper half of a float32, rounded to nearest even
  kTopK,     // 8 bytes for each of the entries that are largest in size; the others are sent as 0
};

// "float32", "bf16", "topk"; InvalidArgument lists them.
StatusOr<GradientEncoding> ParseGradientEncoding(std::string_view name);
std::string_view GradientEncodingName(GradientEncoding encoding);

// kTopK sends at most this part of the entries: with more, float32 is shorter.
inline constexpr double kMaxTopKFraction = 0.5;

// Bytes of the longest encoding of `size` entries.
std::size_t MaxEncodedBytes(GradientEncoding encoding, std::size_t size);

// Encodes the gradients of one client for one slice, one after another. What an encoding leaves out
// is kept and added to the next gradient (error feedback): nothing is lost, only late. Sending the
// most-changed entries is Parallel Sarsa's idea (Grounds & Kudenko 2008). Three kinds of rest are
// dropped, because parameters that went astray for a moment would be led astray by them later: of a
// gradient that no shard takes, of one that a shard refused or whose parameters were replaced
// (Forget), and entries far above what gradients of the usual size can leave behind. One thread at
// a time.
class GradientEncoder {
 public:
  // `fraction` of the entries, in (0, kMaxTopKFraction], are sent by kTopK; at least one.
  GradientEncoder(GradientEncoding encoding, double fraction, std::size_t size);

  // Overwrites `bytes`, reusing its memory. `gradient` has the encoder's size. What is not finite
  // is sent, so that the shard refuses and counts it, and nothing is left behind.
  void Encode(std::span<const float> gradient, std::vector<std::byte>& bytes);

  // What was left out so far is not to come later: the shard refused what was encoded last, or has
  // other parameters now.
  void Forget();

  // The sum left out so far for each entry; empty with kFloat32.
  std::span<const float> residual() const { return residual_; }

 private:
  void DropExcess(std::span<const float> gradient);
  void EncodeBf16(std::vector<std::byte>& bytes);
  void EncodeTopK(std::vector<std::byte>& bytes);

  const GradientEncoding encoding_;
  const std::size_t size_;
  const std::size_t kept_;  // entries that kTopK sends
  const double most_;       // of a residual's entry, in gradients' largest entries
  std::vector<float> residual_;
  std::int64_t seen_ = 0;  // gradients
  double usual_ = 0;       // running mean of the logarithm of their largest entry
  std::vector<std::uint32_t> histogram_;
};

// The gradient again, `gradient.size()` entries. InvalidArgument when the bytes are no encoding of
// so many; then `gradient` holds anything.
Status DecodeGradient(GradientEncoding encoding, std::span<const std::byte> bytes,
                      std::span<float> gradient);

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_GRADIENT_CODEC_H_
