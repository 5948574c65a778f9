// Work to be done once, later: as std::function, but with room for what events of a simulation
// capture, so that they allocate nothing.
#ifndef GORILA_SIMULATION_TASK_H_
#define GORILA_SIMULATION_TASK_H_

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace gorila::simulation {

class Task {
 public:
  Task() = default;
  template <typename Work>
  requires(!std::is_same_v<std::decay_t<Work>, Task>) Task(Work&& work) {  // NOLINT
    using Held = std::decay_t<Work>;
    // NOLINTNEXTLINE(misc-redundant-expression): both sizes are equal for some Held alone.
    if constexpr (sizeof(Held) <= kRoom && alignof(Held) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Held>) {
      new (&room_) Held(std::forward<Work>(work));
      table_ = &kTable<Held>;
    } else {
      auto held = std::make_unique<Held>(std::forward<Work>(work));
      auto call = [held = std::move(held)] { (*held)(); };
      new (&room_) decltype(call)(std::move(call));
      table_ = &kTable<decltype(call)>;
    }
  }
  Task(Task&& other) noexcept { Take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    Drop();
    Take(other);
    return *this;
  }
  ~Task() { Drop(); }

  void operator()() { table_->call(&room_); }

 private:
  static constexpr std::size_t kRoom = 48;
  struct Table {
    void (*call)(void* held);
    void (*move)(void* from, void* to) noexcept;  // and destroys the one before
    void (*destroy)(void* held) noexcept;
  };
  template <typename Held>
  static constexpr Table kTable = {
      .call = [](void* held) { (*static_cast<Held*>(held))(); },
      .move =
          [](void* from, void* to) noexcept {
            new (to) Held(std::move(*static_cast<Held*>(from)));
            static_cast<Held*>(from)->~Held();
          },
      .destroy = [](void* held) noexcept { static_cast<Held*>(held)->~Held(); }};

  void Take(Task& other) {
    table_ = std::exchange(other.table_, nullptr);
    if (table_ != nullptr) table_->move(&other.room_, &room_);
  }
  void Drop() {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(&room_);
  }

  const Table* table_ = nullptr;  // null: nothing to do
  std::aligned_storage_t<kRoom> room_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_TASK_H_
