#include "gorila/launch/run_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "gorila/parameter_server/remote/testing.h"

namespace gorila {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

const RunProgress::TimePoint kStart{seconds(1000)};

v1::ReportRequest Report(std::uint64_t client, std::int64_t frames, std::int64_t first_episode = 0,
                         std::initializer_list<double> returns = {}) {
  v1::ReportRequest report;
  report.set_client(client);
  report.set_frames(frames);
  report.set_first_episode(first_episode);
  report.mutable_status()->set_role("bundle");
  report.mutable_status()->set_index(static_cast<int>(client));
  for (const double value : returns) report.add_episodes()->set_episode_return(value);
  return report;
}

std::vector<double> Returns(const RunProgress& progress, std::int64_t first) {
  v1::ProgressResponse response;
  progress.AddProgress(first, response);
  std::vector<double> returns;
  for (const auto& episode : response.episodes()) returns.push_back(episode.episode_return());
  return returns;
}

TEST(RunProgressTest, AddsTheFramesOfAllClients) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(1, 100), kStart).ok());
  ASSERT_TRUE(progress.Report(Report(2, 30), kStart).ok());
  ASSERT_TRUE(progress.Report(Report(1, 150), kStart).ok());
  EXPECT_EQ(progress.run_frames(), 180);
}

TEST(RunProgressTest, RepeatedAndOvertakenReportsChangeNothing) {
  RunProgress progress;
  const auto report = Report(1, 100, 0, {1, 2});
  EXPECT_EQ(progress.Report(report, kStart).value(), 2);
  EXPECT_EQ(progress.Report(report, kStart).value(), 2);
  EXPECT_EQ(progress.Report(Report(1, 60, 0, {1}), kStart).value(), 2);
  EXPECT_EQ(progress.Report(Report(1, 110, 1, {2, 3}), kStart).value(), 3);
  EXPECT_EQ(progress.run_frames(), 110);
  EXPECT_EQ(Returns(progress, 0), (std::vector<double>{1, 2, 3}));
}

TEST(RunProgressTest, NegativeCountsAreRefusedAndChangeNothing) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(1, 100), kStart).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(Report(1, -1), kStart).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(Report(1, 200, -1), kStart).status()));
  EXPECT_EQ(progress.run_frames(), 100);
}

TEST(RunProgressTest, TheSumOfAllFramesCannotOverflow) {
  RunProgress progress;
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(Report(1, kHuge), kStart).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(Report(2, kHuge), kStart).status()));
  ASSERT_TRUE(progress.Report(Report(1, RunProgress::kMaxCount - 1), kStart).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(Report(2, 2), kStart).status()));
  EXPECT_EQ(progress.run_frames(), RunProgress::kMaxCount - 1);
  EXPECT_EQ(progress.Clients(kStart, seconds(60)).size(), 1u) << "what is refused leaves nothing";
  StateWriter writer;
  progress.SaveState(writer);
  RunProgress restored;
  StateReader reader(writer.bytes());
  EXPECT_TRUE(restored.RestoreState(reader).ok());
}

TEST(RunProgressTest, ReportsWithFieldsOutOfRangeAreRefused) {
  RunProgress progress;
  const auto expect_refused = [&](auto&& change) {
    auto report = Report(1, 100);
    change(report);
    EXPECT_TRUE(absl::IsInvalidArgument(progress.Report(report, kStart).status()))
        << report.ShortDebugString().substr(0, 200);
  };
  expect_refused([](auto& report) { report.set_first_episode(std::int64_t{1} << 62); });
  expect_refused([](auto& report) { report.add_episodes()->set_length(-1); });
  for (const double wrong : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
    expect_refused([wrong](auto& report) { report.add_episodes()->set_episode_return(wrong); });
  }
  expect_refused([](auto& report) { report.mutable_status()->set_index(-1); });
  expect_refused([](auto& report) { report.mutable_status()->set_seconds(-1); });
  expect_refused([](auto& report) { report.mutable_status()->set_seconds(NAN); });
  expect_refused([](auto& report) { report.mutable_status()->set_role(std::string(65, 'x')); });
  expect_refused([](auto& report) {
    (*report.mutable_status()->mutable_counters())["replay_rows"] = std::int64_t{1} << 62;
  });
  expect_refused(
      [](auto& report) { (*report.mutable_status()->mutable_counters())["outliers"] = -1; });
  expect_refused([](auto& report) {
    for (int i = 0; i < 1000; ++i) {
      (*report.mutable_status()->mutable_gauges())[std::to_string(i)] = 0;
    }
  });
  EXPECT_EQ(progress.run_frames(), 0);
}

