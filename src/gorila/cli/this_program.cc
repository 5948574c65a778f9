#include "gorila/cli/this_program.h"

namespace gorila::cli {

StatusOr<std::filesystem::path> ThisProgram() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Unavailable("cannot find this program: {}", error.message());
  return program;
}

}  // namespace gorila::cli
