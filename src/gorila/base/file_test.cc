#include "gorila/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>

#include "gorila/base/file_kind.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    ASSERT_TRUE(CreateFolders(folder_).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", contents).ok());
  EXPECT_EQ(ReadFile(folder_ / "f").value(), contents);
}

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNothingAside) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "old").ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "new").ok());
  EXPECT_EQ(ReadFile(folder_ / "f").value(), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileTest, ReadsRegularFilesOnly) {
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const fs::path& path : {fifo, folder_, fs::path("/dev/zero")}) {
    const auto contents = ReadFile(path);
    EXPECT_EQ(contents.status().code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_NE(contents.status().ToString().find(path.string()), std::string::npos);
  }
}

TEST_F(FileTest, AFileLargerThanItsKindIsNotReadAndBothSizesAreNamed) {
  const FileKind kind{"a file of settings", 10};
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "0123456789").ok());
  EXPECT_EQ(ReadFileOf(kind, folder_ / "f").value(), "0123456789");
  constexpr std::uintmax_t kHuge = std::uintmax_t{1} << 40;  // without a block on the disk
  fs::resize_file(folder_ / "f", kHuge);
  const Status status = ReadFileOf(kind, folder_ / "f").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.ToString().find("has 1099511627776 bytes; expected a file of settings, which "
                                   "has 10 at most"),
            std::string::npos)
      << status;
}

// /proc does not say how large its files are.
TEST_F(FileTest, AFileThatIsLargerThanItSaysIsNotReadToItsEnd) {
  EXPECT_EQ(ReadFileOf({"a note", 3}, "/proc/self/status").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(FileTest, MissingFileIsNotFoundAndNamed) {
  const auto contents = ReadFile(folder_ / "none");
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(contents.status().ToString().find("none"), std::string::npos);
}

TEST_F(FileTest, FileInPlaceOfAFolderIsAnError) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "x").ok());
  EXPECT_FALSE(CreateFolders(folder_ / "f" / "g").ok());
  EXPECT_FALSE(WriteFileAtomically(folder_ / "f" / "g", "x").ok());
}

TEST_F(FileTest, Crc32IsTheStandardOne) { EXPECT_EQ(Crc32("123456789"), 0xcbf43926u); }

}  // namespace
}  // namespace gorila
