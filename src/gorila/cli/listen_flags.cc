#include "gorila/cli/listen_flags.h"

#include <CLI/App.hpp>

#include "gorila/rpc/run_identity.h"

namespace gorila::cli {

void ListenFlags::Add(CLI::App& app) {
  app.add_option("--tls-cert", certificate_,
                 "Certificate (PEM) of the dashboard's and metrics' port")
      ->type_name("FILE");
  app.add_option("--tls-key", key_, "Its private key")->type_name("FILE");
  app.add_option("--token-file", token_file_, "File with the token that browsers must present")
      ->type_name("FILE");
  app.add_option(
         "--allow-host", names_,
         "Also answer under this name, as behind a proxy (default: addresses, localhost and "
         "the name listened on)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_flag("--insecure", insecure_, "Listen off loopback without TLS or token");
}

StatusOr<ListenAddress> ParseListenFlag(const char* flag, const std::string& text,
                                        const ListenAddress& otherwise) {
  auto address = ParseListenAddress(text, otherwise);
  if (!address.ok()) return Annotate(address.status(), flag);
  return address;
}

StatusOr<std::unique_ptr<HttpListener>> BindListener(const char* flag,
                                                     const ListenOptions& options) {
  auto listener = HttpListener::Bind(options);
  if (!listener.ok()) return Annotate(listener.status(), flag);
  return listener;
}

StatusOr<std::unique_ptr<HttpListener>> ListenFlags::Bind(const char* flag, const std::string& text,
                                                          const ListenAddress& otherwise) const {
  ListenOptions options;
  options.tls_certificate = certificate_;
  options.tls_key = key_;
  options.names = names_;
  options.insecure = insecure_;
  if (!token_file_.empty()) {
    GORILA_ASSIGN_OR_RETURN(options.token, rpc::ReadToken(token_file_));
  }
  GORILA_ASSIGN_OR_RETURN(options.address, ParseListenFlag(flag, text, otherwise));
  return BindListener(flag, options);
}

}  // namespace gorila::cli
