#include "gorila/base/energy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace gorila {
namespace {

namespace fs = std::filesystem;

// A powercap tree of our own.
class EnergyMeterTest : public testing::Test {
 protected:
  EnergyMeterTest()
      : root_(fs::temp_directory_path() /
              ("gorila_energy_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(root_);
  }
  ~EnergyMeterTest() override { fs::remove_all(root_); }

  void Write(const std::string& zone, std::uint64_t microjoules) {
    fs::create_directories(root_ / zone);
    std::ofstream(root_ / zone / "energy_uj") << microjoules << "\n";
    std::ofstream(root_ / zone / "max_energy_range_uj") << 10000000 << "\n";
  }

  const fs::path root_;
};

TEST_F(EnergyMeterTest, IsNotAvailableWithoutCounters) {
  EnergyMeter meter = EnergyMeter::Open(root_ / "nothing");
  EXPECT_FALSE(meter.available());
  EXPECT_EQ(meter.Joules(), 0);
}

TEST_F(EnergyMeterTest, AddsPackagesAndLeavesTheirPartsOut) {
  Write("intel-rapl:0", 1000000);
  Write("intel-rapl:1", 5000000);
  Write("intel-rapl:0:0", 0);
  EnergyMeter meter = EnergyMeter::Open(root_);
  ASSERT_TRUE(meter.available());
  EXPECT_EQ(meter.Joules(), 0);
  Write("intel-rapl:0", 3000000);
  Write("intel-rapl:1", 5500000);
  Write("intel-rapl:0:0", 900000);
  EXPECT_DOUBLE_EQ(meter.Joules(), 2.5);
}

TEST_F(EnergyMeterTest, GoesOnWhenACounterWraps) {
  Write("intel-rapl:0", 9000000);
  EnergyMeter meter = EnergyMeter::Open(root_);
  Write("intel-rapl:0", 500000);
  EXPECT_DOUBLE_EQ(meter.Joules(), 1.5);
}

TEST_F(EnergyMeterTest, KeepsItsCountWhenACounterDisappears) {
  Write("intel-rapl:0", 0);
  EnergyMeter meter = EnergyMeter::Open(root_);
  Write("intel-rapl:0", 2000000);
  EXPECT_DOUBLE_EQ(meter.Joules(), 2);
  fs::remove_all(root_ / "intel-rapl:0");
  EXPECT_DOUBLE_EQ(meter.Joules(), 2);
}

}  // namespace
}  // namespace gorila
