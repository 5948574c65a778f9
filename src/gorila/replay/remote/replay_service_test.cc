// Requests as a server would hand them over, good and bad.
#include "gorila/replay/remote/replay_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "gorila/replay/shard_testing.h"
#include "gorila/v1/role.pb.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;
using rpc::Refusal;

class ReplayServiceTest : public testing::Test {
 protected:
  ReplayServiceTest() : shard_(MakeShard(ShardOptions(1000))), service_(*shard_, 2) {}

  StatusOr<rpc::Response> Call(const std::string& name, const std::string& header,
                               const std::string& payload = "") {
    return Call(service_, name, header, payload);
  }

  static StatusOr<rpc::Response> Call(ReplayService& service, const std::string& name,
                                      const std::string& header, const std::string& payload = "") {
    for (const rpc::Method& method : service.Methods()) {
      if (method.name != name) continue;
      std::vector<std::uint64_t> aligned(payload.size() / 8 + 1);
      std::memcpy(aligned.data(), payload.data(), payload.size());
      return method.handle(
          {.header = header, .payload = std::as_bytes(std::span(aligned)).first(payload.size())});
    }
    return NotFound("no method {}", name);
  }

  static v1::InsertRequest Header(int rows, std::int64_t first = 0) {
    v1::InsertRequest request;
    v1::RowRun& run = *request.add_runs();
    run.set_actor(1);
    run.set_first(first);
    run.set_rows(rows);
    return request;
  }

  static std::string Payload(const OwnedRun& run) {
    StateWriter writer;
    writer.WriteBytes(std::as_bytes(std::span(run.time_steps_)));
    writer.WriteBytes(std::as_bytes(std::span(run.actions_)));
    writer.WriteBytes(run.frames_);
    return writer.Take();
  }

  void InsertEpisode() {
    const OwnedRun run({}, Episode(9));
    ASSERT_TRUE(Call(kReplayInsertMethod, Header(10).SerializeAsString(), Payload(run)).ok());
  }

  void ExpectRefused(const Status& status, Refusal refusal, const std::string& reason) {
    EXPECT_EQ(rpc::RefusalOf(status), refusal) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
    EXPECT_EQ(shard_->GetStatus().size.rows, rows_);
    EXPECT_EQ(shard_->GetStatus().counters.sampled, 0);
  }

  std::unique_ptr<ReplayShard> shard_;
  ReplayService service_;
  std::int64_t rows_ = 0;  // expected
};

TEST_F(ReplayServiceTest, RowNumbersThatWouldOverflowAreRefused) {
  const OwnedRun run({}, Episode(9));
  v1::InsertRequest far = Header(10);
  far.mutable_runs(0)->set_first(std::numeric_limits<std::int64_t>::max() - 3);
  ExpectRefused(Call(kReplayInsertMethod, far.SerializeAsString(), Payload(run)).status(),
                Refusal::kMalformed, "from number");
  v1::InsertRequest many = Header(10);
  many.mutable_runs(0)->set_rows(std::numeric_limits<std::int32_t>::max());
  ExpectRefused(Call(kReplayInsertMethod, many.SerializeAsString(), Payload(run)).status(),
                Refusal::kShape, "rows announced");
}

TEST_F(ReplayServiceTest, InsertsAndSamples) {
  InsertEpisode();
  v1::SampleRequest request;
  request.set_size(16);
  const rpc::Response response = Call(kReplaySampleMethod, request.SerializeAsString()).value();
  v1::SampleResponse sample;
  ASSERT_TRUE(sample.ParseFromString(response.header));
  EXPECT_EQ(sample.transitions(), 16);
  EXPECT_EQ(sample.size().transitions(), 9);
  EXPECT_EQ(response.payload->size(), 16 * SampleRowBytes(NamedFrames(1)));
}

