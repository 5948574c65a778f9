// The lock of a server's state folder, <folder>/.lock, held for life. It makes processes of one
// machine follow each other: a successor starts from the last snapshot of the one before it.
// It fences nobody off, because a holder may be cut off or hang: generations do (generation.h).
#ifndef GORILA_CHECKPOINT_STATE_LOCK_H_
#define GORILA_CHECKPOINT_STATE_LOCK_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/status.h"

namespace gorila {

struct StateLockWait {
  std::function<bool()> stop_requested = {};           // may be empty
  std::function<void(std::string_view)> message = {};  // may be empty
  std::chrono::milliseconds for_running{2000};         // a holder that does not end
  std::chrono::milliseconds for_ending{60'000};        // one that writes its last snapshot
};

// One thread at a time.
class StateLock {
 public:
  // Makes `folder` when it is missing. Waits for the holder to end; after the times of `wait` it
  // gives a lock that is not held, and the caller replaces the holder. Cancelled when stop is
  // requested before, Unavailable when the folder cannot be written.
  static StatusOr<std::unique_ptr<StateLock>> Acquire(const std::filesystem::path& folder,
                                                      const StateLockWait& wait);
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

  // Tries again where the lock is not held: the holder may be gone by now.
  void TryAgain() { Try(); }
  // Tells a successor that waiting is worth it.
  void MarkEnding();

  bool held() const { return held_; }

 private:
  explicit StateLock(std::unique_ptr<LockFile> file) : file_(std::move(file)) {}
  LockFile::Outcome Try();

  const std::unique_ptr<LockFile> file_;
  bool held_ = false;
};

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_STATE_LOCK_H_
