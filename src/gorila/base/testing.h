// For tests of what depends on the process's environment.
#ifndef GORILA_BASE_TESTING_H_
#define GORILA_BASE_TESTING_H_

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

}  // namespace gorila

#endif  // GORILA_BASE_TESTING_H_
