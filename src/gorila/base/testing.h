// For tests of what depends on the process's environment and limits.
#ifndef GORILA_BASE_TESTING_H_
#define GORILA_BASE_TESTING_H_

#include <pthread.h>

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace gorila {

// An environment variable with another value, unset without one, until this goes away. Not while
// other threads look at the environment.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::optional<std::string>& value)
      : name_(std::move(name)) {
    if (const char* const now = std::getenv(name_.c_str())) before_ = now;
    Set(value);
  }
  ~ScopedVariable() { Set(before_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void Set(const std::optional<std::string>& value) const {
    value.has_value() ? setenv(name_.c_str(), value->c_str(), 1) : unsetenv(name_.c_str());
  }

  const std::string name_;
  std::optional<std::string> before_;
};

// No thread can be started until this goes away: none has room for the stack that it would get.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&attributes_);
    pthread_attr_getstacksize(&attributes_, &before_);
    constexpr std::size_t kTooLarge = std::size_t{1} << 46;
    SetStackSize(kTooLarge);
  }
  ~NoThreads() {
    SetStackSize(before_);
    pthread_attr_destroy(&attributes_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  void SetStackSize(std::size_t size) {
    pthread_attr_setstacksize(&attributes_, size);
    pthread_setattr_default_np(&attributes_);
  }

  pthread_attr_t attributes_{};
  std::size_t before_ = 0;
};

}  // namespace gorila

#endif  // GORILA_BASE_TESTING_H_
