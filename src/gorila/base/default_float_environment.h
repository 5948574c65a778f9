// Code that is not ours computes as it does alone: denormals.h changes our threads, and a library
// linked with -Ofast changes the thread that loads it.
#ifndef GORILA_BASE_DEFAULT_FLOAT_ENVIRONMENT_H_
#define GORILA_BASE_DEFAULT_FLOAT_ENVIRONMENT_H_

#include <cstdint>
#include <initializer_list>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace gorila {

// The calling thread's control register of floating-point arithmetic: rounding, and whether
// denormals count as zero. 0 on processors that we do not know.
inline std::uint64_t FloatControl() {
#if defined(__SSE__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  std::uint64_t fpcr = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr) : : "memory");
  return fpcr;
#else
  return 0;
#endif
}

inline void SetFloatControl([[maybe_unused]] std::uint64_t control) {
#if defined(__SSE__)
  _mm_setcsr(static_cast<unsigned>(control));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
#endif
}

// C's default for as long as it lives, then what was before, whatever happened between; exceptions
// that have been raised are forgotten. 3 ns where our threads compute.
class DefaultFloatEnvironment {
 public:
#if defined(__SSE__)
  static constexpr std::uint64_t kDefault = 0x1f80;  // all exceptions masked, to nearest
#else
  static constexpr std::uint64_t kDefault = 0;
#endif

  DefaultFloatEnvironment() : before_(FloatControl()) { SetFloatControl(kDefault); }
  ~DefaultFloatEnvironment() {
#if defined(__SSE__)
    // Loading what was read would wait until it is known, which takes until all arithmetic before
    // is done: 20 ns. With constants the processor guesses the branch instead: as denormals.h sets
    // it, or the default.
    for (const std::uint64_t usual : {kDefault | 0x8040, kDefault}) {
      constexpr std::uint64_t kRaised = 0x3f;
      std::uint64_t constant = usual;
      __asm__("" : "+r"(constant));  // the compiler must not see that it is before_
      if ((before_ & ~kRaised) != constant) continue;
      SetFloatControl(constant);
      return;
    }
#endif
    SetFloatControl(before_);
  }
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
  const std::uint64_t before_;
};

}  // namespace gorila

#endif  // GORILA_BASE_DEFAULT_FLOAT_ENVIRONMENT_H_