// Of snapshots from before counters were checked.
TEST(RunProgressTest, CountersThatOverflowedAreNotRestored) {
  const auto restore = [](std::int64_t run_frames, std::int64_t frames, std::int64_t episodes) {
    StateWriter writer;
    writer.Write(run_frames);
    writer.Write(std::int64_t{1});  // uses
    writer.Write(std::uint64_t{1});
    writer.Write(std::uint64_t{7});  // the client
    writer.Write(frames);
    writer.Write(episodes);
    writer.Write(std::int64_t{1});
    StateReader reader(writer.bytes());
    Status status = RunProgress().RestoreState(reader);
    if (status.ok()) status = reader.Finish();
    return status;
  };
  EXPECT_TRUE(restore(5, 5, 5).ok()) << restore(5, 5, 5);
  EXPECT_THAT(std::string(restore(-1, 5, 5).message()),
              HasSubstr("1 clients and -1 frames; expected"));
  EXPECT_TRUE(absl::IsDataLoss(restore(5, -1, 5)));
  EXPECT_TRUE(absl::IsDataLoss(restore(5, 5, -1)));
  EXPECT_TRUE(absl::IsDataLoss(restore(5, RunProgress::kMaxCount + 1, 5)));
}

TEST(RunProgressTest, TwoLivesOfAWorkerAreToldApart) {
  RunProgress progress;
  for (const std::uint64_t client : {7, 8}) {
    auto report = Report(client, 10);
    report.mutable_status()->set_index(0);
    ASSERT_TRUE(progress.Report(report, kStart).ok());
  }
  const auto both = progress.Clients(kStart, seconds(60));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_NE(both[0].process(), both[1].process());
}

TEST(RunProgressTest, EpisodesAreAskedForByNumber) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(1, 1, 0, {10, 11}), kStart).ok());
  ASSERT_TRUE(progress.Report(Report(2, 1, 0, {20}), kStart).ok());
  EXPECT_EQ(Returns(progress, 1), (std::vector<double>{11, 20}));
  EXPECT_EQ(Returns(progress, 3), (std::vector<double>{}));
  EXPECT_EQ(Returns(progress, 99), (std::vector<double>{}));
}

TEST(RunProgressTest, OldEpisodesAreForgotten) {
  RunProgress progress;
  auto report = Report(1, 1);
  for (std::size_t i = 0; i < RunProgress::kMaxEpisodes + 5; ++i) {
    report.add_episodes()->set_episode_return(static_cast<double>(i));
  }
  ASSERT_TRUE(progress.Report(report, kStart).ok());
  v1::ProgressResponse response;
  progress.AddProgress(0, response);
  EXPECT_EQ(response.first_episode(), 5);
  EXPECT_EQ(static_cast<std::size_t>(response.episodes_size()), RunProgress::kMaxEpisodes);
  EXPECT_EQ(response.episodes(0).episode_return(), 5);
}

TEST(RunProgressTest, ARestoredShardCatchesUpWithTheNextReport) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(1, 100, 0, {1, 2}), kStart).ok());
  StateWriter writer;
  progress.SaveState(writer);
  // Lost with the process: reported after the snapshot.
  ASSERT_TRUE(progress.Report(Report(1, 170, 2, {3}), kStart).ok());

  RunProgress restored;
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(restored.run_frames(), 100);
  EXPECT_TRUE(restored.Clients(kStart, seconds(60)).empty()) << "nobody has reported to it yet";
  EXPECT_EQ(restored.Report(Report(1, 180, 3, {4}), kStart).value(), 4);
  EXPECT_EQ(restored.run_frames(), 180);
  EXPECT_EQ(Returns(restored, 0), (std::vector<double>{4}));
}

