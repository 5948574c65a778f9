#include "gorila/launch/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/base/mutex.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/launch/run_progress.h"
#include "gorila/metrics/testing.h"
#include "gorila/parameter_server/remote/testing.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr rpc::Endpoint kAnyPort{.host = "127.0.0.1"};

// The run's only parameter shard, served from this process. What bundles and learners would report
// to it, the tests report.
class ServedShard {
 public:
  explicit ServedShard(const ParameterLayout& layout)
      : place_(testing_remote::MakePlace(0, 1, layout.size)), service_(Make(1)) {
    std::vector<rpc::Method> methods = service_->Methods();
    for (rpc::Method& method : methods) {
      method.handle = [this, name = method.name](const rpc::Request& request) {
        return Handle(name, request);
      };
    }
    server_ = rpc::Server::Start(
                  {.listen = kAnyPort, .identity = {.token = "", .layout = layout.Fingerprint()}},
                  std::move(methods))
                  .value();
  }

  rpc::Endpoint endpoint() const { return server_->endpoint(); }

  // Another process of the shard takes over, without what was reported to the one before.
  void StartAgain(std::int64_t generation) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    service_ = Make(generation);
  }

  void Report(const v1::ReportRequest& report) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    EXPECT_TRUE(
        testing_remote::Ask<v1::ReportResponse>(*service_, kReportMethod, report).status().ok());
  }

  // From bundle 0, whose process has stepped that many frames.
  void ReportFrames(std::int64_t frames, std::initializer_list<double> returns = {}) {
    v1::ReportRequest report;
    report.set_client(1);
    report.set_frames(frames);
    report.mutable_status()->set_role("bundle");
    report.set_first_episode(0);
    for (const double value : returns) report.add_episodes()->set_episode_return(value);
    Report(report);
  }

  // From a learner that has drawn minibatches and made gradients of some of them.
  void ReportLearner(std::int64_t samples, std::int64_t gradients) {
    v1::ReportRequest report;
    report.set_client(2);
    report.mutable_status()->set_role("learner");
    (*report.mutable_status()->mutable_counters())["samples"] = samples;
    (*report.mutable_status()->mutable_counters())["gradients"] = gradients;
    Report(report);
  }

 private:
  std::unique_ptr<ShardService> Make(std::int64_t generation) const {
    return testing_remote::MakeService(place_, generation, 4, 1000,
                                       std::make_unique<RunProgress>());
  }

  StatusOr<rpc::Response> Handle(const std::string& name, const rpc::Request& request)
      GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (const rpc::Method& method : service_->Methods()) {
      if (method.name == name) return method.handle(request);
    }
    return NotFound("no method {}", name);
  }

  const ShardPlace place_;
  Mutex mutex_;
  std::unique_ptr<ShardService> service_ GORILA_GUARDED_BY(mutex_);
  std::unique_ptr<rpc::Server> server_;
};

// A replay shard that does nothing but say how full it is.
std::unique_ptr<rpc::Server> ServeReplayStatus(std::int64_t rows, std::int64_t capacity) {
  rpc::Method method;
  method.name = rpc::kStatusMethod;
  method.layout_optional = true;
  method.handle = [=](const rpc::Request&) -> StatusOr<rpc::Response> {
    v1::StatusResponse response;
    v1::RoleStatus& status = *response.add_roles();
    status.set_role(kReplayRole);
    (*status.mutable_counters())["replay_rows"] = rows;
    (*status.mutable_counters())["replay_capacity"] = capacity;
    return rpc::Response{.header = response.SerializeAsString(), .payload = nullptr};
  };
  return rpc::Server::Start({.listen = kAnyPort}, {std::move(method)}).value();
}

class CoordinatorTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("coordinator_test-{}", ::getpid());
    fs::remove_all(folder_);
    config_ = testing_config::SmallConfig();
    config_.run.deterministic = false;
    config_.run.bundles = 1;
    config_.run.frames = 600;
    config_.parameter_server.shards = 1;
    config_.evaluation.episodes = 5;
    config_.evaluation.periodic_episodes = 3;
    config_.evaluation.every_frames = 200;
    config_.evaluation.best = true;
    layout_ = MakeParameterLayout(ResolveNetwork(config_).value());
    shard_ = std::make_unique<ServedShard>(layout_);
    servers_.parameter_servers = {shard_->endpoint()};
    directory_ = RunDirectory::Create(folder_).value();
    ASSERT_TRUE(WriteFileAtomically(directory_->config(), ToToml(config_)).ok());
    hooks_ = {.stop_requested = [this] { return stop_; },
              .progress =
                  [this](const ProgressSnapshot& progress) {
                    seen_.push_back(static_cast<std::int64_t>(progress.frames));
                    progress_ = progress;
                    if (step_) step_();
                  },
              .message = {}};
  }
  void TearDown() override {
    directory_.reset();
    fs::remove_all(folder_);
  }

  StatusOr<std::unique_ptr<Coordinator>> Open() {
    return Coordinator::Open(config_, *directory_, [this] { return failure_; });
  }

  // A coordinator's whole life. `step` is called whenever it has looked at the run.
  StatusOr<TrainingOutcome> Coordinate(std::function<void()> step) {
    step_ = std::move(step);
    GORILA_ASSIGN_OR_RETURN(const auto coordinator, Open());
    GORILA_RETURN_IF_ERROR(coordinator->Connect(servers_, hooks_));
    GORILA_RETURN_IF_ERROR(coordinator->Watch(hooks_));
    step_ = {};
    return coordinator->Finish(hooks_);
  }

  // Watches a run from its beginning, and is stopped when it has that many frames.
  void WatchUntilStoppedAt(std::int64_t frames) {
    const auto outcome = Coordinate([this, frames] {
      shard_->ReportFrames(frames);
      stop_ = true;
    });
    stop_ = false;
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_FALSE(outcome->finished);
  }

  // The log's numbers of that name in records of that kind, in their order.
  std::vector<double> Logged(std::string_view kind, std::string_view name) const {
    std::vector<double> numbers;
    const std::vector<RunLogRecord> records = ReadRunLog(directory_->metrics()).value();
    for (const RunLogRecord& record : records) {
      if (record.Text("kind") == kind) numbers.push_back(record.Number(name).value_or(-1));
    }
    return numbers;
  }

  LaunchFiles files() const { return LaunchFiles(folder_); }

  fs::path folder_;
  Config config_;
  ParameterLayout layout_;
  std::unique_ptr<ServedShard> shard_;
  CoordinatorOptions servers_;
  std::unique_ptr<RunDirectory> directory_;
  Status failure_;
  bool stop_ = false;
  std::function<void()> step_;
  std::vector<std::int64_t> seen_;  // frames of the shown progress
  ProgressSnapshot progress_;       // the last shown
  TrainerHooks hooks_;              // outlives the coordinators
};

TEST_F(CoordinatorTest, GivesUpAServerThatStaysAway) {
  servers_.patience = std::chrono::milliseconds(1);
  const auto outcome = Coordinate([&] {
    shard_->ReportFrames(300);
    shard_.reset();
  });
  EXPECT_TRUE(absl::IsUnavailable(outcome.status())) << outcome.status();
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("did not answer for"));
}

TEST_F(CoordinatorTest, WatchesARunToItsFramesAndScoresItsNetwork) {
  std::int64_t frames = 0;
  const auto outcome = Coordinate([&] {
    frames = std::min<std::int64_t>(frames + 300, 600);
    shard_->ReportFrames(frames, {1, 0});
  });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->finished);
  EXPECT_TRUE(outcome->unwritten.ok()) << outcome->unwritten;
  // The last look is that of Finish.
  EXPECT_THAT(seen_, ElementsAre(0, 300, 600, 600));
  EXPECT_EQ(outcome->progress.frames, 600U);
  EXPECT_EQ(outcome->progress.episodes, 2U);  // each counted once, whatever is reported again
  EXPECT_EQ(outcome->score.evaluation.returns.size(), 5U);
  EXPECT_EQ(Logged("training", "frames").back(), 600);
  EXPECT_THAT(Logged("final_evaluation", "frames"), ElementsAre(outcome->score.frames));
  EXPECT_TRUE(fs::exists(FinalNetworkFile(folder_)));
  EXPECT_THAT(files().AllPending(), IsEmpty());
}

TEST_F(CoordinatorTest, AStoppedRunIsLoggedButNotScored) {
  WatchUntilStoppedAt(300);
  EXPECT_THAT(Logged("training", "frames"), ElementsAre(300));
  EXPECT_THAT(Logged("final_evaluation", "frames"), IsEmpty());
  EXPECT_FALSE(fs::exists(FinalNetworkFile(folder_)));
}

TEST_F(CoordinatorTest, AStopKeepsTheNetworkThatCameDueForTheNextCoordinator) {
  WatchUntilStoppedAt(300);
  EXPECT_THAT(files().AllPending(), ElementsAre(files().pending(300)));
  EXPECT_THAT(Logged("evaluation", "frames"), IsEmpty());
  const auto outcome = Coordinate([this] { shard_->ReportFrames(600); });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->finished);
  EXPECT_EQ(Logged("evaluation", "frames").front(), 300);
  EXPECT_TRUE(fs::exists(files().best()));
  EXPECT_THAT(files().AllPending(), IsEmpty());
}

TEST_F(CoordinatorTest, CountsOnFromWhatAnEarlierCoordinatorLogged) {
  // Of 1,000 seconds in which the run got to 300 frames.
  std::ofstream(directory_->metrics())
      << R"({"kind":"training","frames":300,"seconds":1000,"cpu_seconds":1500,"evaluations":1,)"
      << R"("skipped_evaluations":4,"evaluated_frames":200})"
      << "\n";
  shard_->ReportFrames(300);
  const auto outcome = Coordinate([this] { shard_->ReportFrames(600); });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(seen_.front(), 300);
  EXPECT_GE(Logged("training", "seconds").back(), 1000);
  EXPECT_GE(outcome->progress.seconds_elapsed, 1000);
  EXPECT_GE(Logged("training", "cpu_seconds").back(), 1500);
  EXPECT_GE(Logged("training", "skipped_evaluations").back(), 4);
}

