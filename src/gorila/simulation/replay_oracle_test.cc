#include "gorila/simulation/replay_oracle.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "gorila/replay/remote/replay_service.h"
#include "gorila/simulation/agents.h"

namespace gorila::simulation {
namespace {

constexpr std::uint64_t kLife = 0xabc;
constexpr ProcessId kShard0 = 1, kShard1 = 2, kRestarted0 = 3, kActor = 9;

std::vector<std::byte> State(std::uint32_t step, std::uint32_t episode = 1,
                             std::uint64_t life = 5) {
  const std::size_t bytes = SimulatedObservation().frame_bytes();
  std::vector<std::byte> state(2 * bytes);
  FrameMark mark{.life = life, .environment = 7, .episode = episode, .step = step};
  std::memcpy(&state[bytes], &mark, sizeof mark);
  --mark.step;
  if (mark.step > 0) std::memcpy(state.data(), &mark, sizeof mark);
  return state;
}

class ReplayOracleTest : public testing::Test {
 protected:
  ReplayOracleTest() {
    oracle_.SetRules({.n_step = 3, .min_size = 10, .updates_per_step = 0.5});
    oracle_.AddProcess(kShard0, 0);
    oracle_.AddProcess(kShard1, 1);
    oracle_.AddProcess(kRestarted0, 0);
  }

  void Insert(ProcessId shard, std::int64_t first, int rows, int repeated, int accepted) {
    v1::InsertRequest insert;
    v1::RowRun& run = *insert.add_runs();
    run.set_life(kLife);
    run.set_first(first);
    run.set_rows(rows);
    v1::InsertResponse response;
    response.set_repeated(repeated);
    response.set_accepted(accepted);
    const rpc::Response answer{.header = response.SerializeAsString(), .payload = nullptr};
    oracle_.Handled(shard, kActor,
                    {.method = kReplayInsertMethod, .header = insert.SerializeAsString()}, &answer);
  }

  void Sample(ProcessId shard, const std::vector<std::byte>& state,
              const std::vector<std::byte>& later, std::int64_t sampled = 1,
              std::int64_t generation = 1) {
    v1::SampleResponse response;
    response.set_transitions(1);
    response.mutable_size()->set_generation(generation);
    response.mutable_size()->set_inserted(20);
    response.mutable_size()->set_sampled(sampled);
    std::vector<std::byte> bytes = state;
    bytes.insert(bytes.end(), later.begin(), later.end());
    auto payload = std::make_shared<rpc::Payload>(bytes.size());
    std::memcpy(payload->bytes().data(), bytes.data(), bytes.size());
    const rpc::Response answer{.header = response.SerializeAsString(), .payload = payload};
    oracle_.Handled(shard, kActor, {.method = kReplaySampleMethod, .header = {}}, &answer);
  }

  void Report(std::int64_t rows, std::int64_t accepted, std::int64_t lost) {
    v1::RoleStatus status;
    status.set_role("actor");
    (*status.mutable_counters())["rows"] = rows;
    (*status.mutable_counters())["rows_accepted"] = accepted;
    (*status.mutable_counters())["rows_lost"] = lost;
    oracle_.Reported(kActor, status);
  }

  bool Finds(const std::string& text) const { return found_.find(text) != std::string::npos; }

  std::string found_;
  ReplayOracle oracle_{[this](const std::string& what) { found_ += what; }};
};

TEST_F(ReplayOracleTest, AcceptsWhatARunDoes) {
  Insert(kShard0, 0, 10, 0, 10);
  Insert(kShard0, 5, 10, 5, 5);
  Insert(kShard1, 40, 10, 0, 3);  // those between were lost
  Insert(kShard1, 43, 7, 0, 7);
  Insert(kRestarted0, 12, 3, 0, 3);  // which the snapshot lacked
  Report(60, 28, 20);
  Sample(kShard0, State(1), State(4));
  Sample(kShard0, State(2), State(3), 6);
  EXPECT_EQ(found_, "");
}

TEST_F(ReplayOracleTest, FindsARowInTwoShards) {
  Insert(kShard0, 0, 10, 0, 10);
  Insert(kShard1, 9, 2, 0, 2);
  EXPECT_TRUE(Finds("time step 9 of stream 0 of life abc is in replay shards 0 and 1")) << found_;
}

TEST_F(ReplayOracleTest, FindsARowThatAProcessTakesTwice) {
  Insert(kShard0, 0, 10, 0, 10);
  Insert(kShard0, 3, 2, 0, 2);
  EXPECT_TRUE(Finds("is in replay shards 0 and 0")) << found_;
}

TEST_F(ReplayOracleTest, FindsRowsThatVanish) {
  Insert(kShard0, 0, 10, 0, 10);
  Report(500, 10, 20);
  EXPECT_TRUE(Finds("470 are on their way")) << found_;
}

TEST_F(ReplayOracleTest, FindsRowsThatNoShardTook) {
  Insert(kShard0, 0, 10, 0, 10);
  Report(12, 11, 0);
  EXPECT_TRUE(Finds("counts 11 rows as accepted, of 10 that shards took")) << found_;
}

TEST_F(ReplayOracleTest, FindsTransitionsOverAGap) {
  Sample(kShard0, State(1), State(5));
  EXPECT_TRUE(Finds("a transition of 4 steps")) << found_;
  found_.clear();
  Sample(kShard0, State(2), State(3, 2));
  EXPECT_TRUE(Finds("joins step 2 of episode 1")) << found_;
  found_.clear();
  Sample(kShard0, State(2), State(3, 1, /*life=*/6));
  EXPECT_TRUE(Finds("of process 6")) << found_;
}

TEST_F(ReplayOracleTest, FindsAStateOverAGap) {
  std::vector<std::byte> state = State(3);
  const FrameMark earlier{.life = 5, .environment = 7, .episode = 1, .step = 1};
  std::memcpy(state.data(), &earlier, sizeof earlier);
  Sample(kShard0, state, State(4));
  EXPECT_TRUE(Finds("a state joins step 1 of episode 1")) << found_;
}

TEST_F(ReplayOracleTest, FindsMinibatchesThatNobodyPaidFor) {
  Sample(kShard0, State(1), State(2), /*sampled=*/7);
  EXPECT_TRUE(Finds("7 minibatches, of 5 that 20 rows pay for")) << found_;
}

TEST_F(ReplayOracleTest, FindsAGenerationOfTwoProcesses) {
  Sample(kShard0, State(1), State(2));
  Sample(kRestarted0, State(1), State(2));
  EXPECT_TRUE(Finds("processes 1 and 3 both serve generation 1")) << found_;
  found_.clear();
  oracle_.LoseState(0);
  Sample(kRestarted0, State(1), State(2));
  EXPECT_EQ(found_, "");
}

}  // namespace
}  // namespace gorila::simulation
