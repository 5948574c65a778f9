#include "gorila/dashboard/event_log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

const auto kLong = std::chrono::seconds(60);

TEST(EventLogTest, EveryReaderGetsEveryEventInOrder) {
  EventLog log(1000, 1 << 20);
  std::vector<std::vector<std::string>> seen(3);
  std::vector<std::thread> readers;
  for (auto& mine : seen) {
    readers.emplace_back([&log, &mine] {
      std::uint64_t next = 0;
      while (mine.size() < 500) mine.push_back(log.Wait(next, Clock::now() + kLong)->data);
    });
  }
  for (int i = 0; i < 500; ++i) log.Publish({"row", std::to_string(i)});
  for (std::thread& reader : readers) reader.join();
  for (const auto& mine : seen) {
    for (int i = 0; i < 500; ++i) EXPECT_EQ(mine[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

TEST(EventLogTest, ReaderWaitsNoLongerThanItsDeadline) {
  EventLog log(2, 1 << 20);
  std::uint64_t next = log.end();
  EXPECT_FALSE(log.Wait(next, Clock::now()).has_value());
  EXPECT_EQ(next, 0u);
}

TEST(EventLogTest, ASlowReaderLearnsThatItMissedSomething) {
  EventLog log(2, 1 << 20);
  for (const char* data : {"a", "b", "c"}) log.Publish({"row", data});
  std::uint64_t next = 0;
  EXPECT_TRUE(log.Missed(next));
  EXPECT_EQ(log.Wait(next, Clock::now())->data, "b");
  EXPECT_FALSE(log.Missed(next));
  EXPECT_EQ(log.end(), 3u);
}

TEST(EventLogTest, LongEventsAreForgottenByTheirBytes) {
  EventLog log(1000, 250);
  for (int i = 0; i < 10; ++i) log.Publish({"row", std::string(100, 'x')});
  EXPECT_TRUE(log.Missed(7));
  EXPECT_FALSE(log.Missed(8));
  log.Publish({"row", std::string(1000, 'y')});
  std::uint64_t next = 10;
  EXPECT_EQ(log.Wait(next, Clock::now())->data.size(), 1000u) << "the newest one stays";
  EXPECT_TRUE(log.Missed(9));
}

}  // namespace
}  // namespace gorila
