// oneDNN's SGEMM points the stack pointer into a buffer of its own, and Linux puts a signal
// handler's frame below the stack pointer. The program's threads have no handlers; a caller's may.
#ifndef GORILA_LIBRARY_SIGNALS_WAIT_H_
#define GORILA_LIBRARY_SIGNALS_WAIT_H_

#include <csignal>

namespace gorila::library {

// While it lives, signals wait for the calling thread, except those of its own faults.
class SignalsWait {
 public:
  SignalsWait() {
    sigset_t waiting;
    sigfillset(&waiting);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
      sigdelset(&waiting, fault);
    }
    pthread_sigmask(SIG_BLOCK, &waiting, &before_);
  }
  ~SignalsWait() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

  // Delivers those that wait, and lets `work` run as the caller's own code does.
  template <typename Work>
  auto Interrupted(Work&& work) const {
    sigset_t waiting;
    pthread_sigmask(SIG_SETMASK, &before_, &waiting);
    const auto result = work();
    pthread_sigmask(SIG_SETMASK, &waiting, nullptr);
    return result;
  }

 private:
  sigset_t before_;
};

}  // namespace gorila::library

#endif  // GORILA_LIBRARY_SIGNALS_WAIT_H_
