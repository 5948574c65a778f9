// Files that stay open while others of a run are written: logs that grow, locks. In a simulation
// (simulation/) they are of its disk, and base/file.h sees the same ones.
#ifndef GORILA_BASE_DESCRIPTOR_H_
#define GORILA_BASE_DESCRIPTOR_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace gorila {

// What stands for the system calls of the same names: -1 and errno for an error.
class SimulatedDescriptors {
 public:
  virtual ~SimulatedDescriptors() = default;
  virtual int Open(const std::filesystem::path& path, int flags) = 0;
  virtual ssize_t WriteAt(int file, std::string_view bytes, std::uint64_t offset) = 0;
  virtual int Truncate(int file, std::uint64_t bytes) = 0;
  virtual int Sync(int file) = 0;
  virtual int Lock(int file) = 0;
  virtual int Close(int file) = 0;
};

// Null in threads that simulate nothing.
inline constinit thread_local SimulatedDescriptors* simulated_descriptors = nullptr;

// open(2), of mode 0644; `flags` as there. Never inherited by other programs.
int OpenDescriptor(const std::filesystem::path& path, int flags);
// pwrite(2), ftruncate(2), fsync(2) and close(2).
ssize_t WriteDescriptorAt(int file, std::string_view bytes, std::uint64_t offset);
int TruncateDescriptor(int file, std::uint64_t bytes);
int SyncDescriptor(int file);
int CloseDescriptor(int file);
// flock(2), exclusively and without waiting.
int LockDescriptor(int file);

}  // namespace gorila

#endif  // GORILA_BASE_DESCRIPTOR_H_
