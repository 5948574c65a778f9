#include "gorila/simulation/oracle.h"

#include <gtest/gtest.h>

#include <string>

#include "gorila/parameter_server/remote/shard_service.h"

namespace gorila::simulation {
namespace {

// A shard whose parameters add up to 10 at first, served by one process as generation 1.
class OracleTest : public testing::Test {
 protected:
  OracleTest() {
    oracle_.AddShard(0, 10);
    oracle_.AddShardProcess(kServer, 0);
    oracle_.BeganServing(kServer, 1, 0);
  }

  void Push(std::int64_t sequence, std::int64_t version, bool repeated = false,
            ProcessId server = kServer, std::int64_t generation = 1, std::int64_t seen = 0) {
    v1::PushRequest push;
    push.set_client(7);
    push.set_sequence(sequence);
    push.set_seen_generation(seen);
    v1::PushResponse response;
    response.set_generation(generation);
    response.set_version(version);
    response.set_repeated(repeated);
    response.set_verdict(v1::PushResponse::ACCEPTED);
    Handle(server, kPushMethod, push.SerializeAsString(),
           {.header = response.SerializeAsString(), .payload = nullptr});
  }
  void Pull(std::int64_t version, std::vector<float> values) {
    v1::PullResponse response;
    response.set_generation(1);
    response.set_version(version);
    response.set_latest_version(version);
    Handle(kServer, kPullMethod, v1::PullRequest().SerializeAsString(),
           {.header = response.SerializeAsString(), .payload = rpc::CopyToPayload(values)});
  }
  // `told`: of the run. `own`: of the client; those of the run unless given.
  void Report(std::int64_t told, std::int64_t own = -1, std::uint64_t client = 7) {
    v1::ReportRequest report;
    report.set_client(client);
    report.set_frames(own >= 0 ? own : told);
    v1::ReportResponse response;
    response.set_generation(1);
    response.set_version(2);
    response.set_run_frames(told);
    Handle(kServer, kReportMethod, report.SerializeAsString(),
           {.header = response.SerializeAsString(), .payload = nullptr});
  }
  void Handle(ProcessId server, std::string method, std::string header, rpc::Response response) {
    oracle_.Handled(server, 99, {.method = std::move(method), .header = std::move(header)},
                    &response);
  }
  std::string Found() const {
    return oracle_.violations().empty() ? "" : oracle_.violations().front();
  }
  bool Finds(const std::string& text) const { return Found().find(text) != std::string::npos; }

