// Mutual TLS between the roles of a run.
//
// A certificate identifies a role, not a host: its subject alternative name is "<role>.gorila".
// Clients accept a server only with the certificate of the role they expect, servers know their
// callers' roles by theirs. So a certificate can move with its role.
#ifndef GORILA_RPC_SECURITY_H_
#define GORILA_RPC_SECURITY_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/rpc/endpoint.h"

namespace grpc {
class AuthContext;
}

namespace gorila::rpc {

// Contents of PEM files.
struct TlsIdentity {
  std::string certificate;
  std::string key;
  std::string authority;  // that signed the certificates of all roles
};

struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

// nullopt when no file is named. InvalidArgument when only some are named, or one is not a PEM file
// of its kind; NotFound or Unavailable when one cannot be read.
StatusOr<std::optional<TlsIdentity>> LoadTls(const TlsFiles& files);

// InvalidArgument when a server listening there would be open to everybody: off loopback it needs
// TLS or `insecure`.
Status CheckExposure(const Endpoint& listen, bool has_tls, bool insecure);

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const std::optional<TlsIdentity>& tls);
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::optional<TlsIdentity>& tls);

// The name that the certificates of a role carry.
std::string CertificateName(std::string_view role);

// The role that the peer's certificate names; empty when it names none (or there is no TLS).
std::string PeerRole(const grpc::AuthContext& context);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_SECURITY_H_
