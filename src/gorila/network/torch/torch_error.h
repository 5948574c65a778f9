// libtorch's exceptions, which stay inside the module.
#ifndef GORILA_NETWORK_TORCH_TORCH_ERROR_H_
#define GORILA_NETWORK_TORCH_TORCH_ERROR_H_

#include <c10/util/Exception.h>

#include <exception>
#include <string>

namespace gorila {

// The message of the exception being handled, in one line and without a backtrace.
inline std::string TorchErrorText() {
  std::string text;
  try {
    throw;
  } catch (const c10::Error& error) {
    text = error.what_without_backtrace();
  } catch (const std::exception& error) {
    text = error.what();
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace gorila

#endif  // GORILA_NETWORK_TORCH_TORCH_ERROR_H_
