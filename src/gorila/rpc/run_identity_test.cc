#include "gorila/rpc/run_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gorila/rpc/refusal.h"

namespace gorila::rpc {
namespace {

using ::testing::HasSubstr;

const RunIdentity kOwn = {.token = "0123456789abcdef", .layout = 0xfeed};

TEST(RunIdentityTest, TheRunsOwnTokenAndLayoutPass) {
  EXPECT_TRUE(CheckIdentity(kOwn, kOwn.token, LayoutText(0xfeed), false).ok());
}

TEST(RunIdentityTest, EveryOtherTokenIsRefused) {
  for (const char* const token : {"", "0123456789abcdeF", "0123456789abcde", "0123456789abcdef0",
                                  "0123456789abcdef0123456789abcdef"}) {
    const Status status = CheckIdentity(kOwn, token, LayoutText(0xfeed), false);
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << token;
    EXPECT_EQ(RefusalOf(status), Refusal::kToken);
  }
  EXPECT_FALSE(CheckIdentity({.token = "", .layout = {}}, "x", "", true).ok());
  EXPECT_TRUE(CheckIdentity({.token = "", .layout = {}}, "", "", true).ok());
}

TEST(RunIdentityTest, ARefusalDoesNotShowTheToken) {
  const Status status = CheckIdentity(kOwn, "x", "", true);
  EXPECT_EQ(status.message().find(kOwn.token), std::string::npos);
}

TEST(RunIdentityTest, AnotherLayoutIsRefusedAndAMissingOneUnlessOptional) {
  const Status other = CheckIdentity(kOwn, kOwn.token, LayoutText(0xfeee), true);
  EXPECT_EQ(RefusalOf(other), Refusal::kLayout);
  EXPECT_THAT(std::string(other.message()), HasSubstr("000000000000feee"));
  EXPECT_THAT(std::string(other.message()), HasSubstr("000000000000feed"));
  EXPECT_EQ(RefusalOf(CheckIdentity(kOwn, kOwn.token, "", false)), Refusal::kLayout);
  EXPECT_TRUE(CheckIdentity(kOwn, kOwn.token, "", true).ok());
}

class TokenFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) / fmt::format("gorila_token_file_{}", ::getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path Write(const std::string& contents) {
    std::ofstream(folder_ / "token") << contents;
    return folder_ / "token";
  }
  std::filesystem::path folder_;
};

TEST_F(TokenFileTest, IsReadBackAndOnlyItsOwnerCanReadIt) {
  const std::string token = DrawToken().value();
  EXPECT_EQ(token.size(), 64u);
  EXPECT_NE(token, DrawToken().value());
  const auto file = folder_ / "new";
  ASSERT_TRUE(WriteSecretFile(file, token + "\n").ok());
  EXPECT_EQ(ReadToken(file).value(), token);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_TRUE(absl::IsInvalidArgument(WriteSecretFile(file, "again")));
  EXPECT_EQ(ReadToken(file).value(), token);
}

TEST_F(TokenFileTest, RefusesWhatIsNoTokenWithoutShowingIt) {
  EXPECT_TRUE(absl::IsNotFound(ReadToken(folder_ / "none").status()));
  for (const char* const contents :
       {"", "short", "0123456789 abcdef", "\n0123456789abcdef", "0123456789abcdef\xff"}) {
    const Status status = ReadToken(Write(contents)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << contents;
    EXPECT_EQ(status.message().find("abcdef"), std::string::npos);
  }
  EXPECT_FALSE(ReadToken(Write(std::string(257, 'a'))).ok());
  EXPECT_TRUE(ReadToken(Write(std::string(256, 'a'))).ok());
}

}  // namespace
}  // namespace gorila::rpc
