#include "gorila/rpc/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gorila/base/file.h"
#include "gorila/rpc/security.h"

namespace gorila::rpc {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CertificateFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("gorila_certificates_{}", ::getpid());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(CertificateFilesTest, AreWrittenForEachRoleAndLoadAgain) {
  const std::vector<std::string> roles = {"bundle", "replay"};
  ASSERT_TRUE(WriteCertificates(folder_, roles, 30).ok());
  for (const std::string& role : roles) {
    const auto tls =
        LoadTls({folder_ / (role + ".crt"), folder_ / (role + ".key"), folder_ / "ca.crt"});
    ASSERT_TRUE(tls.ok()) << tls.status();
    EXPECT_TRUE(tls->has_value());
    struct stat info {};
    ASSERT_EQ(::stat((folder_ / (role + ".key")).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  const Status again = WriteCertificates(folder_, roles, 30);
  EXPECT_TRUE(absl::IsInvalidArgument(again));
  EXPECT_THAT(std::string(again.message()), HasSubstr("exists already"));
}

TEST_F(CertificateFilesTest, AllThreeFilesOrNone) {
  EXPECT_FALSE(LoadTls({}).value().has_value());
  const Status some = LoadTls({.certificate = "a.crt", .key = {}, .authority = "ca.crt"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(some));
  EXPECT_THAT(std::string(some.message()), HasSubstr("2 of --tls-cert, --tls-key and --tls-ca"));
}

TEST_F(CertificateFilesTest, RefusesFilesOfAnotherKind) {
  ASSERT_TRUE(WriteCertificates(folder_, std::vector<std::string>{"bundle"}, 1).ok());
  const Status swapped =
      LoadTls({folder_ / "bundle.key", folder_ / "bundle.crt", folder_ / "ca.crt"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(swapped));
  EXPECT_THAT(std::string(swapped.message()), HasSubstr("bundle.key"));
  EXPECT_TRUE(absl::IsNotFound(
      LoadTls({folder_ / "none", folder_ / "bundle.key", folder_ / "ca.crt"}).status()));
}

TEST(ExposureTest, OffLoopbackNeedsTlsOrAnExplicitWish) {
  const Endpoint open = ParseEndpoint("0.0.0.0:7000").value();
  const Endpoint loopback = ParseEndpoint("127.0.0.1:7000").value();
  EXPECT_TRUE(CheckExposure(loopback, false, false).ok());
  EXPECT_TRUE(CheckExposure(open, true, false).ok());
  EXPECT_TRUE(CheckExposure(open, false, true).ok());
  const Status refused = CheckExposure(open, false, false);
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("0.0.0.0:7000"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--insecure"));
}

}  // namespace
}  // namespace gorila::rpc
