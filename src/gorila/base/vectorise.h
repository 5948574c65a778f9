// For functions that are one loop over floats.
#ifndef GORILA_BASE_VECTORISE_H_
#define GORILA_BASE_VECTORISE_H_

// GORILA_VECTORISE before a function's definition compiles it for several generations of x86-64;
// the program picks the newest that the processor has when it is loaded. A distribution's compiler
// otherwise makes code for the oldest: AdaGrad over 1.7 million parameters moved 39 GB/s without it
// and 79 GB/s with it, memcpy 52 GB/s. Not with sanitizers: they are not ready yet when the choice
// is made. clang 14 gained nothing from it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GORILA_VECTORISE \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GORILA_VECTORISE
#endif

#endif  // GORILA_BASE_VECTORISE_H_
