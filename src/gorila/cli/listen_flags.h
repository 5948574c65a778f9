// The options of pages that are served over the network, shared by all verbs that have them.
#ifndef GORILA_CLI_LISTEN_FLAGS_H_
#define GORILA_CLI_LISTEN_FLAGS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/dashboard/http_listener.h"

namespace CLI {
class App;
}

namespace gorila::cli {

// The address that `text` (the value of `flag`) names, as ParseListenAddress; errors have the flag.
StatusOr<ListenAddress> ParseListenFlag(const char* flag, const std::string& text,
                                        const ListenAddress& otherwise);

// Takes the port that `options` name. InvalidArgument, with the flag, when it is not available.
StatusOr<std::unique_ptr<HttpListener>> BindListener(const char* flag,
                                                     const ListenOptions& options);

// How a port off loopback is secured. Not copied while CLI11 refers to it.
class ListenFlags {
 public:
  // --tls-cert, --tls-key, --token-file, --allow-host and --insecure.
  void Add(CLI::App& app);

  // As the two above; an unreadable token file keeps its own error.
  StatusOr<std::unique_ptr<HttpListener>> Bind(const char* flag, const std::string& text,
                                               const ListenAddress& otherwise) const;

 private:
  std::filesystem::path certificate_;
  std::filesystem::path key_;
  std::filesystem::path token_file_;
  std::vector<std::string> names_;
  bool insecure_ = false;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_LISTEN_FLAGS_H_
