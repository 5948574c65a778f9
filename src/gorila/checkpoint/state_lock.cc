#include "gorila/checkpoint/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include "gorila/base/file.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kEnding = "ending\n";
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

StatusOr<std::unique_ptr<StateLock>> StateLock::Acquire(const std::filesystem::path& folder,
                                                        const StateLockWait& wait) {
  GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  const int file = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return Unavailable("cannot write to '{}': {}", folder.string(), strerror(errno));
  std::unique_ptr<StateLock> lock(new StateLock(file));
  const auto began = Clock::now();
  bool ending = false;
  for (lock->TryAgain(); !lock->held_; lock->TryAgain()) {
    if (errno != EWOULDBLOCK && errno != EINTR) break;  // a file system without such locks
    if (!ending && lock->HolderIsEnding()) {
      ending = true;
      if (wait.message) wait.message("waiting for the process before this one to end");
    }
    if (Clock::now() - began >= (ending ? wait.for_ending : wait.for_running)) {
      if (wait.message) wait.message("another process has the state folder; replacing it");
      break;
    }
    if (wait.stop_requested && wait.stop_requested()) {
      return absl::CancelledError(
          fmt::format("stopped while another process had '{}'", folder.string()));
    }
    std::this_thread::sleep_for(kLook);
  }
  return lock;
}

StateLock::~StateLock() { ::close(file_); }

void StateLock::TryAgain() {
  if (held_ || ::flock(file_, LOCK_EX | LOCK_NB) != 0) return;
  held_ = true;
  // What the holder before said. Without it a successor would only wait for longer.
  [[maybe_unused]] const int truncated = ::ftruncate(file_, 0);
}

void StateLock::MarkEnding() {
  if (!held_) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(file_, kEnding.data(), kEnding.size(), 0);
}

bool StateLock::HolderIsEnding() const {
  std::string text(kEnding.size(), '\0');
  const ssize_t count = ::pread(file_, text.data(), text.size(), 0);
  return count == static_cast<ssize_t>(kEnding.size()) && text == kEnding;
}

}  // namespace gorila
