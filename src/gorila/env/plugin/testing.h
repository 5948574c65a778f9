#ifndef GORILA_ENV_PLUGIN_TESTING_H_
#define GORILA_ENV_PLUGIN_TESTING_H_

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace gorila {

// The absolute path of a plug-in that was built for tests ("test_plugin") or of an example
// ("maze"). Only for sources in GORILA_PLUGIN_FOLDER's list (CMakeLists.txt).
#if defined(GORILA_PLUGIN_FOLDER)
inline std::string TestPlugin(std::string_view name) {
  return fmt::format("{}/lib{}.so", GORILA_PLUGIN_FOLDER, name);
}
#endif

}  // namespace gorila

#endif  // GORILA_ENV_PLUGIN_TESTING_H_
