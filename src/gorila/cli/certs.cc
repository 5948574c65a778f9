#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/verb.h"
#include "gorila/launch/roles.h"
#include "gorila/rpc/certificates.h"
#include "gorila/rpc/run_identity.h"

namespace gorila::cli {
namespace {

constexpr int kMaxDays = 3650;

struct CertsOptions {
  std::filesystem::path folder;
  int days = 365;
};

StatusOr<int> MakeCerts(const CertsOptions& options) {
  const std::filesystem::path token_file = options.folder / "token";
  std::error_code error;
  if (std::filesystem::exists(token_file, error)) {
    return InvalidArgument("'{}' exists already", token_file.string());
  }
  GORILA_ASSIGN_OR_RETURN(const std::string token, rpc::DrawToken());
  const std::vector<std::string> roles = CertificateNames();
  GORILA_RETURN_IF_ERROR(rpc::WriteCertificates(options.folder, roles, options.days));
  GORILA_RETURN_IF_ERROR(rpc::WriteSecretFile(token_file, token + "\n"));
  const std::string folder = options.folder.string();
  fmt::print("{}/token, {}/ca.crt, and a .crt and a .key for each role: {}\n", folder, folder,
             fmt::join(roles, ", "));
  fmt::print(
      "give each process token, ca.crt and the two files of its role; keep ca.key to yourself\n");
  return kSuccess;
}

constexpr CommandText kCertsText = {
    .name = "certs",
    .summary = "Create a token and certificates for a run on several machines",
    .details =
        R"(A certificate identifies a role, not a machine, so it works wherever that role runs. All are signed
by an authority that is created for this run only.
)",
    .examples = R"(gorila certs certs
gorila certs certs --days 30
)"};

}  // namespace

Verb AddCertsVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kCertsText);
  const auto options = std::make_shared<CertsOptions>();
  app->add_option("DIR", options->folder, "Folder to write to; created if missing")
      ->required()
      ->type_name("");
  AddNumber(*app, "--days", options->days, {.low = 1, .high = kMaxDays, .units = false},
            "Days for which the certificates are valid (default: 365)");
  return {app, [options](const Invocation&) { return MakeCerts(*options); }};
}

}  // namespace gorila::cli
