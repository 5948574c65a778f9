// Only the thread that calls a network computes it, because a process runs many networks.
#ifndef GORILA_NETWORK_SINGLE_THREAD_H_
#define GORILA_NETWORK_SINGLE_THREAD_H_

#include <omp.h>

namespace gorila {

// While it lives, OpenMP regions that the calling thread enters (oneDNN's) use this thread only.
class SingleThreadScope {
 public:
  SingleThreadScope() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~SingleThreadScope() { omp_set_num_threads(before_); }
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace gorila

#endif  // GORILA_NETWORK_SINGLE_THREAD_H_
