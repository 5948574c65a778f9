// Random streams. Every object that draws owns one, derived from the run's seed and the object's
// name, so that a seed fixes every stream whatever the thread timing.
#ifndef GORILA_BASE_RANDOM_H_
#define GORILA_BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "gorila/base/serialise.h"

namespace gorila {

// xoshiro256++ (Blackman & Vigna 2019): 32 bytes of state, which a checkpoint can keep as four
// words; its results, unlike those of std:: distributions, are the same with every standard
// library. Not thread-safe.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed);

  // The stream of the object called `name` (and `index`) in the run with this seed.
  static RandomStream Derive(std::uint64_t run_seed, std::string_view name,
                             std::uint64_t index = 0);

  std::uint64_t NextBits();
  double Uniform();                          // in [0, 1), 53 bits
  int Integer(int low, int high);            // in low..high-1; low < high; unbiased
  std::uint64_t Below(std::uint64_t bound);  // in 0..bound-1; bound > 0; unbiased

  void SaveState(StateWriter& writer) const { writer.Write(state_); }
  Status RestoreState(StateReader& reader) { return reader.Read(state_); }

  bool operator==(const RandomStream&) const = default;

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace gorila

#endif  // GORILA_BASE_RANDOM_H_
