#include "gorila/checkpoint/checkpoint_directory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>

#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Files = std::map<std::string, std::string>;

class CheckpointDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    // The process number, so that two builds' tests may run at once.
    root_ = fs::path(testing::TempDir()) / fmt::format("checkpoint_directory_test-{}", ::getpid()) /
            "checkpoints";
    fs::remove_all(root_.parent_path());
  }
  void TearDown() override { fs::remove_all(root_.parent_path()); }

  Checkpoint Write(std::uint64_t number, const Files& files = {{"state.json", "{}"}}) {
    auto writer = CheckpointWriter::Create(root_, number).value();
    for (const auto& [name, contents] : files) {
      EXPECT_TRUE(writer->AddFile(name, contents).ok());
    }
    return writer->Commit().value();
  }

  // Names in the root, sorted.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  fs::path root_;
};

// By a new file: some file systems sync at once when one is truncated and rewritten.
void Overwrite(const fs::path& path, std::string_view contents) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

void ExpectError(const Status& status, absl::StatusCode code, const std::string& message) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST_F(CheckpointDirectoryTest, ReadsBackWhatWasCommitted) {
  const Files files{{"a.bin", std::string(3'000'000, '\7')}, {"empty", ""}, {"replay/1.seg", "x"}};
  const Checkpoint written = Write(42, files);
  const auto opened = OpenCheckpoint(root_ / "000000000042");
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->number(), 42u);
  EXPECT_EQ(opened->path(), written.path());
  EXPECT_EQ(opened->files(), written.files());
  ASSERT_EQ(opened->files().size(), files.size());
  for (const auto& [name, contents] : files) EXPECT_EQ(opened->Read(name).value(), contents);
  ExpectError(opened->Read("none").status(), absl::StatusCode::kNotFound, "no file 'none'");
}

TEST_F(CheckpointDirectoryTest, NoFilesAndTheExtremeNumbersAreFine) {
  Write(0, {});
  Write(kMaxCheckpointNumber, {});
  EXPECT_THAT(Names(), ElementsAre("000000000000", "999999999999"));
  EXPECT_TRUE(OpenCheckpoint(root_ / "000000000000" / "").ok());
  ExpectError(CheckpointWriter::Create(root_, kMaxCheckpointNumber + 1).status(),
              absl::StatusCode::kInvalidArgument, "1000000000000");
}

TEST_F(CheckpointDirectoryTest, UncommittedWriterLeavesNothing) {
  Write(1);
  {
    auto writer = CheckpointWriter::Create(root_, 2).value();
    ASSERT_TRUE(writer->AddFile("replay/1.seg", "x").ok());
    EXPECT_THAT(Names(), ElementsAre(".tmp-000000000002", "000000000001"));
  }
  EXPECT_THAT(Names(), ElementsAre("000000000001"));
}

TEST_F(CheckpointDirectoryTest, CommittedWriterLeavesALaterOneOfItsNumberAlone) {
  auto first = CheckpointWriter::Create(root_, 1).value();
  ASSERT_TRUE(first->Commit().ok());
  fs::remove_all(root_ / "000000000001");
  auto second = CheckpointWriter::Create(root_, 1).value();
  first.reset();
  EXPECT_TRUE(second->Commit().ok());
}

TEST_F(CheckpointDirectoryTest, LeftOversOfAKilledWriterAreReplaced) {
  fs::create_directories(root_ / ".tmp-000000000007" / "replay");
  Overwrite(root_ / ".tmp-000000000007" / "stale", "stale");
  Write(7);
  EXPECT_FALSE(fs::exists(root_ / "000000000007" / "stale"));
  EXPECT_FALSE(fs::exists(root_ / "000000000007" / "replay"));
}

TEST_F(CheckpointDirectoryTest, ExistingNumberIsNotOverwritten) {
  Write(7);
  ExpectError(CheckpointWriter::Create(root_, 7).status(), absl::StatusCode::kAlreadyExists,
              "000000000007");
}

