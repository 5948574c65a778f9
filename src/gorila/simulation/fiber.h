// A thread of control that runs only when it is told to, on a stack of its own.
#ifndef GORILA_SIMULATION_FIBER_H_
#define GORILA_SIMULATION_FIBER_H_

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#include "gorila/simulation/task.h"

namespace gorila::simulation {

// Memory with a page below it that must not be touched, so that an overflow ends the program.
class FiberStack {
 public:
  FiberStack();
  ~FiberStack();  // kept for the next one
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  std::byte* bottom() const { return bottom_; }
  static std::size_t size();

 private:
  std::byte* bottom_;  // lowest usable address
};

// All calls in the thread that made it.
class Fiber {
 public:
  explicit Fiber(Task work);
  // Work that has not ended stays where it is: nothing is unwound, as when a process is killed.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the work until it calls Suspend() or ends. Not from within.
  void Resume();
  // Returns to whoever called Resume(). Only from within.
  void Suspend();

  bool ended() const { return ended_; }

 private:
  static void Enter(boost::context::detail::transfer_t from);

  Task work_;
  FiberStack stack_;
  boost::context::detail::fcontext_t inside_ = nullptr;   // while it is suspended
  boost::context::detail::fcontext_t outside_ = nullptr;  // while it runs
  bool ended_ = false;

  // What sanitizers want to know at each switch.
  void* fake_stack_ = nullptr;
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
  void* thread_inside_ = nullptr;
  void* thread_outside_ = nullptr;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_FIBER_H_