v1::ReportRequest GamesReport(std::uint64_t client, const std::vector<std::int64_t>& frames) {
  v1::ReportRequest report =
      Report(client, std::accumulate(frames.begin(), frames.end(), std::int64_t{0}));
  report.mutable_game_frames()->Assign(frames.begin(), frames.end());
  return report;
}

std::vector<std::int64_t> GameFrames(const RunProgress& progress) {
  v1::ProgressResponse response;
  progress.AddProgress(0, response);
  return {response.game_frames().begin(), response.game_frames().end()};
}

TEST(RunProgressTest, FramesOfEachGameAreAddedOnceAndSurviveARestart) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(GamesReport(1, {10, 20}), kStart).ok());
  ASSERT_TRUE(progress.Report(GamesReport(2, {1, 2}), kStart).ok());
  ASSERT_TRUE(progress.Report(GamesReport(1, {10, 20}), kStart).ok());
  ASSERT_TRUE(progress.Report(GamesReport(1, {5, 20}), kStart).ok()) << "overtaken";
  EXPECT_EQ(GameFrames(progress), (std::vector<std::int64_t>{11, 22}));
  StateWriter writer;
  progress.SaveState(writer);

  RunProgress restored;
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(restored.run_frames(), 33);
  EXPECT_EQ(GameFrames(restored), (std::vector<std::int64_t>{11, 22}));
  ASSERT_TRUE(restored.Report(GamesReport(2, {4, 2}), kStart).ok());
  ASSERT_TRUE(restored.Report(GamesReport(3, {0, 5}), kStart).ok()) << "another life of a worker";
  EXPECT_EQ(GameFrames(restored), (std::vector<std::int64_t>{14, 27}));
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    StateReader cut(std::string_view(writer.bytes()).substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(RunProgress().RestoreState(cut))) << size;
  }
}

TEST(RunProgressTest, FramesBeforeOtherGamesJoinedAreTheFirstGames) {
  RunProgress progress;
  v1::ReportRequest alone = GamesReport(1, {});
  alone.set_frames(70);
  ASSERT_TRUE(progress.Report(alone, kStart).ok());
  EXPECT_TRUE(GameFrames(progress).empty());
  v1::ReportRequest joined = GamesReport(2, {3, 4});
  joined.set_frames(7);
  ASSERT_TRUE(progress.Report(joined, kStart).ok());
  ASSERT_TRUE(progress.Report(joined, kStart).ok());
  EXPECT_EQ(GameFrames(progress), (std::vector<std::int64_t>{73, 4}));
}

TEST(RunProgressTest, AnEpisodeKeepsItsGame) {
  RunProgress progress;
  v1::ReportRequest report = Report(1, 1, 0, {10, 11});
  report.mutable_episodes(1)->set_game(4);
  ASSERT_TRUE(progress.Report(report, kStart).ok());
  v1::ProgressResponse response;
  progress.AddProgress(0, response);
  EXPECT_EQ(response.episodes(0).game(), 0);
  EXPECT_EQ(response.episodes(1).game(), 4);
}

TEST(RunProgressTest, GamesOutOfRangeAreRefused) {
  RunProgress progress;
  const auto refused = [&progress](const v1::ReportRequest& report) {
    return absl::IsInvalidArgument(progress.Report(report, kStart).status());
  };
  EXPECT_TRUE(refused(GamesReport(1, std::vector<std::int64_t>(RunProgress::kMaxGames + 1))));
  EXPECT_TRUE(refused(GamesReport(1, {-1, 2})));
  v1::ReportRequest report = Report(1, 1, 0, {10});
  report.mutable_episodes(0)->set_game(-1);
  EXPECT_TRUE(refused(report));
  report.mutable_episodes(0)->set_game(static_cast<int>(RunProgress::kMaxGames));
  EXPECT_TRUE(refused(report));
  EXPECT_TRUE(GameFrames(progress).empty());
}

