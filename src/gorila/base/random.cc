#include "gorila/base/random.h"

#include <bit>

namespace gorila {
namespace {

// SplitMix64 (Steele et al. 2014): turns related seeds into unrelated states.
std::uint64_t SplitMix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// FNV-1a, 64 bits.
std::uint64_t HashName(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = SplitMix(seed);
}

RandomStream RandomStream::Derive(std::uint64_t run_seed, std::string_view name,
                                  std::uint64_t index) {
  std::uint64_t mixed = run_seed;
  mixed = SplitMix(mixed) ^ HashName(name);
  mixed = SplitMix(mixed) ^ index;
  return RandomStream(SplitMix(mixed));
}

std::uint64_t RandomStream::NextBits() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double RandomStream::Uniform() { return static_cast<double>(NextBits() >> 11) * 0x1.0p-53; }

std::uint64_t RandomStream::Below(std::uint64_t bound) {
  GORILA_CHECK(bound > 0);
  // Rejects the few values that would favour small results.
  const std::uint64_t threshold = -bound % bound;
  while (true) {
    const std::uint64_t bits = NextBits();
    if (bits >= threshold) return bits % bound;
  }
}

int RandomStream::Integer(int low, int high) {
  GORILA_CHECK(low < high, "low {} high {}", low, high);
  return low + static_cast<int>(Below(static_cast<std::uint64_t>(high - low)));
}

}  // namespace gorila
