#include "gorila/rpc/shared_memory.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gorila/rpc/descriptor.h"
#include "gorila/rpc/system_random.h"

namespace gorila::rpc {
namespace {

static_assert(SharedMemory::kSecretBytes <= SharedMemory::kAlignment);

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Status SystemError(const char* what) {
  return Unavailable("shared memory: {}: {}", what, std::strerror(errno));
}

// Only a regular file of this user is opened, because opening a device or a pipe can have effects.
Status CheckFile(int descriptor, std::size_t size) {
  struct stat file {};
  if (::fstat(descriptor, &file) != 0) return SystemError("cannot look at it");
  if (S_ISREG(file.st_mode) && file.st_uid == ::geteuid() &&
      file.st_size == static_cast<off_t>(size)) {
    return OkStatus();
  }
  return InvalidArgument("shared memory: expected {} bytes of this user, found {}", size,
                         file.st_size);
}

Status CheckSeals(int descriptor) {
  const int seals = ::fcntl(descriptor, F_GET_SEALS);
  if (seals >= 0 && (seals & kSeals) == kSeals) return OkStatus();
  return InvalidArgument("shared memory: its size is not sealed");
}

}  // namespace

StatusOr<std::shared_ptr<SharedMemory>> SharedMemory::Create(std::size_t bytes) {
  const int descriptor = ::memfd_create("gorila", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return SystemError("cannot be made");
  std::shared_ptr<SharedMemory> memory(new SharedMemory(descriptor, bytes));
  const auto size = static_cast<off_t>(kAlignment + bytes);
  // Reserved now, because a first access without memory would end the process.
  if (const int error = ::posix_fallocate(descriptor, 0, size); error != 0) {
    errno = error;
    return SystemError("cannot reserve it");
  }
  if (::fcntl(descriptor, F_ADD_SEALS, kSeals) != 0) return SystemError("cannot be sealed");
  // The lock ends with this process, so others can see whether the memory is still in use.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return SystemError("cannot be locked");
  GORILA_RETURN_IF_ERROR(memory->Map());
  GORILA_RETURN_IF_ERROR(FillFromSystem(memory->secret()));
  return memory;
}

StatusOr<std::shared_ptr<SharedMemory>> SharedMemory::Open(const SharedMemoryTicket& ticket) {
  const std::string path = fmt::format("/proc/{}/fd/{}", ticket.process, ticket.descriptor);
  const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.get() < 0) return SystemError("cannot be reached");
  GORILA_RETURN_IF_ERROR(CheckFile(place.get(), kAlignment + ticket.bytes));
  const std::string own = fmt::format("/proc/self/fd/{}", place.get());
  const int descriptor = ::open(own.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return SystemError("cannot be opened");
  std::shared_ptr<SharedMemory> memory(new SharedMemory(descriptor, ticket.bytes));
  GORILA_RETURN_IF_ERROR(CheckSeals(descriptor));
  GORILA_RETURN_IF_ERROR(memory->Map());
  if (ticket.secret.size() == kSecretBytes &&
      CRYPTO_memcmp(ticket.secret.data(), memory->secret().data(), kSecretBytes) == 0) {
    return memory;
  }
  return InvalidArgument("shared memory: its secret differs from the offered one");
}

SharedMemory::~SharedMemory() {
  if (mapped_ != nullptr) ::munmap(mapped_, kAlignment + bytes_);
  ::close(descriptor_);
}

Status SharedMemory::Map() {
  void* const mapped = ::mmap(nullptr, kAlignment + bytes_, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_POPULATE, descriptor_, 0);
  if (mapped == MAP_FAILED) return SystemError("cannot be mapped");
  mapped_ = static_cast<std::byte*>(mapped);
  return OkStatus();
}

std::span<std::byte> SharedMemory::bytes() const { return {mapped_ + kAlignment, bytes_}; }
std::span<std::byte> SharedMemory::secret() const { return {mapped_, kSecretBytes}; }

SharedMemoryTicket SharedMemory::ticket() const {
  return {.process = ::getpid(),
          .descriptor = descriptor_,
          .bytes = bytes_,
          .secret = std::string(reinterpret_cast<const char*>(mapped_), kSecretBytes)};
}

bool SharedMemory::MakerIsGone() const {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) return false;
  ::flock(descriptor_, LOCK_UN);
  return true;
}

}  // namespace gorila::rpc
