// Gives the process's current figures to what shows them (its /metrics).
#ifndef GORILA_LAUNCH_STATUS_BOARD_H_
#define GORILA_LAUNCH_STATUS_BOARD_H_

#include <functional>
#include <optional>
#include <utility>

#include "gorila/base/mutex.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// Thread-safe.
class StatusBoard {
 public:
  using Look = std::function<v1::RoleStatus()>;

  // `look` provides the process's figures from now on. It is called from any thread.
  void Show(Look look) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    look_ = std::move(look);
  }
  // Shows nothing from now on; returns when no look is in progress.
  void Clear() GORILA_EXCLUDES(mutex_) { Show({}); }

  // nullopt before the process has something to show, and at its end.
  std::optional<v1::RoleStatus> Read() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!look_) return std::nullopt;
    return look_();
  }

 private:
  Mutex mutex_;
  Look look_ GORILA_GUARDED_BY(mutex_);
};

// Shows the figures from `look` for as long as this lives. The board may be null.
class ShownStatus {
 public:
  ShownStatus(StatusBoard* board, StatusBoard::Look look) : board_(board) {
    if (board_ != nullptr) board_->Show(std::move(look));
  }
  ~ShownStatus() {
    if (board_ != nullptr) board_->Clear();
  }
  ShownStatus(const ShownStatus&) = delete;
  ShownStatus& operator=(const ShownStatus&) = delete;

 private:
  StatusBoard* const board_;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_STATUS_BOARD_H_
