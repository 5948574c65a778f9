#include "gorila/run/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunDirectoryTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(path_); }

  void Write(const fs::path& name, const std::string& text = "x\n") const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

  const fs::path path_ =
      fs::path(testing::TempDir()) / fmt::format("run_directory_test-{}", ::getpid());
};

TEST_F(RunDirectoryTest, ANewOneIsHeldByOneProcess) {
  const auto directory = RunDirectory::Create(path_);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_TRUE(absl::IsAlreadyExists(RunDirectory::Create(path_).status()));
  Write("config.toml");
  const Status status = RunDirectory::Open(path_).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use by another process"));
}

TEST_F(RunDirectoryTest, WhatAKilledProcessLeftBeforeTheConfigurationIsTakenOver) {
  for (const char* left : {".lock", "config.toml.tmp", "token", "labels.toml"}) Write(left);
  for (const char* folder : {"addresses", "servers", "logs"}) {
    fs::create_directories(path_ / folder);
  }
  const Status status = RunDirectory::Open(path_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("make the run once more"));
  const auto directory = RunDirectory::Create(path_);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_FALSE(fs::exists(path_ / "token"));
  EXPECT_FALSE(fs::exists(path_ / "labels.toml")) << "those of a run that never was";
  EXPECT_FALSE(fs::exists(path_ / "servers"));
}

TEST_F(RunDirectoryTest, ARunOrForeignFilesAreNotTakenOver) {
  for (const char* other : {"config.toml", "notes.txt", "servers/parameter-server-0/generation"}) {
    fs::remove_all(path_);
    Write(other);
    const Status status = RunDirectory::Create(path_).status();
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << other;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is not empty"));
    EXPECT_FALSE(fs::exists(path_ / ".lock")) << "nothing is added to it";
  }
}

}  // namespace
}  // namespace gorila
