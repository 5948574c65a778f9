#ifndef GORILA_CLI_VERSION_H_
#define GORILA_CLI_VERSION_H_

#include <string_view>

namespace gorila::cli {

// "0.1.0", and the commit it was configured at where git knew it: "0.1.0 (1a2b3c4)".
std::string_view Version();

}  // namespace gorila::cli

#endif  // GORILA_CLI_VERSION_H_
