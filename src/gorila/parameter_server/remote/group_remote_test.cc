// Groups over shards and members behind servers, on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "gorila/network/network_samples.h"
#include "gorila/parameter_server/network_group.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/parameter_server/remote/member_service.h"
#include "gorila/parameter_server/remote/remote_member.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/parameter_server/remote/testing.h"
#include "gorila/rpc/server.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_remote::kLayout;
using testing_remote::MakePlace;
using testing_remote::MakeService;

constexpr int kBatch = 5;
constexpr int kShards = 3;
constexpr int kMembers = 3;

NetworkSpec Spec() {
  return {.input = {.channels = 9, .element = ElementType::kFloat32},
          .convolutions = {},
          .hidden = {64},
          .num_actions = 4};
}
std::size_t Size() { return MakeParameterLayout(Spec()).size; }

// Small, so that the network's values stay so (MakeService's begin as 0, 1, 2, ...).
std::vector<std::byte> Observations() {
  std::vector<float> values(kBatch * 9);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1e-4F * static_cast<float>(i % 7);
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Something behind a server that can go away and come back at the same address.
class Served {
 public:
  void Start(std::vector<rpc::Method> methods) {
    auto server = rpc::Server::Start(
        {.listen = endpoint_, .identity = {.token = "", .layout = kLayout}}, std::move(methods));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    endpoint_ = server_->endpoint();
  }
  void Stop() { server_.reset(); }
  const rpc::Endpoint& endpoint() const { return endpoint_; }

 private:
  rpc::Endpoint endpoint_{.host = "127.0.0.1", .port = 0};
  std::unique_ptr<rpc::Server> server_;
};

class GroupRemoteTest : public testing::Test {
 protected:
  struct MemberEnd {
    std::unique_ptr<RemoteParameterStore> store;
    std::optional<Member> member;
    std::optional<MemberService> service;
    Served server;
  };

  void SetUp() override {
    for (int i = 0; i < kShards; ++i) StartShard(i, 1);
    for (int m = 1; m < kMembers; ++m) StartMember(m);
    leader_store_ = Connect();
    group_ = MakeGroup(77);
    online_.emplace(group_->MakeNetwork(false).value(), group_->store(),
                    NetworkReplica::Follows::kOnline);
    gradient_.assign(group_->store().size(), 0);
  }

  void StartShard(int index, std::int64_t generation) {
    const auto i = static_cast<std::size_t>(index);
    shards_[i].Stop();
    services_[i] = MakeService(MakePlace(index, kShards, Size()), generation, /*target_period=*/4,
                               /*max_staleness=*/2);
    shards_[i].Start(services_[i]->Methods());
  }

  void StartMember(int m) {
    MemberEnd& end = members_[static_cast<std::size_t>(m - 1)];
    end.server.Stop();
    end.store = Connect();
    end.member.emplace(plan_, m, kBatch, *end.store);
    end.service.emplace(*end.member);
    end.server.Start(end.service->Methods());
  }

  std::unique_ptr<RemoteParameterStore> Connect() {
    RemoteStoreOptions options{
        .endpoints = {}, .layout = kLayout, .parameters = Size(), .client = ++clients_};
    for (const Served& shard : shards_) options.endpoints.push_back(shard.endpoint());
    options.retry = {.patience = std::chrono::milliseconds(20'000)};
    return RemoteParameterStore::Connect(options).value();
  }

  std::unique_ptr<NetworkGroup> MakeGroup(std::uint64_t leader) {
    std::vector<std::unique_ptr<MemberLink>> links;
    for (int m = 1; m < kMembers; ++m) {
      links.push_back(std::make_unique<RemoteMember>(RemoteMemberOptions{
          .channel = {.endpoint = members_[static_cast<std::size_t>(m - 1)].server.endpoint(),
                      .role = kMemberRole,
                      .identity = {.token = "", .layout = kLayout}},
          .index = m,
          .members = kMembers,
          .leader = leader,
          .retry = {.patience = std::chrono::milliseconds(20'000)}}));
    }
    return NetworkGroup::Over({.members = kMembers, .max_batch = kBatch, .client = leader}, Spec(),
                              *leader_store_, *leader_store_, std::move(links))
        .value();
  }

  void Compute() {
    ASSERT_TRUE(online_->Refresh().ok());
    online_->network().Forward(Observations(), kBatch, q_);
    online_->network().Backward(dq_, gradient_);
  }
  StatusOr<PushOutcome> Push() { return group_->store().Push(gradient_, online_->versions()); }

  std::int64_t version(int shard) const {
    return services_[static_cast<std::size_t>(shard)]->shard().version();
  }

  // What a whole network makes of the shards' present parameters.
  void ComputeWhole(std::vector<float>& q, std::vector<float>& gradient) {
    const auto store = Connect();
    NetworkReplica whole(MakeQNetwork("gemm", Spec(), kBatch).value(), *store,
                         NetworkReplica::Follows::kOnline);
    ASSERT_TRUE(whole.Refresh().ok());
    gradient.resize(Size());
    q.resize(q_.size());
    whole.network().Forward(Observations(), kBatch, q);
    whole.network().Backward(dq_, gradient);
  }

  std::vector<float> Values() {
    std::vector<float> values(Size());
    ShardVersions versions(kShards, -1);
    EXPECT_TRUE(Connect()->Pull(values, versions).ok());
    return values;
  }

  const SplitPlan plan_ = MakeSplitPlan(Spec(), kMembers).value();
  std::uint64_t clients_ = 0;
  std::array<std::unique_ptr<ShardService>, kShards> services_;
  std::array<Served, kShards> shards_;
  std::array<MemberEnd, kMembers - 1> members_;
  std::unique_ptr<RemoteParameterStore> leader_store_;
  std::unique_ptr<NetworkGroup> group_;
  std::optional<NetworkReplica> online_;
  std::vector<float> gradient_;
  std::vector<float> q_ = std::vector<float>(kBatch * 4);
  std::vector<float> dq_ = std::vector<float>(kBatch * 4, 1e-3F);
};

TEST_F(GroupRemoteTest, LearnsAsTheWholeNetworkDoes) {
  for (int update = 0; update < 3; ++update) {
    std::vector<float> q;
    std::vector<float> gradient;
    ComputeWhole(q, gradient);
    const std::vector<float> before = Values();
    Compute();
    for (std::size_t i = 0; i < q.size(); ++i) ASSERT_NEAR(q_[i], q[i], 1e-5 * std::abs(q[i]));
    EXPECT_EQ(Push()->accepted, kShards);
    const std::vector<float> after = Values();
    for (std::size_t i = 0; i < after.size(); ++i) {
      ASSERT_NEAR(after[i], before[i] - gradient[i], 1e-5 * (1 + std::abs(before[i]))) << i;
    }
  }
  for (int shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(version(shard), 3);
    EXPECT_EQ(services_[static_cast<std::size_t>(shard)]->counters().pushed, 3);
  }
  EXPECT_EQ(members_[0].service->counters().gradients, 3);
}

TEST_F(GroupRemoteTest, AMembersDeathEndsItsGradientOnly) {
  Compute();
  ASSERT_EQ(Push()->accepted, kShards);
  Compute();
  StartMember(2);
  const auto lost = Push();
  ASSERT_TRUE(lost.ok()) << lost.status();
  EXPECT_EQ(lost->accepted + lost->stale + lost->invalid, 0);
  EXPECT_EQ(version(0), 1) << "no shard took a part of it";
  Compute();
  EXPECT_EQ(Push()->accepted, kShards);
  EXPECT_EQ(group_->lost_gradients(), 1);
  EXPECT_EQ(version(2), 2);
}

TEST_F(GroupRemoteTest, AForwardPassOutlivesAMembersDeath) {
  Compute();
  const std::vector<float> before = q_;
  StartMember(1);
  online_->network().Predict(Observations(), kBatch, q_);
  EXPECT_EQ(q_, before);
}

TEST_F(GroupRemoteTest, AShardThatForgotStagedPartsGetsThemAgain) {
  Compute();
  ASSERT_EQ(Push()->accepted, kShards);
  Compute();
  // As if the members had staged before it restarted: its successor has no part yet.
  StartShard(1, 2);
  const auto outcome = Push();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->accepted, kShards - 1);
  EXPECT_EQ(outcome->stale, 1) << "of parameters of an older generation";
  EXPECT_EQ(version(0), 2);
}

TEST_F(GroupRemoteTest, ACommitThatComesBeforeItsPartsDecidesNothing) {
  Compute();
  const GradientPart part{.client = 5, .sequence = 1, .member = 0, .members = kMembers};
  const std::vector<Pieces> others = {PiecesOf(plan_, 1), PiecesOf(plan_, 2)};
  const Pieces own = PiecesOf(plan_, 0);
  auto outcome = leader_store_->Commit(part, own, gradient_, online_->versions(), others);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->complete);
  std::int64_t decided = 0;
  for (int shard = 0; shard < kShards; ++shard) decided += version(shard);
  for (int m = 1; m < kMembers; ++m) {
    const std::vector<float> local(StageOffsets(plan_, m).back(), 0.5F);
    GradientPart of_member = part;
    of_member.member = m;
    ASSERT_TRUE(
        leader_store_->Stage(of_member, others[static_cast<std::size_t>(m - 1)], local, 1).ok());
  }
  outcome = leader_store_->Commit(part, own, gradient_, online_->versions(), others);
  EXPECT_TRUE(outcome->complete);
  EXPECT_EQ(outcome->slices.accepted, kShards) << "shards that had decided say so again";
  for (int shard = 0; shard < kShards; ++shard) EXPECT_EQ(version(shard), 1);
  EXPECT_LT(decided, kShards);
}

TEST_F(GroupRemoteTest, ANewLeaderTakesOverAndTheOldOneEnds) {
  Compute();
  const auto second = MakeGroup(78);
  NetworkReplica replica(second->MakeNetwork(false).value(), second->store(),
                         NetworkReplica::Follows::kOnline);
  ASSERT_TRUE(replica.Refresh().ok());
  const Status ended = online_->Refresh();
  EXPECT_TRUE(absl::IsPermissionDenied(ended)) << ended;
  EXPECT_THAT(std::string(ended.message()), HasSubstr("another process leads"));
}

TEST_F(GroupRemoteTest, ALeaderThatWasCutOffDoesNotTakeAMemberBack) {
  const auto link = [&](std::uint64_t leader) {
    return RemoteMember({.channel = {.endpoint = members_[0].server.endpoint(),
                                     .role = kMemberRole,
                                     .identity = {.token = "", .layout = kLayout}},
                         .index = 1,
                         .members = kMembers,
                         .leader = leader});
  };
  RemoteMember first = link(81);
  RemoteMember second = link(82);
  ASSERT_TRUE(first.Recover().ok());
  ASSERT_TRUE(first.Recover().ok()) << "it leads still";
  ASSERT_TRUE(second.Recover().ok()) << "a new process takes over";
  const Status refused = first.Recover();
  EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
  second.Start({.kind = MemberCall::Kind::kPull});
  EXPECT_TRUE(second.Finish().ok());
}

TEST_F(GroupRemoteTest, AMemberOfAnotherPlaceIsRefusedWithBoth) {
  for (const auto& [index, members] : {std::pair(2, kMembers), {1, kMembers + 1}}) {
    RemoteMember link({.channel = {.endpoint = members_[0].server.endpoint(),
                                   .role = kMemberRole,
                                   .identity = {.token = "", .layout = kLayout}},
                       .index = index,
                       .members = members,
                       .leader = 79});
    const Status status = link.Recover();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(fmt::format("this is member 1 of 3; its leader expects member {} of {}",
                                      index, members)));
  }
  Compute();
  EXPECT_EQ(Push()->accepted, kShards) << "who led before still leads";
}

TEST_F(GroupRemoteTest, MoreRowsThanAMemberHasRoomForAreRefusedBeforeThereIsRoomForThem) {
  RemoteMember link({.channel = {.endpoint = members_[0].server.endpoint(),
                                 .role = kMemberRole,
                                 .identity = {.token = "", .layout = kLayout}},
                     .index = 1,
                     .members = kMembers,
                     .leader = 79});
  link.Start({.kind = MemberCall::Kind::kForward, .rows = 1'000'000'000});
  const Status status = link.Finish().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("1000000000 rows; expected 1..5"));
}

TEST_F(GroupRemoteTest, APartWithoutANumberIsRefused) {
  for (const std::int64_t sequence : {std::int64_t{-1}, std::int64_t{0}}) {
    const std::vector<float> local(LocalSize(plan_, 1));
    const Status status =
        leader_store_->Stage({.client = 5, .sequence = sequence, .member = 1, .members = kMembers},
                             PiecesOf(plan_, 1), local, 1);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
}

TEST_F(GroupRemoteTest, PiecesOutsideTheVectorAreRefused) {
  const Pieces outside = {{.begin = Size() - 1, .width = 2}};
  std::vector<float> local(2);
  ShardVersions versions(kShards, -1);
  const Status status = leader_store_->PullPieces(outside, local, versions, false).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(StagedGradientsTest, KeepsTheNewestOfAClientAndOnlySoManyClients) {
  StagedGradients staged({.begin = 10, .end = 20});
  const Pieces pieces = {{.begin = 8, .width = 4}, {.begin = 15, .width = 1, .local = 4}};
  const std::vector<float> values = {1, 2, 3};  // 10, 11, 15
  ASSERT_TRUE(staged.Stage(1, 5, 2, pieces, values).ok());
  EXPECT_TRUE(staged.Has(1, 5, std::array{2}));
  EXPECT_FALSE(staged.Has(1, 5, (std::array{1, 2})));
  EXPECT_FALSE(staged.Has(1, 6, std::array{2}));
  ASSERT_TRUE(staged.Stage(1, 4, 1, pieces, values).ok());
  EXPECT_FALSE(staged.Has(1, 4, std::array{1})) << "older";
  EXPECT_TRUE(absl::IsInvalidArgument(staged.Stage(1, 5, 1, pieces, std::vector<float>(4))));
  EXPECT_THAT(staged.Take(1, 5), ElementsAre(1, 2, 0, 0, 0, 3, 0, 0, 0, 0));
  EXPECT_FALSE(staged.Has(1, 5, std::array{2}));
  for (std::uint64_t client = 1; client <= StagedGradients::kMostClients + 1; ++client) {
    ASSERT_TRUE(staged.Stage(client, 1, 1, pieces, values).ok());
  }
  EXPECT_FALSE(staged.Has(1, 1, std::array{1}));
  EXPECT_TRUE(staged.Has(2, 1, std::array{1}));
}

TEST(StagedGradientsTest, PiecesAreNoMoreThanTheVectorTogether) {
  google::protobuf::RepeatedPtrField<v1::Piece> pieces;
  WritePieces(Pieces{{.begin = 0, .width = 30}, {.begin = 30, .width = 70}}, pieces);
  EXPECT_TRUE(ReadPieces(pieces, 100).ok());
  WritePieces(Pieces{{.begin = 5, .width = 1}}, pieces);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadPieces(pieces, 100).status()));
}

TEST(StagedGradientsTest, PiecesWithOverflowingNumbersAreRefused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  const std::array<std::array<std::uint64_t, 4>, 6> bad = {{{0, 0, 1, 0},
                                                            {0, 1, 0, 0},
                                                            {kHuge, 1, 1, 0},
                                                            {0, kHuge, 1, 0},
                                                            {0, 1, kHuge, kHuge},
                                                            {0, 2, 2, 1}}};
  for (const auto& [begin, width, rows, stride] : bad) {
    google::protobuf::RepeatedPtrField<v1::Piece> pieces;
    v1::Piece& piece = *pieces.Add();
    piece.set_begin(begin);
    piece.set_width(width);
    piece.set_rows(rows);
    piece.set_stride(stride);
    EXPECT_FALSE(ReadPieces(pieces, 100).ok()) << begin << " " << width;
  }
}

}  // namespace
}  // namespace gorila
