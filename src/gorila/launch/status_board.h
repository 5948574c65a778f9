// Where the present figures of this process can be had, for whoever shows them (its /metrics).
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

  // From now on `look` says what the process shows of itself. It is called from any thread.
  void Show(Look look) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    look_ = std::move(look);
  }
  // Nothing any more; returns when no look is under way.
  void Clear() GORILA_EXCLUDES(mutex_) { Show({}); }

  // Nothing before the process has something to show, and at its end.
  std::optional<v1::RoleStatus> Read() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!look_) return std::nullopt;
    return look_();
  }

 private:
  Mutex mutex_;
  Look look_ GORILA_GUARDED_BY(mutex_);
};

// Shows what `look` says for as long as this lives. The board may be null.
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