TEST_F(CheckpointDirectoryTest, BadOrRepeatedNamesAreRefusedAndTheRestCommitted) {
  auto writer = CheckpointWriter::Create(root_, 1).value();
  ASSERT_TRUE(writer->AddFile("a", "1").ok());
  ExpectError(writer->AddFile("a", "2"), absl::StatusCode::kInvalidArgument, "'a'");
  ExpectError(writer->AddFile("../b", "2"), absl::StatusCode::kInvalidArgument, "'../b'");
  ExpectError(writer->AddFile("manifest.json", "2"), absl::StatusCode::kInvalidArgument,
              "manifest.json");
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_EQ(OpenCheckpoint(root_ / "000000000001")->Read("a").value(), "1");
}

TEST_F(CheckpointDirectoryTest, UsingAWriterAfterCommitBreaksAnInvariant) {
  auto writer = CheckpointWriter::Create(root_, 1).value();
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_DEATH((void)writer->AddFile("a", "1"), "after Commit");
  EXPECT_DEATH((void)writer->Commit(), "Commit called twice");
}

TEST_F(CheckpointDirectoryTest, UnwritablePlacesAreNamed) {
  fs::create_directories(root_.parent_path());
  Overwrite(root_, "a file");
  ExpectError(CheckpointWriter::Create(root_, 1).status(), absl::StatusCode::kUnavailable,
              root_.string());
  ExpectError(ListCheckpoints(root_).status(), absl::StatusCode::kUnavailable, root_.string());
}

TEST_F(CheckpointDirectoryTest, AFullDiskIsAnErrorAndLeavesTheOlderCheckpoint) {
  Write(1);
  auto writer = CheckpointWriter::Create(root_, 2).value();
  // A limit on the size of files stands for the full disk.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 10'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = writer->AddFile("large", std::string(20'000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  ExpectError(status, absl::StatusCode::kUnavailable, "large");
  writer.reset();
  EXPECT_THAT(Names(), ElementsAre("000000000001"));
  EXPECT_EQ(NewestCompleteCheckpoint(root_)->checkpoint.number(), 1u);
}

TEST_F(CheckpointDirectoryTest, LinkedFileSharesSpaceAndOutlivesTheOlderCheckpoint) {
  const std::string contents(10'000, 's');
  const Checkpoint older = Write(1, {{"replay/1.seg", contents}});
  auto writer = CheckpointWriter::Create(root_, 2).value();
  ASSERT_TRUE(writer->LinkFile("replay/1.seg", older).ok());
  ASSERT_TRUE(writer->AddFile("replay/2.seg", "new").ok());
  const Checkpoint newer = writer->Commit().value();
  EXPECT_TRUE(fs::equivalent(older.path() / "replay/1.seg", newer.path() / "replay/1.seg"));

  ASSERT_TRUE(PruneCheckpoints(root_, 1).ok());
  EXPECT_THAT(Names(), ElementsAre("000000000002"));
  const auto opened = OpenCheckpoint(newer.path());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Read("replay/1.seg").value(), contents);
  EXPECT_EQ(fs::hard_link_count(newer.path() / "replay/1.seg"), 1u);
}

// A file opened by this process, as seen in /proc, is one that can be read but not linked from the
// test's folder: another file system.
TEST_F(CheckpointDirectoryTest, FileIsCopiedWhereLinksAreRefused) {
  const Checkpoint older = Write(1, {{"a", "contents"}});
  const int fd = ::open((older.path() / "a").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  CheckpointFile file = older.files()[0];
  file.name = std::to_string(fd);
  CheckpointFile altered = file;
  altered.crc32 ^= 1;
  std::error_code error;
  fs::create_hard_link("/proc/self/fd/" + file.name, root_ / "link", error);
  ASSERT_TRUE(error) << "this system links across file systems";

  auto writer = CheckpointWriter::Create(root_, 2).value();
  ExpectError(writer->LinkFile(file.name, Checkpoint("/proc/self/fd", 1, {altered})),
              absl::StatusCode::kDataLoss, "CRC-32");
  ASSERT_TRUE(writer->LinkFile(file.name, Checkpoint("/proc/self/fd", 1, {file})).ok());
  const Checkpoint newer = writer->Commit().value();
  ::close(fd);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(newer.path() / file.name)));
  EXPECT_FALSE(fs::equivalent(older.path() / "a", newer.path() / file.name));
  EXPECT_EQ(OpenCheckpoint(newer.path())->Read(file.name).value(), "contents");
}

