#include "gorila/base/descriptor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace gorila {

int OpenDescriptor(const std::filesystem::path& path, int flags) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->Open(path, flags);
  return ::open(path.c_str(), flags | O_CLOEXEC, 0644);
}

ssize_t WriteDescriptorAt(int file, std::string_view bytes, std::uint64_t offset) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->WriteAt(file, bytes, offset);
  return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

int TruncateDescriptor(int file, std::uint64_t bytes) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->Truncate(file, bytes);
  return ::ftruncate(file, static_cast<off_t>(bytes));
}

int SyncDescriptor(int file) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->Sync(file);
  return ::fsync(file);
}

int CloseDescriptor(int file) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->Close(file);
  return ::close(file);
}

int LockDescriptor(int file) {
  if (simulated_descriptors != nullptr) return simulated_descriptors->Lock(file);
  return ::flock(file, LOCK_EX | LOCK_NB);
}

}  // namespace gorila
