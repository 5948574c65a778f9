#include "gorila/rpc/security.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"

namespace gorila::rpc {
namespace {

constexpr std::string_view kNameSuffix = ".gorila";

StatusOr<std::string> ReadPem(const std::filesystem::path& path, std::string_view kind) {
  GORILA_ASSIGN_OR_RETURN(std::string contents, ReadFileOf(kSecretFile, path));
  if (contents.find("-----BEGIN ") != std::string::npos &&
      contents.find(std::string(kind) + "-----") != std::string::npos) {
    return contents;
  }
  return InvalidArgument("'{}' is not a PEM file with a {}", path.string(), kind);
}

}  // namespace

StatusOr<std::optional<TlsIdentity>> LoadTls(const TlsFiles& files) {
  const int given = static_cast<int>(!files.certificate.empty()) +
                    static_cast<int>(!files.key.empty()) +
                    static_cast<int>(!files.authority.empty());
  if (given == 0) return std::optional<TlsIdentity>();
  if (given < 3) {
    return InvalidArgument("{} of --tls-cert, --tls-key and --tls-ca given; expected all three",
                           given);
  }
  TlsIdentity tls;
  GORILA_ASSIGN_OR_RETURN(tls.certificate, ReadPem(files.certificate, "CERTIFICATE"));
  GORILA_ASSIGN_OR_RETURN(tls.key, ReadPem(files.key, "PRIVATE KEY"));
  GORILA_ASSIGN_OR_RETURN(tls.authority, ReadPem(files.authority, "CERTIFICATE"));
  return std::optional<TlsIdentity>(std::move(tls));
}

Status CheckExposure(const Endpoint& listen, bool has_tls, bool insecure) {
  if (has_tls || insecure || IsLoopback(listen)) return OkStatus();
  return InvalidArgument(
      "--listen {} can be reached from other machines; expected --tls-cert, --tls-key and --tls-ca "
      "(see: gorila certs --help), or --insecure",
      ToString(listen));
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const std::optional<TlsIdentity>& tls) {
  if (!tls.has_value()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls->authority;
  options.pem_key_cert_pairs.push_back({tls->key, tls->certificate});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::optional<TlsIdentity>& tls) {
  if (!tls.has_value()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls->authority;
  options.pem_private_key = tls->key;
  options.pem_cert_chain = tls->certificate;
  return grpc::SslCredentials(options);
}

std::string CertificateName(std::string_view role) {
  return std::string(role) + std::string(kNameSuffix);
}

std::string PeerRole(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return "";
  for (const grpc::string_ref& value : context.FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
    const std::string_view name(value.data(), value.size());
    if (name.size() > kNameSuffix.size() && name.ends_with(kNameSuffix)) {
      return std::string(name.substr(0, name.size() - kNameSuffix.size()));
    }
  }
  return "";
}

}  // namespace gorila::rpc
