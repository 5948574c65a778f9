// Helpers of the tests of networks.
#ifndef GORILA_NETWORK_TESTING_H_
#define GORILA_NETWORK_TESTING_H_

#include <cstdlib>
#include <string>
#include <string_view>

namespace gorila {

// Where a test computes networks of `backend`: on GORILA_TEST_DEVICE (cuda or cuda:N) with the
// backend torch where that is set, otherwise on the CPU.
inline std::string TestDevice(std::string_view backend) {
  const char* const device = std::getenv("GORILA_TEST_DEVICE");
  return backend == "torch" && device != nullptr ? device : "cpu";
}

}  // namespace gorila

#endif  // GORILA_NETWORK_TESTING_H_