TEST_F(CoordinatorTest, ANetworkThatCameDueWhileNobodyWatchedIsEvaluated) {
  std::ofstream(directory_->metrics())
      << R"({"kind":"training","frames":150,"seconds":1,"cpu_seconds":1,"evaluations":0,)"
      << R"("skipped_evaluations":0,"evaluated_frames":-1})"
      << "\n";
  shard_->ReportFrames(350);
  const auto outcome = Coordinate([this] { shard_->ReportFrames(600); });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(Logged("evaluation", "frames").front(), 350);
}

TEST_F(CoordinatorTest, ARunWhoseSecondsHavePassedIsScored) {
  std::ofstream(directory_->metrics())
      << R"({"kind":"training","frames":300,"seconds":1000,"cpu_seconds":1,"evaluations":0,)"
      << R"("skipped_evaluations":0,"evaluated_frames":-1})"
      << "\n";
  config_.run.seconds = 500;
  shard_->ReportFrames(400);
  const auto outcome = Coordinate({});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->finished);
  EXPECT_EQ(outcome->progress.frames, 400U);
}

TEST_F(CoordinatorTest, AShardThatStartedAgainLosesNoEpisodeOfTheNewProcess) {
  int looks = 0;
  const auto outcome = Coordinate([&] {
    if (++looks == 1) shard_->ReportFrames(300, {1, 1, 1});
    if (looks != 2) return;
    shard_->StartAgain(/*generation=*/2);
    shard_->ReportFrames(600, {0, 0});  // numbered from 0 again
  });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->progress.episodes, 5U);
}

TEST_F(CoordinatorTest, WaitsForTheUpdatesThatTheFramesPayFor) {
  const auto replay = ServeReplayStatus(/*rows=*/320, /*capacity=*/400);
  servers_.replays = {replay->endpoint()};
  config_.replay.options.rate.insert_lead = 10;
  shard_->ReportFrames(600);
  shard_->ReportLearner(/*samples=*/10, /*gradients=*/8);
  int looks = 0;
  // Reported at every look, because a process that is silent for long counts as gone.
  const auto outcome = Coordinate([&] { shard_->ReportLearner(10, ++looks < 20 ? 8 : 10); });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_GE(looks, 20);
  EXPECT_TRUE(outcome->finished);
  EXPECT_EQ(outcome->progress.replay_size, 320U);
  EXPECT_EQ(outcome->progress.replay_capacity, 400U);
}

TEST_F(CoordinatorTest, AFailureOfTheRunEndsTheWatch) {
  const auto outcome = Coordinate([this] { failure_ = Unavailable("bundle-0 failed 5 times"); });
  EXPECT_EQ(outcome.status(), Unavailable("bundle-0 failed 5 times"));
}

TEST_F(CoordinatorTest, ARemovedRunDirectoryEndsTheWatch) {
  const auto outcome = Coordinate([this] { fs::remove_all(folder_); });
  EXPECT_TRUE(absl::IsAborted(outcome.status())) << outcome.status();
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr(folder_.string()));
}

TEST_F(CoordinatorTest, AWaitForServersEndsWithAStopOrAFailureOrItsPatience) {
  const rpc::Endpoint nobody{.host = (folder_ / "nobody").string(), .unix_socket = true};
  servers_.parameter_servers = {nobody};
  const auto coordinator = Open().value();
  stop_ = true;
  EXPECT_TRUE(absl::IsCancelled(coordinator->Connect(servers_, hooks_)));
  stop_ = false;
  failure_ = Unavailable("a server failed 5 times");
  EXPECT_TRUE(absl::IsCancelled(coordinator->Connect(servers_, hooks_)));
  failure_ = OkStatus();
  servers_.patience = std::chrono::milliseconds(1);
  const Status late = coordinator->Connect(servers_, hooks_);
  EXPECT_TRUE(absl::IsUnavailable(late)) << late;
  EXPECT_THAT(std::string(late.message()), HasSubstr(rpc::ToString(nobody)));
}

TEST_F(CoordinatorTest, ADamagedNetworkIsNamedWithTheWayOut) {
  const std::vector<float> values(layout_.size, 0.5F);
  const std::string whole = EncodeParameters(layout_, values, {}).value();
  for (const fs::path& path : {files().best(), files().pending(200)}) {
    for (const std::string& text : {std::string("cut off"), whole}) {  // `whole` lacks its numbers
      SCOPED_TRACE(path.string() + ", " + std::to_string(text.size()) + " bytes");
      ASSERT_TRUE(WriteFileAtomically(path, text).ok());
      const Status status = Open().status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_THAT(std::string(status.message()),
                  AllOf(HasSubstr(path.string()), HasSubstr("remove the file")));
    }
    fs::remove(path);
    EXPECT_TRUE(Open().ok());
  }
}

}  // namespace
}  // namespace gorila