TEST_F(CheckpointDirectoryTest, LinkingWhatIsNotThereOrHasShrunkIsAnError) {
  const Checkpoint older = Write(1, {{"a", "contents"}, {"gone", "x"}});
  Overwrite(older.path() / "a", "short");
  fs::remove(older.path() / "gone");
  auto writer = CheckpointWriter::Create(root_, 2).value();
  ExpectError(writer->LinkFile("none", older), absl::StatusCode::kNotFound, "no file 'none'");
  ExpectError(writer->LinkFile("gone", older), absl::StatusCode::kNotFound, "gone");
  ExpectError(writer->LinkFile("a", older), absl::StatusCode::kDataLoss,
              "file 'a' has 5 bytes, manifest says 8");
  EXPECT_THAT(writer->Commit()->files(), IsEmpty());
}

TEST_F(CheckpointDirectoryTest, ListsNewestFirstAndOnlyCheckpoints) {
  for (const std::uint64_t number : {9, 100, 20}) Write(number);
  for (const char* name : {".tmp-000000000300", "best", "000000000400x", "00000000500", "logs"}) {
    fs::create_directories(root_ / name);
  }
  Overwrite(root_ / "000000000600", "a file");
  EXPECT_THAT(ListCheckpoints(root_).value(),
              ElementsAre(root_ / "000000000100", root_ / "000000000020", root_ / "000000000009"));
  EXPECT_THAT(ListCheckpoints(root_ / "none").value(), IsEmpty());
}

TEST_F(CheckpointDirectoryTest, OpeningNamesTheFileAndWhatIsWrong) {
  const auto damaged = [&](std::uint64_t number, auto damage) {
    const Checkpoint checkpoint =
        Write(number, {{"parameters.safetensors", std::string(2000, 'p')}});
    damage(checkpoint.path());
    const Status status = OpenCheckpoint(checkpoint.path()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(fmt::format("checkpoint '{}': ", checkpoint.path().string())));
    return std::string(status.message());
  };
  const char* name = "parameters.safetensors";
  EXPECT_THAT(damaged(1, [&](const fs::path& path) { fs::resize_file(path / name, 1000); }),
              HasSubstr("file 'parameters.safetensors' has 1000 bytes, manifest says 2000"));
  EXPECT_THAT(damaged(2, [&](const fs::path& path) { fs::remove(path / name); }),
              HasSubstr("file 'parameters.safetensors' is missing"));
  EXPECT_THAT(damaged(3,
                      [&](const fs::path& path) {
                        fs::remove(path / name);
                        fs::create_directory(path / name);
                      }),
              HasSubstr("'parameters.safetensors' is not a regular file"));
  EXPECT_THAT(damaged(4, [](const fs::path& path) { fs::remove(path / "manifest.json"); }),
              HasSubstr("file 'manifest.json' is missing"));
  EXPECT_THAT(damaged(5, [](const fs::path& path) { Overwrite(path / "manifest.json", "{"); }),
              HasSubstr("manifest.json: not JSON"));
  const Checkpoint renamed = Write(6);
  fs::rename(renamed.path(), root_ / "000000000060");
  ExpectError(OpenCheckpoint(root_ / "000000000060").status(), absl::StatusCode::kDataLoss,
              "says number 6, the folder's name is '000000000060'");
  ExpectError(OpenCheckpoint(root_ / "000000000070").status(), absl::StatusCode::kNotFound,
              "000000000070");
}

TEST_F(CheckpointDirectoryTest, NoFlippedBitEverGivesOtherContents) {
  const Files files{{"state.json", "{\"updates\": 1000}"}, {"replay/1.seg", "compressed bytes"}};
  const Checkpoint intact = Write(110, files);
  for (const char* name : {"manifest.json", "state.json", "replay/1.seg"}) {
    const std::string bytes = ReadFile(intact.path() / name).value();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        Overwrite(intact.path() / name, damaged);
        const auto opened = OpenCheckpoint(intact.path());
        if (!opened.ok()) continue;
        // Only white space in the manifest may change.
        ASSERT_STREQ(name, "manifest.json") << "bit " << bit << " of byte " << at;
        ASSERT_EQ(opened->number(), intact.number());
        ASSERT_EQ(opened->files(), intact.files());
      }
    }
    for (std::size_t length = 0; length + 1 < bytes.size(); ++length) {
      Overwrite(intact.path() / name, bytes.substr(0, length));
      ASSERT_FALSE(OpenCheckpoint(intact.path()).ok()) << name << " of " << length << " bytes";
    }
    Overwrite(intact.path() / name, bytes);
  }
  EXPECT_TRUE(OpenCheckpoint(intact.path()).ok());
}