TEST(RunProgressTest, TheStateOfARunWithOneGameIsAsItWas) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(7, 100, 0, {1, 2}), kStart).ok());
  StateWriter writer, expected;
  progress.SaveState(writer);
  expected.Write<std::int64_t>(100);  // frames
  expected.Write<std::int64_t>(1);    // reports
  expected.Write<std::uint64_t>(1);   // clients
  expected.Write<std::uint64_t>(7);
  for (const std::int64_t number : {100, 2, 1}) expected.Write(number);
  EXPECT_EQ(writer.bytes(), expected.bytes());
}

TEST(RunProgressTest, ClientsAreShownUntilTheyAreSilentForLong) {
  RunProgress progress;
  ASSERT_TRUE(progress.Report(Report(2, 10), kStart).ok());
  ASSERT_TRUE(progress.Report(Report(1, 10), kStart + seconds(50)).ok());
  const auto both = progress.Clients(kStart + seconds(55), seconds(60));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].index(), 1);
  EXPECT_DOUBLE_EQ(both[0].silent_seconds(), 5);
  EXPECT_DOUBLE_EQ(both[1].silent_seconds(), 55);
  EXPECT_EQ(progress.Clients(kStart + seconds(70), seconds(60)).size(), 1u);
}

TEST(RunProgressTest, ClientsBeyondTheLimitKeepTheirFramesCounted) {
  RunProgress progress;
  for (std::uint64_t client = 0; client < RunProgress::kMaxClients + 10; ++client) {
    ASSERT_TRUE(progress.Report(Report(client, 3), kStart).ok());
  }
  EXPECT_EQ(progress.run_frames(), 3 * static_cast<std::int64_t>(RunProgress::kMaxClients + 10));
  EXPECT_LE(progress.Clients(kStart, seconds(60)).size(), RunProgress::kMaxClients);
}

TEST(RunProgressTest, ClientsReportTheLessOftenTheMoreThereAre) {
  RunProgress progress;
  EXPECT_EQ(progress.ReportEvery(kStart), std::chrono::milliseconds(200));
  for (std::uint64_t client = 0; client < 10'000; ++client) {
    ASSERT_TRUE(progress.Report(Report(client, 3), kStart).ok());
  }
  EXPECT_EQ(progress.ReportEvery(kStart + seconds(10)), std::chrono::milliseconds(5000));
  // Those that are gone do not count, and nothing is kept of what they reported but the totals.
  EXPECT_EQ(progress.ReportEvery(kStart + seconds(200)), std::chrono::milliseconds(200));
  EXPECT_EQ(progress.Clients(kStart + seconds(200), seconds(1000)).size(), 0u);
  EXPECT_EQ(progress.run_frames(), 30'000);
}

TEST(RunProgressTest, FiveThousandLivingClientsAreNotCountedAgain) {
  RunProgress progress;
  for (int round = 1; round <= 3; ++round) {
    for (std::uint64_t client = 0; client < 5000; ++client) {
      ASSERT_TRUE(progress.Report(Report(client, 10 * round), kStart).ok());
    }
  }
  EXPECT_EQ(progress.run_frames(), 5000 * 30);
}

// Behind the shard's service, which keeps it in its snapshots.
TEST(RunProgressTest, HugeReportsLeaveASnapshotThatCanBeRestored) {
  const auto make = [](std::int64_t generation) {
    return testing_remote::MakeService(testing_remote::MakePlace(0, 2, 64), generation, 4, 1000,
                                       std::make_unique<RunProgress>());
  };
  auto service = make(3);
  for (const std::uint64_t client : {1, 2}) {
    const Status status = testing_remote::Ask<v1::ReportResponse>(
                              *service, kReportMethod, Report(client, std::int64_t{1} << 62))
                              .status();
    EXPECT_EQ(rpc::RefusalOf(status), rpc::Refusal::kMalformed) << status;
  }
  const ShardState state = service->Save();
  service = make(4);
  EXPECT_TRUE(service->Restore(state).ok());
  EXPECT_EQ(service->run_frames(), 0);
}

}  // namespace
}  // namespace gorila
