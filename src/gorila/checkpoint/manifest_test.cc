#include "gorila/checkpoint/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using testing::HasSubstr;

const Manifest kManifest{.number = 1230,
                         .files = {{"parameters.safetensors", 100, 0xffffffffu},
                                   {"replay/000001.segment", std::uint64_t{1} << 40, 0}}};

TEST(ManifestTest, ReadsBackWhatWasWritten) {
  EXPECT_EQ(DecodeManifest(EncodeManifest(kManifest)).value(), kManifest);
  EXPECT_EQ(DecodeManifest(EncodeManifest({})).value(), Manifest{});
}

TEST(ManifestTest, EveryTruncationIsDataLoss) {
  const std::string text = EncodeManifest(kManifest);
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {  // the last is a line end
    EXPECT_EQ(DecodeManifest(text.substr(0, length)).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(ManifestTest, NamesWhatIsWrong) {
  const auto with_files = [](std::string_view files) {
    return fmt::format(R"({{"format_version":1,"number":1,"files":[{}]}})", files);
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "object"},
      {"{}", "'format_version' is missing"},
      {R"({"format_version":2})", "format version 2, this program reads 1"},
      {R"({"format_version":1})", "'number' is missing"},
      {R"({"format_version":1,"number":-1})", "'number'"},
      {R"({"format_version":1,"number":1.0})", "'number'"},
      {R"({"format_version":1,"number":1000000000000})", "'number'"},
      {R"({"format_version":1,"number":1,"number":2,"files":[]})", "twice"},
      {R"({"format_version":1,"number":1})", "'files'"},
      {R"({"format_version":1,"number":1,"files":{}})", "'files'"},
      {with_files("7"), "'files'"},
      {with_files(R"({"size":1,"crc32":1})"), "'name'"},
      {with_files(R"({"name":7,"size":1,"crc32":1})"), "'name'"},
      {with_files(R"({"name":"../../etc/passwd","size":1,"crc32":1})"), "'../../etc/passwd'"},
      {with_files(R"({"name":"a","crc32":1})"), "file 'a': field 'size'"},
      {with_files(R"({"name":"a","size":"1","crc32":1})"), "file 'a': field 'size'"},
      {with_files(R"({"name":"a","size":1,"crc32":4294967296})"), "file 'a': field 'crc32'"},
      {with_files(R"({"name":"a","size":1,"crc32":1},{"name":"a","size":1,"crc32":1})"),
       "file 'a' is given twice"},
  };
  for (const auto& [text, message] : cases) {
    const auto manifest = DecodeManifest(text);
    EXPECT_EQ(manifest.status().code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(std::string(manifest.status().message()), HasSubstr(message)) << text;
  }
}

TEST(ManifestTest, FileNamesStayInsideTheCheckpoint) {
  for (const char* name : {"a", "A-1_b.c", "replay/0.segment", "replay/manifest.json"}) {
    EXPECT_TRUE(CheckCheckpointFileName(name).ok()) << name;
  }
  for (const char* name : {"", "/", "a/", "/a", ".", "..", ".a", "a/..", "../a", "a/b/c", "a//b",
                           "a b", "a\n", "ä", "manifest.json"}) {
    EXPECT_EQ(CheckCheckpointFileName(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace gorila
