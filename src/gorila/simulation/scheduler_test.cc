#include "gorila/simulation/scheduler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"

namespace gorila::simulation {
namespace {

using std::chrono::seconds;

SteadyTime After(const Scheduler& scheduler, seconds time) {
  return const_cast<Scheduler&>(scheduler).Now() + time;
}

TEST(SchedulerTest, SleepsTakeVirtualTimeOnly) {
  Scheduler scheduler({.seed = 1});
  const ProcessId process = scheduler.AddProcess(0);
  const SteadyTime begin = scheduler.Now();
  SteadyTime woke;
  scheduler.Spawn(process, "main", [&] {
    SleepFor(std::chrono::hours(1000));
    woke = SteadyNow();
  });
  scheduler.Run(SteadyTime::max());
  EXPECT_EQ(woke - begin, std::chrono::hours(1000));
  EXPECT_EQ(simulated_runtime, nullptr);
}

TEST(SchedulerTest, OneThreadAtATimeHoldsAMutex) {
  Scheduler scheduler({.seed = 3, .yield = 0.5});
  const ProcessId process = scheduler.AddProcess(0);
  Mutex mutex, other;
  int inside = 0, most = 0, entered = 0;
  for (int i = 0; i < 8; ++i) {
    scheduler.Spawn(process, "worker", [&] {
      for (int turn = 0; turn < 50; ++turn) {
        const MutexLock lock(mutex);
        most = std::max(most, ++inside);
        { const MutexLock yields(other); }
        ++entered;
        --inside;
      }
    });
  }
  scheduler.Run(After(scheduler, seconds(1)));
  EXPECT_EQ(entered, 400);
  EXPECT_EQ(most, 1);
}

TEST(SchedulerTest, AWaitEndsByANotificationOrAtItsDeadline) {
  Scheduler scheduler({.seed = 1});
  const ProcessId process = scheduler.AddProcess(0);
  Mutex mutex;
  CondVar changed;
  std::vector<bool> in_time;
  scheduler.Spawn(process, "waits", [&] {
    const MutexLock lock(mutex);
    in_time.push_back(changed.WaitUntil(mutex, SteadyNow() + seconds(5)));
    in_time.push_back(changed.WaitUntil(mutex, SteadyNow() + seconds(5)));
  });
  scheduler.Spawn(process, "notifies", [&] {
    SleepFor(seconds(1));
    const MutexLock lock(mutex);
    changed.NotifyAll();
  });
  scheduler.Run(SteadyTime::max());
  EXPECT_EQ(in_time, (std::vector<bool>{true, false}));
}

TEST(SchedulerTest, ThreadsAreJoined) {
  Scheduler scheduler({.seed = 1});
  std::string order;
  scheduler.Spawn(scheduler.AddProcess(0), "main", [&] {
    Thread thread = StartThread("child", [&] {
                      SleepFor(seconds(2));
                      order += "child ";
                    }).value();
    thread.join();
    order += "parent";
  });
  scheduler.Run(SteadyTime::max());
  EXPECT_EQ(order, "child parent");
}

TEST(SchedulerTest, AKilledProcessNeverRunsAgain) {
  Scheduler scheduler({.seed = 1});
  const ProcessId killed = scheduler.AddProcess(0);
  const ProcessId other = scheduler.AddProcess(1);
  int killed_turns = 0, other_turns = 0;
  scheduler.Spawn(killed, "main", [&] {
    for (;; SleepFor(seconds(1))) ++killed_turns;
  });
  scheduler.Spawn(other, "main", [&] {
    for (;; SleepFor(seconds(1))) ++other_turns;
  });
  scheduler.At(After(scheduler, seconds(10)), [&] { scheduler.Kill(killed); });
  scheduler.Run(After(scheduler, seconds(20)));
  EXPECT_FALSE(scheduler.IsAlive(killed));
  EXPECT_LE(killed_turns, 11);
  EXPECT_GE(other_turns, 20);
}

TEST(SchedulerTest, AHaltedProcessGoesOnLater) {
  Scheduler scheduler({.seed = 1});
  const ProcessId process = scheduler.AddProcess(0);
  std::vector<double> times;
  const SteadyTime begin = scheduler.Now();
  scheduler.Spawn(process, "main", [&] {
    for (;; SleepFor(seconds(1))) {
      times.push_back(std::chrono::duration<double>(SteadyNow() - begin).count());
    }
  });
  scheduler.At(begin + std::chrono::milliseconds(2500),
               [&] { scheduler.HaltUntil(process, begin + seconds(10)); });
  scheduler.Run(begin + std::chrono::milliseconds(10500));
  EXPECT_EQ(times, (std::vector<double>{0, 1, 2, 10}));
}

// Which of many threads comes first is the seed's.
std::string OrderOf(std::uint64_t seed, std::uint64_t& hash) {
  Scheduler scheduler({.seed = seed, .yield = 0.3});
  std::string order;
  Mutex mutex;
  for (char name = 'a'; name <= 'h'; ++name) {
    scheduler.Spawn(scheduler.AddProcess(0), "thread", [&order, &mutex, name] {
      const MutexLock lock(mutex);
      order += name;
    });
  }
  scheduler.Run(SteadyTime::max());
  hash = scheduler.hash();
  return order;
}

TEST(SchedulerTest, ASeedRepeatsItsStepsAndAnotherTakesOthers) {
  std::uint64_t first = 0, again = 0, other = 0;
  const std::string order = OrderOf(1, first);
  EXPECT_EQ(OrderOf(1, again), order);
  EXPECT_NE(OrderOf(2, other), order);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(SchedulerTest, AThreadKeepsItsPriorityUntilItIsDemoted) {
  // Of two threads that give way at each turn, the one that is ahead stays so for some turns.
  const auto changes = [](int demote_every) {
    Scheduler scheduler({.seed = 5, .yield = 1, .demote_every = demote_every});
    const ProcessId process = scheduler.AddProcess(0);
    std::vector<int> turns;
    Mutex mutex;
    for (const int thread : {0, 1}) {
      scheduler.Spawn(process, "worker", [&turns, &mutex, thread] {
        for (int turn = 0; turn < 500; ++turn) {
          const MutexLock lock(mutex);
          turns.push_back(thread);
        }
      });
    }
    scheduler.Run(SteadyTime::max());
    int count = 0;
    for (std::size_t i = 1; i < turns.size(); ++i) count += turns[i] != turns[i - 1] ? 1 : 0;
    return count;
  };
  EXPECT_GT(changes(0), 200);
  EXPECT_GT(changes(50), 1);
  EXPECT_LT(changes(50), 60);
}

TEST(SchedulerTest, WallClocksMayBeWrong) {
  Scheduler scheduler({.seed = 1});
  scheduler.SetWallClockError(1, std::chrono::hours(2));
  WallTime right, wrong;
  scheduler.Spawn(scheduler.AddProcess(0), "main", [&] { right = WallNow(); });
  scheduler.Spawn(scheduler.AddProcess(1), "main", [&] { wrong = WallNow(); });
  scheduler.Run(SteadyTime::max());
  EXPECT_EQ(wrong - right, std::chrono::hours(2));
}

TEST(SchedulerTest, ThreadsThatGoRoundInCirclesAreNoticed) {
  Scheduler scheduler({.seed = 1, .yield = 1});
  Mutex mutex;
  scheduler.Spawn(scheduler.AddProcess(0), "main", [&] {
    for (;;) const MutexLock lock(mutex);
  });
  scheduler.Run(SteadyTime::max());
  EXPECT_TRUE(scheduler.stuck());
}

}  // namespace
}  // namespace gorila::simulation
