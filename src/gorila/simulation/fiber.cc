#include "gorila/simulation/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/simulation/sanitizers.h"

#ifdef GORILA_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef GORILA_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace gorila::simulation {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// Only the pages that are touched take memory.
#ifdef GORILA_ADDRESS_SANITIZER
constexpr std::size_t kStackBytes = std::size_t{1} << 20;
#else
constexpr std::size_t kStackBytes = std::size_t{256} << 10;
#endif

std::vector<std::byte*>& SpareStacks() {
  thread_local std::vector<std::byte*> spare;
  return spare;
}

std::byte* MapStack() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const memory = ::mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  GORILA_CHECK(memory != MAP_FAILED, "no memory for a stack of {} bytes", kStackBytes);
  GORILA_CHECK(::mprotect(memory, page, PROT_NONE) == 0, "no guard page");
  return static_cast<std::byte*>(memory) + page;
}

void AboutToSwitch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                   [[maybe_unused]] std::size_t size, [[maybe_unused]] void* thread) {
#ifdef GORILA_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
#ifdef GORILA_THREAD_SANITIZER
  __tsan_switch_to_fiber(thread, 0);
#endif
}

void HaveSwitched([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** from_bottom,
                  [[maybe_unused]] std::size_t* from_size) {
#ifdef GORILA_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake_stack, from_bottom, from_size);
#endif
}

}  // namespace

FiberStack::FiberStack() {
  std::vector<std::byte*>& spare = SpareStacks();
  if (spare.empty()) {
    bottom_ = MapStack();
    return;
  }
  bottom_ = spare.back();
  spare.pop_back();
}

FiberStack::~FiberStack() {
#ifdef GORILA_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(bottom_, kStackBytes);
#endif
  SpareStacks().push_back(bottom_);
}

std::size_t FiberStack::size() { return kStackBytes; }

Fiber::Fiber(Task work) : work_(std::move(work)) {
  inside_ = make_fcontext(stack_.bottom() + kStackBytes, kStackBytes, &Fiber::Enter);
#ifdef GORILA_THREAD_SANITIZER
  thread_inside_ = __tsan_create_fiber(0);
#endif
}

#ifdef GORILA_THREAD_SANITIZER
Fiber::~Fiber() { __tsan_destroy_fiber(thread_inside_); }
#else
Fiber::~Fiber() = default;
#endif

void Fiber::Resume() {
  void* fake_stack = nullptr;
#ifdef GORILA_THREAD_SANITIZER
  thread_outside_ = __tsan_get_current_fiber();
#endif
  AboutToSwitch(&fake_stack, stack_.bottom(), kStackBytes, thread_inside_);
  const transfer_t back = jump_fcontext(std::exchange(inside_, nullptr), this);
  HaveSwitched(fake_stack, nullptr, nullptr);
  inside_ = back.fctx;
}

void Fiber::Suspend() {
  AboutToSwitch(&fake_stack_, outside_bottom_, outside_size_, thread_outside_);
  const transfer_t from = jump_fcontext(std::exchange(outside_, nullptr), nullptr);
  HaveSwitched(fake_stack_, &outside_bottom_, &outside_size_);
  outside_ = from.fctx;
}

void Fiber::Enter(transfer_t from) {
  Fiber& self = *static_cast<Fiber*>(from.data);
  HaveSwitched(nullptr, &self.outside_bottom_, &self.outside_size_);
  self.outside_ = from.fctx;
  self.work_();
  self.work_ = Task();
  self.ended_ = true;
  // Without a place for a fake stack: this one is not coming back.
  AboutToSwitch(nullptr, self.outside_bottom_, self.outside_size_, self.thread_outside_);
  jump_fcontext(self.outside_, nullptr);
}

}  // namespace gorila::simulation
