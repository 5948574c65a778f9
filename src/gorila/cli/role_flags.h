// The options that the verbs of a distributed run share.
#ifndef GORILA_CLI_ROLE_FLAGS_H_
#define GORILA_CLI_ROLE_FLAGS_H_

#include <filesystem>
#include <memory>
#include <string>

#include "gorila/base/status.h"
#include "gorila/dashboard/http_listener.h"
#include "gorila/dashboard/metrics_page.h"
#include "gorila/launch/role_options.h"
#include "gorila/rpc/security.h"

namespace CLI {
class App;
}

namespace gorila::cli {

// Not copied while CLI11 refers to it.
class CredentialFlags {
 public:
  void AddTo(CLI::App& app);
  StatusOr<RoleCredentials> Load() const;
  // The same for a page that is read over HTTP: a certificate, but none of the reader's.
  StatusOr<ListenOptions> LoadForListening() const;

 private:
  StatusOr<std::string> LoadToken() const;  // empty without a file

  std::filesystem::path token_file_;
  rpc::TlsFiles tls_;
};

// A role's own figures for Prometheus, served for as long as this lives.
struct RoleMetrics {
  StatusBoard board;                  // what the role shows
  std::unique_ptr<MetricsPage> page;  // reads the board; null unless requested
};

// The options of every role: credentials, and its port for Prometheus. Not copied while CLI11
// refers to it.
class RoleFlags {
 public:
  // `insecure_help`: what --insecure means for the role.
  void AddTo(CLI::App& app, const std::string& insecure_help);
  StatusOr<RoleCredentials> Load() const { return credentials_.Load(); }
  bool insecure() const { return insecure_; }

  // The port of --metrics-listen; null without the flag. InvalidArgument when the port is not
  // available.
  StatusOr<std::unique_ptr<HttpListener>> BindMetrics() const;
  // Serves there, and says where on stderr.
  StatusOr<std::unique_ptr<RoleMetrics>> StartMetrics() const;

 private:
  CredentialFlags credentials_;
  std::string metrics_address_;
  bool insecure_ = false;
};

inline constexpr char kInsecureMetrics[] =
    "Serve metrics off loopback without certificate or token";

// Stops when StopRequested(); messages go to stderr, a line each with the time. The role
// shows itself on `board`.
RoleHooks MakeRoleHooks(StatusBoard& board);

}  // namespace gorila::cli

#endif  // GORILA_CLI_ROLE_FLAGS_H_
