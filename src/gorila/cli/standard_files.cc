#include "gorila/cli/standard_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace gorila::cli {
namespace {

bool IsBrokenPipe(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISFIFO(info.st_mode)) return false;
  pollfd pipe{.fd = file, .events = POLLOUT, .revents = 0};
  return ::poll(&pipe, 1, 0) > 0 && (pipe.revents & POLLERR) != 0;
}

}  // namespace

void PrepareStandardFiles() {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file) {
    if (::fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free, which is this one.
    if (::open("/dev/null", O_RDWR) < 0) return;
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

bool ReaderIsGone() { return IsBrokenPipe(STDOUT_FILENO) || IsBrokenPipe(STDERR_FILENO); }

}  // namespace gorila::cli
