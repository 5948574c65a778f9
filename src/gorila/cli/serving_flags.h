// The options of a process that serves others: a parameter server or a replay shard.
#ifndef GORILA_CLI_SERVING_FLAGS_H_
#define GORILA_CLI_SERVING_FLAGS_H_

#include <filesystem>
#include <memory>
#include <string>

#include "gorila/base/status.h"
#include "gorila/cli/role_flags.h"
#include "gorila/launch/serving.h"

namespace gorila::cli {

// Not copied while CLI11 refers to it.
class ServingFlags {
 public:
  enum class State { kKept, kNone };

  // `index_flag`: what says which server of its role this is.
  void AddTo(CLI::App& app, const std::string& index_flag, State state = State::kKept);
  StatusOr<ServingOptions> Load() const;
  StatusOr<std::unique_ptr<RoleMetrics>> StartMetrics() const { return role_.StartMetrics(); }

 private:
  int index_ = 0;
  std::string listen_ = "127.0.0.1:0";
  std::filesystem::path state_folder_;
  std::filesystem::path address_file_;
  RoleFlags role_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_SERVING_FLAGS_H_
