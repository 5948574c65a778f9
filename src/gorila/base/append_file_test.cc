#include "gorila/base/append_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A full disk, played by a limit on the size of files.
class AppendFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) / fmt::format("append_file_test-{}", ::getpid());
    fs::remove(path_);
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  void TearDown() override {
    Limit(before_.rlim_cur);
    std::signal(SIGXFSZ, handler_);
    fs::remove(path_);
  }

  AppendFile Open() {
    return {"run log", path_, ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644), 0};
  }
  void Limit(rlim_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  void EndLimit() { Limit(before_.rlim_cur); }
  std::string Contents() const { return ReadFile(path_).value(); }

  fs::path path_;
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(AppendFileTest, RecordsThatCannotBeWrittenFollowInOrder) {
  AppendFile file = Open();
  file.Append("one\n");
  Limit(6);
  file.Append("two\n");
  file.Append("three\n");
  EXPECT_EQ(file.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr(path_.string()));
  EXPECT_EQ(Contents(), "one\n") << "no half record";
  EXPECT_EQ(file.waiting(), 2u);
  EXPECT_EQ(file.bytes(), 4u);
  EXPECT_FALSE(file.Sync().ok());
  EndLimit();
  EXPECT_TRUE(file.Sync().ok());
  EXPECT_EQ(Contents(), "one\ntwo\nthree\n");
  EXPECT_EQ(file.waiting(), 0u);
  EXPECT_EQ(file.dropped(), 0);
}

TEST_F(AppendFileTest, TheNextRecordTakesAlongThoseThatWait) {
  AppendFile file = Open();
  Limit(2);
  file.Append("one\n");
  EndLimit();
  file.Append("two\n");
  EXPECT_TRUE(file.status().ok());
  EXPECT_EQ(Contents(), "one\ntwo\n");
}

TEST_F(AppendFileTest, DropsTheOldestBeyondItsMemoryAndCountsThem) {
  AppendFile file = Open();
  const std::string half(AppendFile::kMostWaitingBytes / 2, 'x');
  Limit(2);
  for (int i = 0; i < 3; ++i) file.Append(half);
  file.Append("last");
  EXPECT_EQ(file.dropped(), 2);
  EXPECT_EQ(file.waiting(), 2u);
  EndLimit();
  EXPECT_TRUE(file.Flush().ok());
  EXPECT_EQ(Contents(), half + "last");
}

}  // namespace
}  // namespace gorila
