// Denormal floats cost a micro-code assist each; optimizer moments that decay towards zero are full
// of them and made training four times slower.
#ifndef GORILA_BASE_DENORMALS_H_
#define GORILA_BASE_DENORMALS_H_

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace gorila {

// Sets FTZ and DAZ for the calling thread. Every thread that computes calls it first.
inline void FlushDenormalsInThisThread() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
  unsigned long fpcr = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" ::"r"(fpcr | (1UL << 24)));
#endif
}

}  // namespace gorila

#endif  // GORILA_BASE_DENORMALS_H_
