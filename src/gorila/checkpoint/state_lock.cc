#include "gorila/checkpoint/state_lock.h"

#include "gorila/base/runtime.h"

namespace gorila {
namespace {

constexpr std::string_view kEnding = "ending\n";
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

StatusOr<std::unique_ptr<StateLock>> StateLock::Acquire(const std::filesystem::path& folder,
                                                        const StateLockWait& wait) {
  GORILA_RETURN_IF_ERROR(CreateDurableFolders(folder));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<LockFile> file, LockFile::Open(folder / ".lock"));
  std::unique_ptr<StateLock> lock(new StateLock(std::move(file)));
  const SteadyTime began = SteadyNow();
  bool ending = false;
  while (lock->Try() == LockFile::Outcome::kBusy) {
    if (!ending && lock->file_->Read() == kEnding) {
      ending = true;
      if (wait.message) wait.message("waiting for the process before this one to end");
    }
    if (SteadyNow() - began >= (ending ? wait.for_ending : wait.for_running)) {
      if (wait.message) wait.message("another process has the state folder; replacing it");
      break;
    }
    if (wait.stop_requested && wait.stop_requested()) {
      return absl::CancelledError(
          fmt::format("stopped while another process had '{}'", folder.string()));
    }
    SleepFor(kLook);
  }
  return lock;
}

LockFile::Outcome StateLock::Try() {
  if (held_) return LockFile::Outcome::kHeld;
  const LockFile::Outcome outcome = file_->TryLock();
  held_ = outcome == LockFile::Outcome::kHeld;
  if (held_) file_->Write("");  // what the holder before said
  return outcome;
}

void StateLock::MarkEnding() {
  if (held_) file_->Write(kEnding);
}

}  // namespace gorila
