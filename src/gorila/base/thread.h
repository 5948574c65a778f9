// Threads that the system may refuse, and whose work may run out of memory. In a simulation
// (base/runtime.h) they are simulated.
#ifndef GORILA_BASE_THREAD_H_
#define GORILA_BASE_THREAD_H_

#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>
#include <utility>

#include "gorila/base/status.h"

namespace gorila {

// As std::thread, which it is outside simulations: must be joined before it is destroyed.
class Thread {
 public:
  Thread() = default;
  explicit Thread(std::thread thread) : thread_(std::move(thread)) {}
  static Thread Simulated(std::uint64_t number);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  bool joinable() const { return thread_.joinable() || simulated_ != 0; }
  void join();
  void detach() { thread_.detach(); }  // not of a simulated one

 private:
  std::thread thread_;
  std::uint64_t simulated_ = 0;  // its number; 0 = none
};

// A thread that runs `work`. ResourceExhausted, naming `name`, when none can be started. Where
// `work` itself runs out of memory or threads, that ends the program (EndProgram): work that can
// report an error uses WithoutThrowing.
StatusOr<Thread> StartThread(std::string_view name, std::function<void()> work);

// For callers that cannot report an error: the program ends if no thread can be started.
Thread StartThreadOrEnd(std::string_view name, std::function<void()> work);

// Whether `count` threads can be had at once, by trying: some libraries abort where they cannot.
// `who` wants them.
Status CheckThreads(std::string_view who, int count);

}  // namespace gorila

#endif  // GORILA_BASE_THREAD_H_
