#include "gorila/base/command.h"

#include <fcntl.h>
#include <signal.h>  // sigset_t is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace gorila {
namespace {

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./=,:+@%").find(c) != std::string_view::npos;
}

std::string ReadToEnd(int file) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return text;
    }
  }
}

// Its input is empty, its output goes to `output`.
int Spawn(const std::vector<std::string>& arguments, int output, pid_t& pid) {
  const std::vector<char*> pointers = NullTerminated(arguments);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  // Signals that a thread of this process waits for would otherwise never end the child.
  sigset_t none;
  ::sigemptyset(&none);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  const int error =
      ::posix_spawnp(&pid, pointers[0], &files, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

std::string ShellQuoted(std::string_view argument) {
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), IsPlain)) {
    return std::string(argument);
  }
  std::string quoted(1, '\'');
  for (const char c : argument) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  quoted += '\'';
  return quoted;
}

std::string ShellQuotedPath(std::string_view path) {
  return ShellQuoted(path.starts_with('-') ? "./" + std::string(path) : std::string(path));
}

std::string ShellQuoted(std::span<const std::string> arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    if (!text.empty()) text += ' ';
    text += ShellQuoted(argument);
  }
  return text;
}

std::vector<char*> NullTerminated(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

StatusOr<CommandOutcome> RunCommand(const std::vector<std::string>& arguments) {
  GORILA_CHECK(!arguments.empty(), "no program");
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Unavailable("cannot create a pipe: {}", std::strerror(errno));
  }
  pid_t pid = 0;
  const int error = Spawn(arguments, ends[1], pid);
  ::close(ends[1]);
  CommandOutcome outcome;
  if (error == 0) outcome.output = ReadToEnd(ends[0]);
  ::close(ends[0]);
  if (error == ENOENT)
    return NotFound("program '{}' is not on PATH; install it, or extend PATH", arguments[0]);
  if (error != 0) return Unavailable("cannot run '{}': {}", arguments[0], std::strerror(error));
  int wait_status = 0;
  while (::waitpid(pid, &wait_status, 0) < 0) {
    if (errno != EINTR)
      return Unavailable("cannot wait for '{}': {}", arguments[0], std::strerror(errno));
  }
  outcome.exit_status =
      WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  return outcome;
}

}  // namespace gorila
