#include "gorila/rpc/certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/rpc/run_identity.h"
#include "gorila/rpc/security.h"

namespace gorila::rpc {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<&X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<&X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Free<&BIO_free>>;

constexpr long kHour = 3600;
constexpr long kDay = 24 * kHour;

Status OpenSslError(const char* what) {
  const char* const reason = ::ERR_reason_error_string(::ERR_peek_last_error());
  return Unavailable("OpenSSL: {} failed: {}", what,
                     reason == nullptr ? "no reason given" : reason);
}

// The contents of a memory BIO that `write` fills.
template <typename Write>
StatusOr<std::string> ToPem(Write write) {
  const Bio bio(::BIO_new(::BIO_s_mem()));
  if (bio == nullptr || write(bio.get()) != 1) return OpenSslError("writing PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

StatusOr<PemPair> Encode(X509* certificate, EVP_PKEY* key) {
  PemPair pair;
  GORILA_ASSIGN_OR_RETURN(pair.certificate,
                          ToPem([&](BIO* bio) { return ::PEM_write_bio_X509(bio, certificate); }));
  GORILA_ASSIGN_OR_RETURN(pair.key, ToPem([&](BIO* bio) {
                            return ::PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0,
                                                                   nullptr, nullptr);
                          }));
  return pair;
}

struct ExtensionText {
  int id;
  std::string value;
};

bool AddExtensions(X509* certificate, X509* issuer, const std::vector<ExtensionText>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const ExtensionText& text : extensions) {
    const Extension extension(
        ::X509V3_EXT_conf_nid(nullptr, &context, text.id, text.value.c_str()));
    if (extension == nullptr || ::X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

bool SetSerialNumber(X509* certificate) {
  unsigned char bytes[16] = {};
  if (::RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // serial numbers are positive
  BIGNUM* const number = ::BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool set = number != nullptr &&
                   ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(certificate)) != nullptr;
  ::BN_free(number);
  return set;
}

bool SetNames(X509* certificate, const std::string& name, X509_NAME* issuer) {
  X509_NAME* const subject = ::X509_get_subject_name(certificate);
  return ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                      0) == 1 &&
         ::X509_set_issuer_name(certificate, issuer == nullptr ? subject : issuer) == 1;
}

// Signed by `issuer` with `issuer_key`; both null: by itself.
StatusOr<Certificate> MakeCertificate(const std::string& name, EVP_PKEY* key, X509* issuer,
                                      EVP_PKEY* issuer_key, int days,
                                      const std::vector<ExtensionText>& extensions) {
  Certificate certificate(::X509_new());
  X509* const raw = certificate.get();
  const bool made =
      raw != nullptr && ::X509_set_version(raw, 2) == 1 && SetSerialNumber(raw) &&
      ::X509_gmtime_adj(X509_getm_notBefore(raw), -kHour) != nullptr &&
      ::X509_gmtime_adj(X509_getm_notAfter(raw), kDay * days) != nullptr &&
      ::X509_set_pubkey(raw, key) == 1 &&
      SetNames(raw, name, issuer == nullptr ? nullptr : ::X509_get_subject_name(issuer)) &&
      AddExtensions(raw, issuer == nullptr ? raw : issuer, extensions) &&
      ::X509_sign(raw, issuer_key == nullptr ? key : issuer_key, ::EVP_sha256()) > 0;
  if (!made) return OpenSslError("making a certificate");
  return certificate;
}

}  // namespace

StatusOr<RunCertificates> MakeCertificates(std::span<const std::string> roles, int days) {
  RunCertificates made;
  const Key authority_key(::EVP_EC_gen("P-256"));
  if (authority_key == nullptr) return OpenSslError("making a key");
  GORILA_ASSIGN_OR_RETURN(
      const Certificate authority,
      MakeCertificate("gorila run CA", authority_key.get(), nullptr, nullptr, days,
                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                       {NID_subject_key_identifier, "hash"}}));
  GORILA_ASSIGN_OR_RETURN(made.authority, Encode(authority.get(), authority_key.get()));
  for (const std::string& role : roles) {
    const Key key(::EVP_EC_gen("P-256"));
    if (key == nullptr) return OpenSslError("making a key");
    const std::string name = CertificateName(role);
    GORILA_ASSIGN_OR_RETURN(
        const Certificate certificate,
        MakeCertificate(name, key.get(), authority.get(), authority_key.get(), days,
                        {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "serverAuth,clientAuth"},
                         {NID_subject_alt_name, "DNS:" + name}}));
    GORILA_ASSIGN_OR_RETURN(PemPair pair, Encode(certificate.get(), key.get()));
    made.roles.push_back(std::move(pair));
  }
  return made;
}

Status WriteCertificates(const std::filesystem::path& folder, std::span<const std::string> roles,
                         int days) {
  GORILA_ASSIGN_OR_RETURN(const RunCertificates made, MakeCertificates(roles, days));
  GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  std::vector<std::pair<std::filesystem::path, const PemPair*>> files = {
      {folder / "ca", &made.authority}};
  for (std::size_t i = 0; i < roles.size(); ++i) {
    files.emplace_back(folder / roles[i], &made.roles[i]);
  }
  for (const auto& [stem, pair] : files) {
    for (const char* const suffix : {".crt", ".key"}) {
      const std::string path = stem.string() + suffix;
      std::error_code error;
      if (std::filesystem::exists(path, error)) return InvalidArgument("'{}' exists already", path);
    }
  }
  for (const auto& [stem, pair] : files) {
    GORILA_RETURN_IF_ERROR(WriteSecretFile(stem.string() + ".key", pair->key));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(stem.string() + ".crt", pair->certificate));
  }
  return OkStatus();
}

}  // namespace gorila::rpc