TEST_F(CheckpointDirectoryTest, DamageAfterOpeningIsNoticedWhenReading) {
  const Checkpoint checkpoint = Write(1, {{"a", "contents"}});
  Overwrite(checkpoint.path() / "a", "Contents");
  ExpectError(checkpoint.Read("a").status(), absl::StatusCode::kDataLoss, "file 'a' has CRC-32");
  Overwrite(checkpoint.path() / "a", "contents+");
  ExpectError(checkpoint.Read("a").status(), absl::StatusCode::kDataLoss, "has 9 bytes");
}

TEST_F(CheckpointDirectoryTest, NewestCompletePassesOverDamagedOnesAndSaysWhy) {
  for (const std::uint64_t number : {1, 2, 3, 4}) Write(number);
  fs::remove(root_ / "000000000004" / "manifest.json");
  Overwrite(root_ / "000000000003" / "state.json", "[]");
  fs::create_directories(root_ / ".tmp-000000000005");
  const auto newest = NewestCompleteCheckpoint(root_);
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ(newest->checkpoint.number(), 2u);
  EXPECT_THAT(newest->warnings, ElementsAre(HasSubstr("000000000004"), HasSubstr("state.json")));
}

TEST_F(CheckpointDirectoryTest, NoneCompleteIsNotFoundAndSaysWhy) {
  ExpectError(NewestCompleteCheckpoint(root_).status(), absl::StatusCode::kNotFound,
              root_.string());
  Write(1);
  fs::remove(root_ / "000000000001" / "state.json");
  ExpectError(NewestCompleteCheckpoint(root_).status(), absl::StatusCode::kNotFound,
              "file 'state.json' is missing");
}

TEST_F(CheckpointDirectoryTest, PruningKeepsTheNewestAndForeignFiles) {
  for (const std::uint64_t number : {1, 2, 10, 11}) Write(number);
  fs::create_directories(root_ / "best");
  fs::create_directories(root_ / ".tmp-000000000001" / "replay");  // in the way of 1's new name
  ASSERT_TRUE(PruneCheckpoints(root_, 2).ok());
  EXPECT_THAT(Names(), ElementsAre("000000000010", "000000000011", "best"));
  ASSERT_TRUE(PruneCheckpoints(root_, 5).ok());
  EXPECT_THAT(Names(), ElementsAre("000000000010", "000000000011", "best"));
  ExpectError(PruneCheckpoints(root_, 0), absl::StatusCode::kInvalidArgument, "at least 1");
  EXPECT_TRUE(PruneCheckpoints(root_ / "none", 1).ok());
}

TEST_F(CheckpointDirectoryTest, PruningLeavesWhatASuccessorIsWriting) {
  Write(1'000'001);
  const auto successor = CheckpointWriter::Create(root_, 2'000'001).value();
  ASSERT_TRUE(successor->AddFile("a", "contents").ok());
  ASSERT_TRUE(PruneCheckpoints(root_, 1).ok());
  ASSERT_TRUE(successor->Commit().ok());
  EXPECT_THAT(Names(), ElementsAre("000001000001", "000002000001"));
}

TEST_F(CheckpointDirectoryTest, DiscardingTheFutureMakesItsNumbersFree) {
  for (const std::uint64_t number : {1, 2, 3}) Write(number);
  ASSERT_TRUE(DiscardCheckpointsAfter(root_, 1).ok());
  EXPECT_THAT(Names(), ElementsAre("000000000001"));
  Write(2, {{"other", "timeline"}});
  EXPECT_EQ(NewestCompleteCheckpoint(root_)->checkpoint.Read("other").value(), "timeline");
}

}  // namespace
}  // namespace gorila
