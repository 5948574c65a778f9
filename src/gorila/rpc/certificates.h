// A certificate authority of a run's own, and certificates for its roles.
#ifndef GORILA_RPC_CERTIFICATES_H_
#define GORILA_RPC_CERTIFICATES_H_

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"

namespace gorila::rpc {

struct PemPair {
  std::string certificate;
  std::string key;  // a secret
};

struct RunCertificates {
  PemPair authority;
  std::vector<PemPair> roles;  // as the roles were given
};

// ECDSA on P-256. Certificates are valid from an hour ago (clocks differ) for `days` (>= 1) from
// now, for TLS servers and clients alike, under the name CertificateName(role). Thread-safe.
StatusOr<RunCertificates> MakeCertificates(std::span<const std::string> roles, int days);

// Writes ca.crt, ca.key and for each role <role>.crt and <role>.key into `folder`, which is made
// when it is missing; only the owner can read keys. InvalidArgument when one of the files exists;
// then nothing is written.
Status WriteCertificates(const std::filesystem::path& folder, std::span<const std::string> roles,
                         int days);

}  // namespace gorila::rpc

#endif  // GORILA_RPC_CERTIFICATES_H_
