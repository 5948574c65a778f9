#include "gorila/checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <numeric>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/base/random.h"
#include "gorila/base/serialise.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string FileOf(std::string_view header, std::size_t data_size) {
  StateWriter writer;
  writer.WriteString(header);
  return writer.Take() + std::string(data_size, '\1');
}

std::vector<std::uint32_t> BitsOf(std::span<const float> values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

void ExpectDataLoss(std::string_view bytes, const std::string& message) {
  const auto file = Safetensors::Decode(bytes);
  ASSERT_FALSE(file.ok()) << message;
  EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << file.status();
  EXPECT_THAT(std::string(file.status().message()), HasSubstr(message));
}

TEST(SafetensorsTest, ReadsBackNamesShapesBitsAndMetadata) {
  const std::vector<float> weight{0.0f,
                                  -0.0f,
                                  1e-45f,
                                  std::numeric_limits<float>::infinity(),
                                  std::bit_cast<float>(0x7fc12345u),
                                  -3.5f};
  const std::vector<float> scalar{42.0f};
  const std::vector<NamedTensor> tensors{
      {"fc \"1\"\n.weight", {2, 3}, weight}, {"scalar", {}, scalar}, {"empty", {0, 7}, {}}};
  const SafetensorsMetadata metadata{{"format", "pt"}, {"größe", "\\ \" {}"}};
  const auto file = Safetensors::Decode(EncodeSafetensors(tensors, metadata).value());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->metadata(), metadata);
  ASSERT_EQ(file->tensors().size(), 3u);
  for (const NamedTensor& tensor : tensors) {
    const auto found = file->Find(tensor.name);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->shape, tensor.shape);
    EXPECT_EQ(BitsOf(found->values), BitsOf(tensor.values));
  }
  EXPECT_EQ(file->Find("none").status().code(), absl::StatusCode::kNotFound);
}

TEST(SafetensorsTest, TensorsStayValidWhenTheFileIsMoved) {
  const std::vector<float> values{1.0f, 2.0f};
  const std::vector<NamedTensor> tensors{{"a", {2}, values}};
  Safetensors file = Safetensors::Decode(EncodeSafetensors(tensors).value()).value();
  const Safetensors moved = std::move(file);
  EXPECT_THAT(moved.tensors()[0].values, ElementsAre(1.0f, 2.0f));
}

TEST(SafetensorsTest, WritesTheBytesThatTheFormatPrescribes) {
  const std::vector<float> one{1.0f};
  const std::vector<NamedTensor> tensors{{"a", {1, 1}, one}};
  const std::string header = R"({"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  const std::string length{static_cast<char>(header.size() + padding.size()), 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(EncodeSafetensors(tensors).value(),
            length + header + padding + std::string("\x00\x00\x80\x3f", 4));
}

TEST(SafetensorsTest, NoTensorsAtAllIsAFile) {
  const auto file = Safetensors::Decode(EncodeSafetensors({}).value());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->tensors().empty());
}

TEST(SafetensorsTest, ValuesBeginAtAMultipleOfEight) {
  const std::vector<float> one{1.0f};
  for (std::size_t length = 1; length <= 16; ++length) {
    const std::vector<NamedTensor> tensors{{std::string(length, 'n'), {1}, one}};
    EXPECT_EQ((EncodeSafetensors(tensors)->size() - sizeof(float)) % 8, 0u);
  }
}

TEST(SafetensorsTest, RefusesToWriteWhatCouldNotBeRead) {
  const std::vector<float> two{1.0f, 2.0f};
  const std::int64_t huge = std::int64_t{1} << 62;
  const std::vector<std::vector<NamedTensor>> refused{{{"same", {2}, two}, {"same", {2}, two}},
                                                      {{"__metadata__", {2}, two}},
                                                      {{"wrong shape", {3}, two}},
                                                      {{"negative", {-1, -2}, two}},
                                                      {{"overflow", {huge, 8, 2}, two}},
                                                      {{"\xff", {2}, two}}};
  for (const auto& tensors : refused) {
    const Status status = EncodeSafetensors(tensors).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << tensors[0].name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(tensors[0].name));
  }
  EXPECT_FALSE(EncodeSafetensors({}, {{"key", "\xc3"}}).ok());
  EXPECT_FALSE(EncodeSafetensors({}, {{"key", std::string(17 << 20, 'x')}}).ok());
}

