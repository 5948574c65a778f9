#include "gorila/base/cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(CoresTest, ReadsListsAndRangesInAnyOrder) {
  EXPECT_THAT(ParseCores("0-3,6").value(), ElementsAre(0, 1, 2, 3, 6));
  EXPECT_THAT(ParseCores("6,2-3,3,0").value(), ElementsAre(0, 2, 3, 6));
  EXPECT_THAT(ParseCores("5").value(), ElementsAre(5));
}

TEST(CoresTest, RefusesWhatIsNotAListOfCores) {
  for (const char* const text :
       {"", "a", "1,", "3-1", "-1", "0-", "1-2-3", "0 ,1", "8192", "+1", "99999999999"}) {
    const Status status = ParseCores(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("0-3,6")) << text;
  }
}

TEST(CoresTest, WritesTheShortestForm) {
  EXPECT_EQ(CoresText(std::vector<int>{0, 1, 2, 3, 6}), "0-3,6");
  EXPECT_EQ(CoresText(std::vector<int>{0, 1, 5, 6, 7}), "0,1,5-7");
  EXPECT_EQ(CoresText(std::vector<int>{}), "");
}

TEST(CoresTest, AThreadIsPinnedAndItsChildrenWithItUntilTheEnd) {
  const std::vector<int> allowed = AllowedCores();
  ASSERT_FALSE(allowed.empty());
  const std::vector<int> one{allowed.back()};
  {
    const auto pinned = PinnedThread::Pin(one);
    ASSERT_TRUE(pinned.ok()) << pinned.status();
    EXPECT_EQ(AllowedCores(), one);
    std::vector<int> of_child;
    std::thread([&of_child] { of_child = AllowedCores(); }).join();
    EXPECT_EQ(of_child, one);
  }
  EXPECT_EQ(AllowedCores(), allowed);
}

TEST(CoresTest, APinIsGivenBackFromAnotherThread) {
  const std::vector<int> allowed = AllowedCores();
  auto pinned = PinnedThread::Pin(std::vector<int>{allowed.front()}).value();
  std::thread([&pinned] { pinned.reset(); }).join();
  EXPECT_EQ(AllowedCores(), allowed);
}

TEST(CoresTest, PinningToACoreThatIsNotThereFails) {
  EXPECT_THAT(std::string(PinThisThread(std::vector<int>{8191}).message()), HasSubstr("8191"));
}

TEST(CoresTest, DealsOutNeighbours) {
  const std::vector<int> cores{0, 1, 2, 3, 6};
  EXPECT_THAT(DealOutCores(cores, 2), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3, 6)));
  EXPECT_THAT(DealOutCores(cores, 5).back(), ElementsAre(6));
  EXPECT_THAT(DealOutCores(cores, 6), IsEmpty());
  EXPECT_THAT(DealOutCores(cores, 0), IsEmpty());
}

TEST(CoresTest, ReadsTheMemoryNodes) {
  const fs::path root = fs::path(testing::TempDir()) / fmt::format("cores_test-{}", ::getpid());
  const std::vector<std::pair<std::string, std::string>> files = {
      {"node1", "2-3\n"}, {"node0", "0-1\n"}, {"node10", "\n"}, {"possible", "0-1\n"}};
  for (const auto& [node, cores] : files) {
    fs::create_directories(root / "sys/devices/system/node" / node);
    std::ofstream(root / "sys/devices/system/node" / node / "cpulist") << cores;
  }
  const std::vector<NumaNode> nodes = NumaNodes(root);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_THAT(nodes[0].cores, ElementsAre(0, 1));
  EXPECT_EQ(nodes[1].number, 1);
  EXPECT_THAT(nodes[1].cores, ElementsAre(2, 3));
  fs::remove_all(root);
  EXPECT_THAT(NumaNodes(root), IsEmpty());
}

}  // namespace
}  // namespace gorila
