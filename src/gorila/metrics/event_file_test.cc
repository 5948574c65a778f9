// The messages themselves are checked by tests/e2e/tensorboard_test.py, which reads them on its
// own.
#include "gorila/metrics/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gorila/base/crc32c.h"
#include "gorila/base/file.h"
#include "gorila/foreign/tensorboard.pb.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class EventFileTest : public ::testing::Test {
 protected:
  EventFileTest() { fs::remove_all(folder_); }
  ~EventFileTest() override { fs::remove_all(folder_); }

  fs::path Path(int number) const {
    return folder_ / fmt::format("events.out.tfevents.{:010}.gorila", number);
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

std::uint32_t Masked(std::string_view bytes) {
  const std::uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

// The data of every whole record; a checksum that is wrong fails the test.
std::vector<std::string> Records(const fs::path& path) {
  const std::string file = ReadFile(path).value();
  std::vector<std::string> records;
  for (std::size_t at = 0; at + 12 <= file.size();) {
    std::uint64_t length = 0;
    std::uint32_t crc = 0;
    std::memcpy(&length, &file[at], sizeof length);
    std::memcpy(&crc, &file[at + 8], sizeof crc);
    EXPECT_EQ(crc, Masked(std::string_view(file).substr(at, 8)));
    if (at + 16 + length > file.size()) break;
    records.push_back(file.substr(at + 12, length));
    std::memcpy(&crc, &file[at + 12 + length], sizeof crc);
    EXPECT_EQ(crc, Masked(records.back()));
    at += 16 + length;
  }
  return records;
}

TEST_F(EventFileTest, BeginsWithItsVersionAndASessionStart) {
  ASSERT_TRUE(EventFile::Create(folder_, 7, /*wall_time=*/false).ok());
  const std::vector<std::string> records = Records(Path(1));
  ASSERT_THAT(records, SizeIs(2));
  foreign::tensorboard::Event event;
  ASSERT_TRUE(event.ParseFromString(records[0]));
  EXPECT_EQ(event.file_version(), "brain.Event:2");
  ASSERT_TRUE(event.ParseFromString(records[1]));
  EXPECT_EQ(event.step(), 7);
  EXPECT_EQ(event.session_log().status(), foreign::tensorboard::SessionLog::START);
}

TEST_F(EventFileTest, ARunThatGoesOnWritesTheNextFile) {
  ASSERT_TRUE(EventFile::Create(folder_, 0, false).ok());
  const std::string before = ReadFile(Path(1)).value();
  ASSERT_TRUE(EventFile::Create(folder_, 100, false).ok());
  EXPECT_EQ(ReadFile(Path(1)).value(), before);
  EXPECT_THAT(Records(Path(2)), SizeIs(2));
}

TEST_F(EventFileTest, KnowsHowLargeTheFolderIs) {
  ASSERT_TRUE(EventFile::Create(folder_, 0, false).ok());
  EventFile events = EventFile::Create(folder_, 100, false).value();
  EventSummary summary;
  summary.AddImage("film", 1, 1, std::string(5000, 'x'));
  ASSERT_TRUE(events.Append(1, summary).ok());
  EXPECT_EQ(events.folder_bytes(), fs::file_size(Path(1)) + fs::file_size(Path(2)));
}

TEST_F(EventFileTest, AppendsOneRecordASummary) {
  EventFile events = EventFile::Create(folder_, 0, false).value();
  EventSummary summary;
  summary.AddScalar("training/loss", 0.5);
  ASSERT_TRUE(events.Append(10, summary).ok());
  ASSERT_TRUE(events.Append(20, EventSummary()).ok()) << "nothing to write";
  ASSERT_TRUE(events.Append(30, summary).ok());
  EXPECT_THAT(Records(Path(1)), SizeIs(4));
}

TEST_F(EventFileTest, EqualCallsGiveEqualBytesWithoutWallTime) {
  for (const char* name : {"a", "b"}) {
    EventFile events = EventFile::Create(folder_ / name, 0, false).value();
    EventSummary summary;
    summary.AddHistogram("h", std::vector<double>{1, 2, 3});
    ASSERT_TRUE(events.Append(1, summary).ok());
  }
  const std::string name = Path(1).filename();
  EXPECT_EQ(ReadFile(folder_ / "a" / name).value(), ReadFile(folder_ / "b" / name).value());
}

TEST_F(EventFileTest, LeavesOutWhatIsNotFinite) {
  EventSummary summary;
  summary.AddScalar("nan", std::nan(""));
  summary.AddScalar("infinity", std::numeric_limits<double>::infinity());
  summary.AddHistogram("none", std::vector<double>{std::nan("")});
  summary.AddHistogram("zeros", std::vector<double>{1, 2}, std::vector<double>{0, 0});
  EXPECT_TRUE(summary.empty());
}

// The summary of the file's only record after the two at its beginning.
foreign::tensorboard::Summary OnlySummary(const fs::path& path) {
  const std::vector<std::string> records = Records(path);
  EXPECT_THAT(records, SizeIs(3));
  foreign::tensorboard::Event event;
  EXPECT_TRUE(event.ParseFromString(records.back()));
  return event.summary();
}

TEST_F(EventFileTest, ASampledHistogramCountsEverySampleOnce) {
  EventFile events = EventFile::Create(folder_, 0, false).value();
  EventSummary summary;
  summary.AddHistogram("h", std::vector<double>{0, 1, 1, 30, std::nan("")});
  ASSERT_TRUE(events.Append(1, summary).ok());
  const foreign::tensorboard::HistogramProto histogram = OnlySummary(Path(1)).value(0).histo();
  EXPECT_EQ(histogram.num(), 4);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 30);
  EXPECT_EQ(histogram.sum(), 32);
  EXPECT_EQ(histogram.sum_squares(), 902);
  ASSERT_THAT(histogram.bucket(), SizeIs(30));
  EXPECT_EQ(histogram.bucket(0), 1);
  EXPECT_EQ(histogram.bucket(1), 2);
  EXPECT_EQ(histogram.bucket(29), 1);
  EXPECT_EQ(histogram.bucket_limit(29), 30);
}

TEST_F(EventFileTest, ACountedHistogramSpansTheBucketsThatHoldSamples) {
  EventFile events = EventFile::Create(folder_, 0, false).value();
  EventSummary summary;
  summary.AddHistogram("h", std::vector<double>{1, 3, 5, 9}, std::vector<double>{0, 2, 1, 0});
  ASSERT_TRUE(events.Append(1, summary).ok());
  const foreign::tensorboard::HistogramProto histogram = OnlySummary(Path(1)).value(0).histo();
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 5);
  EXPECT_EQ(histogram.num(), 3);
  EXPECT_EQ(histogram.sum(), 2 * 2 + 4);
  EXPECT_THAT(histogram.bucket(), ElementsAre(0, 2, 1, 0));
}

TEST_F(EventFileTest, AFolderThatCannotBeMadeIsNamed) {
  fs::create_directories(folder_);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "file", "").ok());
  const auto events = EventFile::Create(folder_ / "file", 0, false);
  ASSERT_FALSE(events.ok());
  EXPECT_THAT(std::string(events.status().message()), HasSubstr((folder_ / "file").string()));
}

}  // namespace
}  // namespace gorila