TEST_F(ReplayServiceTest, InsertsThatCannotBeAreRefusedByName) {
  const OwnedRun run({}, Episode(9));
  const std::string header = Header(10).SerializeAsString();
  const std::string payload = Payload(run);
  const auto insert = [&](const std::string& h, const std::string& p) {
    return Call(kReplayInsertMethod, h, p).status();
  };
  ExpectRefused(insert("\xff\xff", payload), Refusal::kMalformed, "InsertRequest");
  ExpectRefused(insert(header, payload.substr(1)), Refusal::kShape, "239 bytes");
  ExpectRefused(insert(header, payload + "x"), Refusal::kShape, "expected 240");
  ExpectRefused(insert(Header(0).SerializeAsString(), ""), Refusal::kMalformed, "0 rows");
  ExpectRefused(insert(Header(-3).SerializeAsString(), ""), Refusal::kMalformed, "-3 rows");
  ExpectRefused(insert(Header(2'000'000'000).SerializeAsString(), payload), Refusal::kShape,
                "240 bytes");
  ExpectRefused(insert(Header(10, -1).SerializeAsString(), payload), Refusal::kMalformed,
                "number -1");
  OwnedRun bad = run;
  bad.time_steps_[3].reward = std::numeric_limits<float>::infinity();
  ExpectRefused(insert(header, Payload(bad)), Refusal::kMalformed, "reward inf");
}

TEST_F(ReplayServiceTest, LogProbabilitiesThatCannotBeAreRefusedByName) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.transition.unroll = 3;
  options.replay.rate.insert_lead = 100;
  options.replay.selector = {.name = "queue", .minibatch = 2};
  shard_ = MakeShard(options);
  ReplayService service(*shard_, 2);
  OwnedRun run({}, Episode(9));
  v1::InsertRequest header = Header(10);
  const auto insert = [&](bool announced, bool sent) {
    header.set_log_probabilities(announced);
    StateWriter payload;
    payload.WriteBytes(std::as_bytes(std::span(run.time_steps_)));
    payload.WriteBytes(std::as_bytes(std::span(run.actions_)));
    if (sent) payload.WriteBytes(std::as_bytes(std::span(run.log_probabilities_)));
    payload.WriteBytes(run.frames_);
    return Call(service, kReplayInsertMethod, header.SerializeAsString(), payload.Take()).status();
  };
  run.log_probabilities_.assign(10, -1);
  ExpectRefused(insert(false, false), Refusal::kMalformed, "log-probabilities of 0");
  ExpectRefused(insert(true, false), Refusal::kShape, "240 bytes of payload, expected 280");
  ExpectRefused(insert(false, true), Refusal::kShape, "280 bytes of payload, expected 240");
  run.log_probabilities_[4] = 0.25F;
  ExpectRefused(insert(true, true), Refusal::kMalformed, "log-probability 0.25");
  run.log_probabilities_[4] = std::numeric_limits<float>::quiet_NaN();
  ExpectRefused(insert(true, true), Refusal::kMalformed, "log-probability nan");
  run.log_probabilities_[4] = 0;
  EXPECT_EQ(insert(true, true), OkStatus());
  v1::SampleRequest request;
  request.set_size(2);
  EXPECT_EQ(
      rpc::RefusalOf(Call(service, kReplaySampleMethod, request.SerializeAsString()).status()),
      Refusal::kShape);
  request.set_unroll(3);
  const auto response = Call(service, kReplaySampleMethod, request.SerializeAsString()).value();
  EXPECT_EQ(response.payload->size(), 2 * SampleRowBytes(NamedFrames(1), 3));
}

TEST_F(ReplayServiceTest, SamplesThatCannotBeAreRefusedByName) {
  InsertEpisode();
  rows_ = 10;
  for (const int size : {0, -1, 65537}) {
    v1::SampleRequest request;
    request.set_size(size);
    ExpectRefused(Call(kReplaySampleMethod, request.SerializeAsString()).status(), Refusal::kShape,
                  "expected 1 to 65536");
  }
}

TEST_F(ReplayServiceTest, ASampleThatHasToWaitSaysWhy) {
  v1::SampleRequest request;
  request.set_size(4);
  const Status status = Call(kReplaySampleMethod, request.SerializeAsString()).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("samples wait for inserts"));
  EXPECT_EQ(rpc::RefusalOf(status), std::nullopt);
}

TEST_F(ReplayServiceTest, PrioritiesOfAnotherShapeAreRefused) {
  const std::string header = v1::UpdatePrioritiesRequest().SerializeAsString();
  ExpectRefused(Call(kReplayUpdateMethod, header, std::string(13, '\0')).status(), Refusal::kShape,
                "13 bytes");
  StateWriter nan;
  nan.Write<std::uint64_t>(1);
  nan.Write(std::numeric_limits<float>::quiet_NaN());
  ExpectRefused(Call(kReplayUpdateMethod, header, nan.Take()).status(), Refusal::kMalformed,
                "finite");
}

TEST_F(ReplayServiceTest, StatusHasTheCountersAndWhatItWaitsFor) {
  v1::StatusResponse response;
  ASSERT_TRUE(response.ParseFromString(Call("gorila.v1.Role/GetStatus", "")->header));
  ASSERT_EQ(response.roles_size(), 1);
  EXPECT_EQ(response.roles(0).role(), "replay");
  EXPECT_EQ(response.roles(0).index(), 2);
  EXPECT_THAT(response.roles(0).waiting(), HasSubstr("samples wait for inserts"));
  InsertEpisode();
  ASSERT_TRUE(response.ParseFromString(Call("gorila.v1.Role/GetStatus", "")->header));
  EXPECT_EQ(response.roles(0).counters().at("replay_rows"), 10);
  EXPECT_EQ(response.roles(0).counters().at("accepted"), 10);
  EXPECT_EQ(response.roles(0).waiting(), "");
}

}  // namespace
}  // namespace gorila
