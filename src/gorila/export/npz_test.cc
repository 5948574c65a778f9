#include "gorila/export/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>
#include <map>

#include "gorila/export/testing.h"

namespace gorila {
namespace {

using ::testing::Contains;
using ::testing::Key;
using testing_export::Network;

// The files of an archive by name.
std::map<std::string, std::string> Unzip(const std::string& bytes) {
  zip_error_t error{};
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* const archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (archive == nullptr) return {};
  std::map<std::string, std::string> files;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t stat{};
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
    std::string contents(stat.size, '\0');
    zip_file_t* const file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    zip_fread(file, contents.data(), contents.size());
    zip_fclose(file);
    files[stat.name] = contents;
  }
  zip_discard(archive);
  return files;
}

class NpzTest : public testing::TestWithParam<testing_export::Agent> {};

TEST_P(NpzTest, HasEveryTensorByNameWithItsValues) {
  const Network network(GetParam().options);
  const auto files = Unzip(EncodeNpz(network.layout, network.parameters).value());
  EXPECT_EQ(files.size(), network.layout.tensors.size());
  for (const ParameterTensor& tensor : network.layout.tensors) {
    const auto file = files.find(tensor.name + ".npy");
    ASSERT_NE(file, files.end()) << tensor.name;
    const std::string& npy = file->second;
    const std::string shape = tensor.shape.size() == 1
                                  ? fmt::format("'shape': ({},)", tensor.shape.front())
                                  : fmt::format("'shape': ({})", fmt::join(tensor.shape, ", "));
    EXPECT_NE(npy.find(shape), std::string::npos) << tensor.name;
    const std::size_t bytes = tensor.size * sizeof(float);
    ASSERT_GT(npy.size(), bytes);
    EXPECT_EQ((npy.size() - bytes) % 64, 0U) << "the values are not aligned";
    EXPECT_EQ(std::memcmp(&npy[npy.size() - bytes], &network.parameters[tensor.offset], bytes), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(All, NpzTest, testing::ValuesIn(testing_export::Agents()),
                         testing_export::NameOf);

TEST(NpzNamesTest, HeadsAndSigmasHaveTheirNames) {
  const Network network({.algorithm = "c51", .atoms = 5, .dueling = true, .noise = 0.5});
  const auto files = Unzip(EncodeNpz(network.layout, network.parameters).value());
  for (const char* const name :
       {"advantage.weight", "value.weight", "advantage.bias", "value.bias", "fc1.weight_sigma",
        "advantage.weight_sigma", "value.bias_sigma"}) {
    EXPECT_THAT(files, Contains(Key(std::string(name) + ".npy")));
  }
}

}  // namespace
}  // namespace gorila