TEST(SafetensorsTest, MalformedHeadersAreNamed) {
  const auto entry = [](std::string_view fields) {
    return fmt::format(R"({{"w":{{{}}}}})", fields);
  };
  const auto tensor = [&](std::string_view shape, std::string_view offsets) {
    return entry(fmt::format(R"("dtype":"F32","shape":{},"data_offsets":{})", shape, offsets));
  };
  struct Case {
    std::string header;
    std::size_t data_size;
    std::string message;
  };
  const std::string two = R"("dtype":"F32","shape":[2],"data_offsets")";
  const std::vector<Case> cases{
      {"", 0, "object"},
      {"[]", 0, "object"},
      {" {}", 0, "object"},
      {"{]", 0, "not JSON"},
      {"{}x", 0, "not JSON"},
      {std::string("{}\0x", 4), 0, "NUL"},
      {"{\"\xff\":1}", 0, "not JSON"},
      {"{\"a\":" + std::string(1000, '['), 0, "nested"},
      {"{}", 4, "4 bytes of data"},
      {R"({"w":7})", 0, "'w'"},
      {entry(R"("dtype":"F32","shape":[])"), 4, "'w'"},
      {entry(R"("dtype":"F64","shape":[1],"data_offsets":[0,8])"), 8, R"("F64", expected "F32")"},
      {entry(R"("dtype":7,"shape":[1],"data_offsets":[0,4])"), 4, "dtype"},
      {entry(R"("dtypo":"F32","shape":[1],"data_offsets":[0,4])"), 4, "'dtype' is missing"},
      {entry(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), 4, "twice"},
      {tensor("1", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[-1]", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[1.0]", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[\"1\"]", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[18446744073709551617]", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[9223372036854775808]", "[0,4]"), 4, "'w': field 'shape'"},
      {tensor("[2]", "[0,4]"), 4, "'w': field 'shape' is [2]"},
      {tensor("[1]", "[0,5]"), 5, "'w': field 'shape'"},
      // 2^62 * 4 = 2^64 bytes, and 2^62 * 4 elements: 0 to arithmetic without an overflow check.
      {tensor("[4611686018427387904]", "[0,0]"), 0, "'w': field 'shape'"},
      {tensor("[4611686018427387904,4]", "[0,0]"), 0, "'w': field 'shape'"},
      {tensor("[1]", "[0]"), 4, "'w': field 'data_offsets'"},
      {tensor("[1]", "[0,4,8]"), 4, "'w': field 'data_offsets'"},
      {tensor("[1]", "[-4,0]"), 4, "'w': field 'data_offsets'"},
      {tensor("[1]", "[4,0]"), 4, "'w': field 'data_offsets'"},
      {tensor("[2]", "[0,8]"), 4, "'w': field 'data_offsets'"},
      {tensor("[1]", "[9223372036854775804,9223372036854775807]"), 4, "'w': field 'data_offsets'"},
      {tensor("[1]", "[4,8]"), 8, "'w': field 'data_offsets' begins at 4"},
      {tensor("[1]", "[0,4]"), 8, "8 bytes of data"},
      {fmt::format(R"({{"a":{{{0}:[0,8]}},"b":{{{0}:[4,12]}}}})", two), 12, "'b': field"},
      {fmt::format(R"({{"a":{{{0}:[0,8]}},"b":{{{0}:[0,8]}}}})", two), 8, "begins at 0"},
      {fmt::format(R"({{"a":{{{0}:[0,8]}},"a":{{{0}:[8,16]}}}})", two), 16, "'a' is given twice"},
      {fmt::format(R"({{"a":{{{0}:[0,8]}},"\u0061":{{{0}:[8,16]}}}})", two), 16, "given twice"},
      {R"({"__metadata__":[]})", 0, "__metadata__"},
      {R"({"__metadata__":{"key":1}})", 0, "'key'"},
      {R"({"__metadata__":{"key":"1","key":"2"}})", 0, "'key' is given twice"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.header);
    ExpectDataLoss(FileOf(c.header, c.data_size), c.message);
  }
}

TEST(SafetensorsTest, HeaderLengthsBeyondTheFileAreRefused) {
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 40, UINT64_MAX - 7}) {
    StateWriter writer;
    writer.Write(length);
    ExpectDataLoss(writer.bytes() + "{}", fmt::format("header length {}", length));
  }
  ExpectDataLoss(FileOf("{}" + std::string(17 << 20, ' '), 0), "header length");
}

class SafetensorsDamageTest : public testing::Test {
 protected:
  const std::vector<float> weight_{1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f};
  const std::vector<float> bias_{7.0f, 8.0f, 9.0f};
  const std::vector<NamedTensor> tensors_{{"weight", {2, 3}, weight_}, {"bias", {3}, bias_}};
  const std::string bytes_ = EncodeSafetensors(tensors_, {{"step", "12"}}).value();
};

TEST_F(SafetensorsDamageTest, EveryTruncationAndExtensionIsDataLoss) {
  for (std::size_t length = 0; length < bytes_.size(); ++length) {
    ExpectDataLoss(bytes_.substr(0, length), "safetensors");
  }
  ExpectDataLoss(bytes_ + '\0', "safetensors");
}

// The format has no checksum: a changed letter of a name and a changed value go unnoticed here (the
// checkpoint's manifest notices). Nothing else may.
TEST_F(SafetensorsDamageTest, AnyByteInTheHeaderCannotMoveOrReshapeValues) {
  const std::size_t header_end = bytes_.size() - 9 * sizeof(float);
  for (std::size_t at = 0; at < header_end; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = bytes_;
      damaged[at] = static_cast<char>(value);
      const auto file = Safetensors::Decode(damaged);
      if (!file.ok()) continue;
      ASSERT_EQ(file->tensors().size(), 2u);
      for (int i = 0; i < 2; ++i) {
        ASSERT_EQ(file->tensors()[i].shape, tensors_[i].shape) << "byte " << at << " = " << value;
        ASSERT_EQ(BitsOf(file->tensors()[i].values), BitsOf(tensors_[i].values));
      }
    }
  }
}

