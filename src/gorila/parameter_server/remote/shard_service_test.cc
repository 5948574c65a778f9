#include "gorila/parameter_server/remote/shard_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "gorila/base/random.h"
#include "gorila/parameter_server/remote/testing.h"

namespace gorila {
namespace {

using rpc::Refusal;
using rpc::RefusalOf;
using ::testing::Each;
using ::testing::HasSubstr;
using testing_remote::Ask;
using testing_remote::Call;
using testing_remote::MakePlace;
using testing_remote::MakeService;
using testing_remote::PushFrom;

constexpr std::size_t kSize = 32;  // of shard 0 of 2, over 64

class ShardServiceTest : public testing::Test {
 protected:
  StatusOr<v1::PushResponse> Push(const v1::PushRequest& push, float value = 1) {
    return Ask<v1::PushResponse>(*service_, kPushMethod, push, std::vector<float>(kSize, value));
  }
  float FirstValue() { return service_->shard().Snapshot().values.front(); }
  // That nothing but refusals has happened.
  void ExpectUntouched() {
    EXPECT_EQ(service_->shard().version(), 0);
    EXPECT_EQ(FirstValue(), 0);
    EXPECT_EQ(service_->counters().pushed, 0);
  }

  std::unique_ptr<ShardService> service_ = MakeService(MakePlace(0, 2, 64), 3);
};

TEST_F(ShardServiceTest, DescribesItself) {
  const auto place =
      Ask<v1::ShardDescription>(*service_, kDescribeMethod, v1::DescribeRequest()).value();
  EXPECT_EQ(place.shard(), 0);
  EXPECT_EQ(place.shards(), 2);
  EXPECT_EQ(place.parameters(), 64u);
  EXPECT_EQ(place.end(), kSize);
  EXPECT_EQ(place.generation(), 3);
}

TEST_F(ShardServiceTest, SendsParametersOnlyWhenTheyChanged) {
  v1::PullRequest pull;
  const auto first = Call(*service_, kPullMethod, pull.SerializeAsString()).value();
  ASSERT_NE(first.payload, nullptr);
  EXPECT_EQ(first.payload->floats()[5], 5);
  pull.set_have_generation(3);
  pull.set_have_version(0);
  EXPECT_EQ(Call(*service_, kPullMethod, pull.SerializeAsString()).value().payload, nullptr);
  pull.set_have_generation(2);
  EXPECT_NE(Call(*service_, kPullMethod, pull.SerializeAsString()).value().payload, nullptr)
      << "the same version of an older generation is something else";
}

TEST_F(ShardServiceTest, AppliesEachGradientOnceHoweverOftenItComes) {
  for (int i = 0; i < 3; ++i) {
    const auto response = Push(PushFrom(9, 1, 0, 3)).value();
    EXPECT_EQ(response.verdict(), v1::PushResponse::ACCEPTED);
    EXPECT_EQ(response.repeated(), i > 0);
    EXPECT_EQ(response.version(), 1);
  }
  EXPECT_EQ(FirstValue(), -1);
  EXPECT_EQ(service_->counters().pushed, 1);
  EXPECT_EQ(service_->counters().repeated, 2);
  ASSERT_TRUE(Push(PushFrom(9, 2, 1, 3)).ok());
  ASSERT_TRUE(Push(PushFrom(8, 1, 1, 3)).ok());
  EXPECT_EQ(FirstValue(), -3);
}

TEST_F(ShardServiceTest, AnswersAGradientWithTheParametersThatItMade) {
  v1::PushRequest push = PushFrom(9, 1, 0, 3);
  push.mutable_then()->set_have_generation(3);
  push.mutable_then()->set_have_version(0);
  const std::vector<float> gradient(kSize, 1);
  for (int i = 0; i < 2; ++i) {  // the first answer may have been lost
    const auto answer = Call(*service_, kPushMethod, push.SerializeAsString(), gradient).value();
    v1::PushResponse response;
    ASSERT_TRUE(response.ParseFromString(answer.header));
    EXPECT_EQ(response.repeated(), i > 0);
    EXPECT_EQ(response.pulled().version(), 1);
    EXPECT_EQ(response.pulled().generation(), 3);
    ASSERT_NE(answer.payload, nullptr);
    EXPECT_EQ(answer.payload->floats()[5], 4);
  }
  push.set_sequence(2);
  push.mutable_then()->set_have_version(1);
  const std::vector<float> refused(kSize, std::numeric_limits<float>::infinity());
  const auto answer = Call(*service_, kPushMethod, push.SerializeAsString(), refused).value();
  EXPECT_EQ(answer.payload, nullptr) << "nothing changed";
  v1::PushResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.header));
  EXPECT_EQ(response.verdict(), v1::PushResponse::INVALID);
  EXPECT_EQ(response.pulled().version(), 1);
}

