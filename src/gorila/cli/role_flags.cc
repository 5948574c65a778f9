#include "gorila/cli/role_flags.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>

#include "gorila/cli/listen_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/dashboard/role_metrics.h"
#include "gorila/rpc/run_identity.h"

namespace gorila::cli {

void CredentialFlags::AddTo(CLI::App& app) {
  app.add_option("--token-file", token_file_,
                 "File with the run's token, the same for all its processes")
      ->type_name("FILE");
  app.add_option("--tls-cert", tls_.certificate, "Certificate of this role, from 'gorila certs'")
      ->type_name("FILE");
  app.add_option("--tls-key", tls_.key, "Its private key")->type_name("FILE");
  app.add_option("--tls-ca", tls_.authority, "Certificate of the run's authority")
      ->type_name("FILE");
}

StatusOr<RoleCredentials> CredentialFlags::Load() const {
  RoleCredentials credentials;
  GORILA_ASSIGN_OR_RETURN(credentials.tls, rpc::LoadTls(tls_));
  GORILA_ASSIGN_OR_RETURN(credentials.token, LoadToken());
  return credentials;
}

StatusOr<std::string> CredentialFlags::LoadToken() const {
  if (token_file_.empty()) return std::string();
  return rpc::ReadToken(token_file_);
}

StatusOr<ListenOptions> CredentialFlags::LoadForListening() const {
  ListenOptions options;
  options.tls_certificate = tls_.certificate;
  options.tls_key = tls_.key;
  GORILA_ASSIGN_OR_RETURN(options.token, LoadToken());
  return options;
}

void RoleFlags::AddTo(CLI::App& app, const std::string& insecure_help) {
  app.add_option("--metrics-listen", metrics_address_, "Serve /metrics to Prometheus")
      ->type_name("HOST:PORT");
  app.add_flag("--insecure", insecure_, insecure_help);
  credentials_.AddTo(app);
}

StatusOr<std::unique_ptr<HttpListener>> RoleFlags::BindMetrics() const {
  if (metrics_address_.empty()) return nullptr;
  constexpr char kFlag[] = "--metrics-listen";
  GORILA_ASSIGN_OR_RETURN(const ListenAddress address,
                          ParseListenFlag(kFlag, metrics_address_, {}));
  ListenOptions options;
  // On loopback the page is as open as that of a run that trains here.
  if (!IsLoopback(address.host)) {
    GORILA_ASSIGN_OR_RETURN(options, credentials_.LoadForListening());
  }
  options.address = address;
  options.insecure = insecure_;
  return BindListener(kFlag, options);
}

StatusOr<std::unique_ptr<RoleMetrics>> RoleFlags::StartMetrics() const {
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<HttpListener> listener, BindMetrics());
  auto metrics = std::make_unique<RoleMetrics>();
  if (listener == nullptr) return metrics;
  metrics->page = std::make_unique<MetricsPage>(std::move(listener),
                                                [&board = metrics->board](PrometheusText& text) {
                                                  if (const auto status = board.Read())
                                                    AddRoleMetrics(*status, text);
                                                });
  fmt::print(stderr, "metrics: {}\n", metrics->page->url());
  return metrics;
}

RoleHooks MakeRoleHooks(StatusBoard& board) {
  return {.stop_requested = &StopRequested,
          .message =
              [](std::string_view message) {
                const std::time_t now =
                    std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
                // One write, so that lines of several threads stay whole.
                const std::string line =
                    fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), message);
                std::fwrite(line.data(), 1, line.size(), stderr);
              },
          .board = &board};
}

}  // namespace gorila::cli
