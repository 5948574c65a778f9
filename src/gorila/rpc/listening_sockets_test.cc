#include "gorila/rpc/listening_sockets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace gorila::rpc {
namespace {

namespace fs = std::filesystem;

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    std::string name = fs::temp_directory_path() / "gorilaXXXXXX";
    folder_ = ::mkdtemp(name.data());
    endpoint_ = {.host = (folder_ / "socket").string(), .unix_socket = true};
  }
  ~UnixSocketTest() override { fs::remove_all(folder_); }
  bool HasFile() const { return fs::is_socket(endpoint_.host); }

  fs::path folder_;
  Endpoint endpoint_;
};

TEST_F(UnixSocketTest, ItsFileIsRemovedAtTheEnd) {
  {
    const auto sockets = ListeningSockets::Open(endpoint_);
    ASSERT_TRUE(sockets.ok());
    EXPECT_TRUE(HasFile());
  }
  EXPECT_FALSE(HasFile());
}

TEST_F(UnixSocketTest, AReplacedServerLeavesItsSuccessorsFile) {
  auto old = ListeningSockets::Open(endpoint_).value();
  auto successor = ListeningSockets::Open(endpoint_).value();
  old.Close();
  EXPECT_TRUE(HasFile());
  successor.Close();
  EXPECT_FALSE(HasFile());
}

TEST_F(UnixSocketTest, AMovedServerRemovesTheFileOnce) {
  auto first = ListeningSockets::Open(endpoint_).value();
  {
    const ListeningSockets moved = std::move(first);
    EXPECT_TRUE(HasFile());
  }
  EXPECT_FALSE(HasFile());
}

}  // namespace
}  // namespace gorila::rpc