  static constexpr ProcessId kServer = 1, kSuccessor = 2;
  Scheduler scheduler_{{.seed = 1}};
  Oracle oracle_{scheduler_};
};

TEST_F(OracleTest, AcceptsWhatARunDoes) {
  oracle_.MadeFrames(100);
  Push(1, 1);
  Push(2, 2);
  Push(2, 2, /*repeated=*/true);
  Pull(2, {3, 5});
  Report(50);
  Report(100);
  EXPECT_EQ(Found(), "");
}

TEST_F(OracleTest, FindsAGradientThatIsDecidedOnTwice) {
  Push(1, 1);
  Push(1, 2);
  EXPECT_TRUE(Finds("gradient 1 of client 7 was decided on twice")) << Found();
}

TEST_F(OracleTest, FindsAGradientThatIsAppliedAgainAfterItsSnapshot) {
  Push(1, 1);
  oracle_.AddShardProcess(kSuccessor, 0);
  oracle_.HasRead(kSuccessor, "/shard-0/state/snapshots/000001000001/clients.state");
  oracle_.BeganServing(kSuccessor, 2, 1);
  Push(1, 2, false, kSuccessor, 2);
  EXPECT_TRUE(Finds("was applied again, though its snapshot has it")) << Found();
}

TEST_F(OracleTest, AllowsAGradientThatTheSnapshotLacks) {
  Push(1, 1);
  Push(2, 2);
  oracle_.AddShardProcess(kSuccessor, 0);
  oracle_.HasRead(kSuccessor, "/shard-0/state/snapshots/000001000001/clients.state");
  oracle_.BeganServing(kSuccessor, 2, 1);
  Push(2, 2, false, kSuccessor, 2);
  EXPECT_EQ(Found(), "");
}

TEST_F(OracleTest, AllowsGradientsThatComeOutOfOrder) {
  Push(3, 1);
  Push(1, 2);
  Push(70, 3);
  Push(69, 4);
  EXPECT_EQ(Found(), "");
  Push(69, 5);
  EXPECT_TRUE(Finds("gradient 69 of client 7 was decided on twice")) << Found();
}

TEST_F(OracleTest, FindsADecisionThatTheLedgerCouldNotKnowOf) {
  Push(100, 1);
  Push(37, 2);  // the oldest that it remembers
  EXPECT_EQ(Found(), "");
  Push(36, 3);
  EXPECT_TRUE(Finds("gradient 36 of client 7 was decided on, though the ledger cannot know it"))
      << Found();
}

TEST_F(OracleTest, FindsParametersOfAnotherVersion) {
  Pull(3, {3, 5});
  EXPECT_TRUE(Finds("the parameters of version 3 are those after 2.00 gradients")) << Found();
}

TEST_F(OracleTest, FindsAVersionThatFalls) {
  Push(1, 5);
  Push(2, 4);
  EXPECT_TRUE(Finds("version 4 after version 5")) << Found();
}

TEST_F(OracleTest, FindsAGenerationOfTwoProcesses) {
  oracle_.AddShardProcess(kSuccessor, 0);
  oracle_.BeganServing(kSuccessor, 1, 0);
  EXPECT_TRUE(Finds("two processes took generation 1")) << Found();
}

TEST_F(OracleTest, FindsAnOldProcessThatDecidesForWhoKnowsItsSuccessor) {
  Push(1, 1, false, kServer, 1, /*seen=*/2);
  EXPECT_TRUE(Finds("that had told it of generation 2")) << Found();
}

TEST_F(OracleTest, FindsASnapshotThatIsNotRestored) {
  oracle_.Synced(kServer, "/shard-0/state/snapshots", {{"000001000002", true}});
  oracle_.AddShardProcess(kSuccessor, 0);
  oracle_.HasRead(kSuccessor, "/shard-0/state/snapshots/000001000001/clients.state");
  oracle_.BeganServing(kSuccessor, 2, 0);
  EXPECT_TRUE(Finds("began with snapshot 1000001, but 1000002 was committed before")) << Found();
}

TEST_F(OracleTest, FindsStalenessThatWasCountedWrongly) {
  Push(1, 1);
  Push(2, 2);  // computed from version 0: 0 and 1 behind
  v1::RoleStatus status;
  status.set_generation(1);
  (*status.mutable_counters())["staleness_sum"] = 1;
  oracle_.CheckStatus(kServer, status);
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(oracle_.counters().staleness_checks, 1);
  (*status.mutable_counters())["staleness_sum"] = 2;
  oracle_.CheckStatus(kServer, status);
  EXPECT_TRUE(Finds("the staleness of accepted gradients is 1; it counts 2")) << Found();
}

TEST_F(OracleTest, CountsStalenessOverARestart) {
  Push(1, 1);
  Push(2, 2);
  Push(3, 3);  // which the snapshot lacks
  oracle_.AddShardProcess(kSuccessor, 0);
  oracle_.HasRead(kSuccessor, "/shard-0/state/snapshots/000001000001/clients.state");
  oracle_.BeganServing(kSuccessor, 2, 2);
  Push(4, 3, false, kSuccessor, 2);
  v1::RoleStatus status;
  status.set_generation(2);
  (*status.mutable_counters())["staleness_sum"] = 0 + 1 + 2;
  oracle_.CheckStatus(kSuccessor, status);
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(oracle_.counters().staleness_checks, 1);
}

TEST_F(OracleTest, FindsFramesThatNobodyMade) {
  oracle_.MadeFrames(100);
  Report(101);
  EXPECT_TRUE(Finds("the run has 101 frames, of 100 that were made")) << Found();
}

TEST_F(OracleTest, AcceptsReportsThatAreCountedOnce) {
  oracle_.MadeFrames(1000);
  Report(300, 40);  // what is not of this client came with a snapshot
  Report(310, 50);
  Report(310, 50);                // again
  Report(310, 45);                // late
  Report(330, 30, /*client=*/8);  // of which the snapshot had 10
  Report(335, 35, /*client=*/8);
  Report(340, 55);
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(oracle_.counters().counted_reports, 5);
}

TEST_F(OracleTest, FindsFramesThatAreCountedTwice) {
  oracle_.MadeFrames(1000);
  Report(40, 40);
  Report(60, 50);
  EXPECT_TRUE(Finds("after a report of 10 more frames of client 7 the run has 60; expected 50"))
      << Found();
}

TEST_F(OracleTest, FindsFramesOfAReportThatAreNotCounted) {
  oracle_.MadeFrames(1000);
  Report(40, 40);
  Report(40, 50);
  EXPECT_TRUE(Finds("the run has 40; expected 50")) << Found();
}

TEST_F(OracleTest, FramesThatTheRunsEndHoldsBackAreNotMissed) {
  oracle_.MadeFrames(1000);
  oracle_.run().SetRun(100, {});
  Report(90, 90);
  Report(99, 110);  // held back
  Report(99, 120);
  Report(99, 20, /*client=*/8);
  Report(140, 120);  // told at last
  Report(145, 125);
  EXPECT_EQ(Found(), "");
}

TEST_F(OracleTest, FindsFramesThatVanish) {
  oracle_.MadeFrames(100);
  Report(100);
  Report(99);
  EXPECT_TRUE(Finds("the run has 99 frames after 100")) << Found();
}

}  // namespace
}  // namespace gorila::simulation