TEST_F(SafetensorsDamageTest, RandomGarbageNeverCrashes) {
  RandomStream random(7);
  constexpr std::string_view kAlphabet = R"({}[]":,0123456789-.eE\ abdeloprstuw_F)";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = bytes_;
    for (int changes = random.Integer(1, 12); changes > 0; --changes) {
      damaged[8 + random.Below(damaged.size() - 8)] = kAlphabet[random.Below(kAlphabet.size())];
    }
    const auto file = Safetensors::Decode(damaged);
    if (!file.ok()) continue;
    ++accepted;
    std::size_t values = 0;
    for (const NamedTensor& tensor : file->tensors()) values += tensor.values.size();
    ASSERT_EQ(values, 9u);
  }
  EXPECT_LT(accepted, 20000);
}

// Standard output of the independent reader; its exit status in `status`.
std::string RunReader(const std::filesystem::path& file, int& status) {
  const std::string command =
      fmt::format("/usr/bin/python3 '{}/tests/read_safetensors.py' '{}' 2>&1", GORILA_SOURCE_DIR,
                  file.string());
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::string output;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) {
    output.append(buffer, count);
  }
  const int wait_status = ::pclose(pipe);
  status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
  return output;
}

double WeightedMean(std::span<const float> values) {
  double sum = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += static_cast<double>(values[i]) * i;
  return sum / static_cast<double>(values.size());
}

TEST(SafetensorsReferenceTest, AnIndependentReaderSeesTheSameTensors) {
  RandomStream random(1);
  std::vector<float> weight(4 * 3 * 2 * 2), bias(4);
  for (float& value : weight) value = static_cast<float>(random.Uniform() - 0.5);
  for (float& value : bias) value = static_cast<float>(random.Uniform() - 0.5);
  const std::vector<NamedTensor> tensors{{"conv1.weight", {4, 3, 2, 2}, weight},
                                         {"conv1.bias", {4}, bias}};
  const auto path = std::filesystem::path(testing::TempDir()) /
                    fmt::format("reference-{}.safetensors", ::getpid());
  ASSERT_TRUE(
      WriteFileAtomically(path, EncodeSafetensors(tensors, {{"update", "1000"}}).value()).ok());

  int status = -1;
  const std::string output = RunReader(path, status);
  std::filesystem::remove(path);
  ASSERT_EQ(status, 0) << output;
  const auto read = ParseJsonOrThrow<nlohmann::json>(output);
  EXPECT_EQ(read["metadata"]["update"], "1000");
  ASSERT_EQ(read["tensors"].size(), 2u);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& tensor = read["tensors"][i];
    const std::span<const float> values = tensors[i].values;
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    EXPECT_EQ(tensor["name"], tensors[i].name);
    EXPECT_EQ(tensor["shape"].get<std::vector<std::int64_t>>(), tensors[i].shape);
    EXPECT_NEAR(tensor["mean"].get<double>(), sum / static_cast<double>(values.size()), 1e-12);
    EXPECT_NEAR(tensor["weighted_mean"].get<double>(), WeightedMean(values), 1e-12);
  }
}

TEST(SafetensorsReferenceTest, TheIndependentReaderRefusesATruncatedFile) {
  const std::vector<float> values{1.0f, 2.0f};
  const std::vector<NamedTensor> tensors{{"a", {2}, values}};
  std::string bytes = EncodeSafetensors(tensors).value();
  bytes.pop_back();
  const auto path =
      std::filesystem::path(testing::TempDir()) / fmt::format("cut-{}.safetensors", ::getpid());
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  int status = -1;
  const std::string output = RunReader(path, status);
  std::filesystem::remove(path);
  EXPECT_EQ(status, 1);
  EXPECT_THAT(output, HasSubstr("a: ends at 8 of 7 bytes"));
}

TEST(SafetensorsTest, MessagesDoNotRepeatMoreThanTheBeginningOfAHeader) {
  const std::string kLong(100'000, 'F');
  for (const std::string& header : {
           R"({"w":{"dtype":")" + kLong + R"(","shape":[0],"data_offsets":[0,0]}})",
           R"({")" + kLong + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,0]}})",
           R"({"__metadata__":{")" + kLong + R"(":1}})",
           R"({"w":{"dtype":"F32","shape":[1)" + std::string(50'000, '0') +
               R"(],"data_offsets":[0,0]}})",
       }) {
    StateWriter writer;
    writer.WriteString(header);
    const Status status = Safetensors::Decode(writer.bytes()).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << header.substr(0, 100);
    EXPECT_LT(status.message().size(), 1000u) << header.substr(0, 100);
  }
}

}  // namespace
}  // namespace gorila
