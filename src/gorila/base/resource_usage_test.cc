#include "gorila/base/resource_usage.h"

#include <gtest/gtest.h>

#include <vector>

namespace gorila {
namespace {

TEST(ResourceUsageTest, MemoryGrowsWithWhatIsUsed) {
  const std::uint64_t before = ResidentBytes();
  EXPECT_GT(before, 0u);
  std::vector<char> used(std::size_t{64} << 20, 1);
  EXPECT_GE(ResidentBytes() + used[5] - 1, before + (std::uint64_t{48} << 20));
}

TEST(ResourceUsageTest, CpuTimeGrowsWithWork) {
  const double before = CpuSeconds();
  volatile double sum = 0;
  while (CpuSeconds() < before + 0.01) sum = sum + 1;
  EXPECT_GT(CpuSeconds(), before);
}

}  // namespace
}  // namespace gorila