TEST_F(ShardServiceTest, AGradientIsAnsweredWithTheSlicesParametersOrNone) {
  v1::PushRequest target = PushFrom(9, 1, 0, 3);
  target.mutable_then()->set_target(true);
  v1::PushRequest pieces = PushFrom(9, 1, 0, 3);
  pieces.mutable_then()->add_pieces();
  v1::PushRequest part = PushFrom(9, 1, 0, 3);
  part.mutable_then();
  part.mutable_part()->set_member(1);
  part.mutable_part()->set_members(2);
  for (const v1::PushRequest& push : {target, pieces, part}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Push(push).status()));
  }
  ExpectUntouched();
}

TEST_F(ShardServiceTest, GradientsOfAnOlderGenerationAreStale) {
  EXPECT_EQ(Push(PushFrom(9, 1, 100, 2)).value().verdict(), v1::PushResponse::STALE);
  EXPECT_EQ(FirstValue(), 0);
  EXPECT_EQ(service_->shard().counters().stale, 1);
}

TEST_F(ShardServiceTest, GradientsThatAreNotFiniteAreInvalid) {
  const auto response = Push(PushFrom(9, 1, 0, 3), std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(response.value().verdict(), v1::PushResponse::INVALID);
  EXPECT_EQ(service_->shard().counters().invalid, 1);
  EXPECT_EQ(service_->counters().pushed, 1);
  EXPECT_EQ(FirstValue(), 0);
}

TEST_F(ShardServiceTest, WrongShapesAreRefused) {
  for (const std::size_t size : {0u, 1u, 31u, 33u, 64u}) {
    const auto response = Ask<v1::PushResponse>(*service_, kPushMethod, PushFrom(9, 1, 0, 3),
                                                std::vector<float>(size, 1));
    EXPECT_TRUE(absl::IsInvalidArgument(response.status()));
    EXPECT_EQ(RefusalOf(response.status()), Refusal::kShape);
    EXPECT_THAT(std::string(response.status().message()), HasSubstr("expected 128 (32 floats)"));
  }
  ExpectUntouched();
}

TEST_F(ShardServiceTest, EncodingsThatMakeNoSenseAreRefused) {
  const std::vector<float> payload(5, 1);
  for (const int encoding : {1, 2, 3, -1}) {
    v1::PushRequest push = PushFrom(1, 1, 0);
    push.set_encoding(static_cast<v1::PushRequest::Encoding>(encoding));
    const auto answer = Ask<v1::PushResponse>(*service_, kPushMethod, push, payload);
    EXPECT_TRUE(absl::IsInvalidArgument(answer.status())) << encoding << answer.status();
  }
  EXPECT_EQ(service_->counters().pushed, 0);
}

TEST_F(ShardServiceTest, MessagesThatMakeNoSenseAreRefused) {
  const std::vector<float> gradient(kSize, 1);
  for (const char* const method :
       {kDescribeMethod, kPullMethod, kPushMethod, kReportMethod, kProgressMethod}) {
    const auto response = Call(*service_, method, "\xff\xff\xff", gradient);
    EXPECT_EQ(RefusalOf(response.status()), Refusal::kMalformed) << method;
  }
  for (const auto& push :
       {PushFrom(9, 0, 0, 3), PushFrom(9, -1, 0, 3), PushFrom(9, 1, -1, 3), PushFrom(9, 1, 1, 3),
        PushFrom(9, 1, 0, 0), PushFrom(9, std::numeric_limits<std::int64_t>::max(), 0, 3)}) {
    EXPECT_EQ(RefusalOf(Push(push).status()), Refusal::kMalformed) << push.ShortDebugString();
  }
  v1::PushRequest future = PushFrom(9, 1, 0, 3);
  future.set_computed_generation(4);
  EXPECT_EQ(RefusalOf(Push(future).status()), Refusal::kMalformed);
  ExpectUntouched();
}

TEST_F(ShardServiceTest, AGenerationThatCannotBeDoesNotEndTheShard) {
  for (const std::int64_t seen : {std::int64_t{-1}, std::int64_t{1} << 62}) {
    v1::PullRequest pull;
    pull.set_seen_generation(seen);
    const Status status = Call(*service_, kPullMethod, pull.SerializeAsString()).status();
    EXPECT_EQ(RefusalOf(status), Refusal::kMalformed) << status;
  }
  EXPECT_FALSE(service_->superseded());
}

TEST_F(ShardServiceTest, RandomBytesDoNoHarm) {
  RandomStream random(2);
  const std::vector<float> gradient(kSize, 0);
  for (int i = 0; i < 3000; ++i) {
    std::string header(static_cast<std::size_t>(random.Integer(0, 30)), '\0');
    for (char& c : header) c = static_cast<char>(random.Integer(0, 256));
    for (const char* const method :
         {kDescribeMethod, kPullMethod, kPushMethod, kReportMethod, kProgressMethod}) {
      Call(*service_, method, header, gradient).status().IgnoreError();
    }
  }
  EXPECT_GE(service_->run_frames(), 0);
}

TEST_F(ShardServiceTest, LearnsFromItsCallersThatItWasReplaced) {
  EXPECT_FALSE(service_->superseded());
  v1::PushRequest push = PushFrom(9, 1, 0, 3);
  push.set_seen_generation(4);
  const Status status = Push(push).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(RefusalOf(status), Refusal::kGeneration);
  EXPECT_TRUE(service_->superseded());
  ExpectUntouched();
  v1::PullRequest pull;
  pull.set_seen_generation(4);
  EXPECT_FALSE(Call(*service_, kPullMethod, pull.SerializeAsString()).ok());
}

TEST_F(ShardServiceTest, GoesOnFromASavedStateAsIfNothingHadHappened) {
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(Push(PushFrom(9, i, i - 1, 3)).ok());
  v1::ReportRequest report;
  report.set_client(9);
  report.set_frames(123);
  ASSERT_TRUE(Ask<v1::ReportResponse>(*service_, kReportMethod, report).ok());
  const ShardState state = service_->Save();

  service_ = MakeService(MakePlace(0, 2, 64), 4);
  ASSERT_TRUE(service_->Restore(state).ok());
  EXPECT_EQ(service_->shard().version(), 5);
  EXPECT_EQ(service_->shard().target_version(), 4);
  EXPECT_EQ(service_->run_frames(), 123);
  EXPECT_EQ(service_->counters().pushed, 5);
  // The client never got the answer to its fifth gradient.
  const auto again = Push(PushFrom(9, 5, 4, 3)).value();
  EXPECT_TRUE(again.repeated());
  EXPECT_EQ(again.generation(), 4);
  EXPECT_EQ(FirstValue(), -5);
}

TEST_F(ShardServiceTest, TellsOfTheRunsEndOnceItIsSafe) {
  service_->HoldEnd(100);
  v1::ReportRequest report;
  report.set_client(9);
  const auto told = [&](std::int64_t frames) {
    report.set_frames(frames);
    return Ask<v1::ReportResponse>(*service_, kReportMethod, report).value().run_frames();
  };
  const auto progress = [&] {
    return Ask<v1::ProgressResponse>(*service_, kProgressMethod, v1::ProgressRequest())
        .value()
        .run_frames();
  };
  EXPECT_EQ(told(60), 60);
  EXPECT_EQ(told(130), 99);
  EXPECT_EQ(progress(), 99);
  EXPECT_EQ(service_->run_frames(), 130) << "which a snapshot has";
  service_->ReleaseEnd();
  EXPECT_EQ(told(130), 130);
  EXPECT_EQ(progress(), 130);
}

TEST_F(ShardServiceTest, OnlyShardZeroKeepsTheRunsProgress) {
  const auto other = MakeService(MakePlace(1, 2, 64), 1);
  for (const char* const method : {kReportMethod, kProgressMethod}) {
    EXPECT_TRUE(absl::IsUnimplemented(Call(*other, method, "").status()));
  }
}

TEST_F(ShardServiceTest, StatusShowsItsCountersAndTheBundles) {
  ASSERT_TRUE(Push(PushFrom(9, 1, 0, 3)).ok());
  v1::ReportRequest report;
  report.set_client(9);
  report.set_frames(40);
  report.mutable_status()->set_role("bundle");
  ASSERT_TRUE(Ask<v1::ReportResponse>(*service_, kReportMethod, report).ok());
  const auto status =
      Ask<v1::StatusResponse>(*service_, rpc::kStatusMethod, v1::StatusRequest()).value();
  ASSERT_EQ(status.roles_size(), 2);
  EXPECT_EQ(status.roles(0).role(), "parameter-server");
  EXPECT_EQ(status.roles(0).generation(), 3);
  EXPECT_EQ(status.roles(0).counters().at("accepted"), 1);
  EXPECT_EQ(status.roles(0).counters().at("pushed"), 1);
  EXPECT_EQ(status.roles(0).counters().at("frames"), 40);
  EXPECT_EQ(status.roles(1).role(), "bundle");
}

// Here and not among the thread tests: protobuf's maps cannot be read under ThreadSanitizer.
TEST_F(ShardServiceTest, TheCountersShownAreOfOneMoment) {
  const auto service = MakeService(MakePlace(0, 1, 64), 1);
  std::atomic<bool> done{false};
  std::thread client([&] {
    for (int i = 1; i <= 2000; ++i) {
      const auto push = PushFrom(1, i, service->shard().version());
      EXPECT_TRUE(
          Ask<v1::PushResponse>(*service, kPushMethod, push, std::vector<float>(64, 1)).ok());
    }
    done = true;
  });
  while (!done) {
    const v1::RoleStatus status = service->OwnStatus(nullptr);
    const auto& counters = status.counters();
    const std::int64_t accepted = counters.at("accepted");
    EXPECT_EQ(counters.at("pushed"), accepted + counters.at("stale") + counters.at("invalid"));
    EXPECT_EQ(counters.at("version"), accepted);
  }
  client.join();
}

}  // namespace
}  // namespace gorila
