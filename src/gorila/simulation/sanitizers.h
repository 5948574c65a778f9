// Which sanitizers the code is compiled for; g++ and clang say so in different ways.
#ifndef GORILA_SIMULATION_SANITIZERS_H_
#define GORILA_SIMULATION_SANITIZERS_H_

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GORILA_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define GORILA_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GORILA_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define GORILA_THREAD_SANITIZER 1
#endif

#endif  // GORILA_SIMULATION_SANITIZERS_H_
