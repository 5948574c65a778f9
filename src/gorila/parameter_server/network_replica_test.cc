#include "gorila/parameter_server/network_replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/parameter_server/in_process_store.h"

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// Notes the parameters it is given.
class NotingNetwork final : public QNetwork {
 public:
  NotingNetwork(std::vector<std::vector<float>>& given)
      : spec_{.input = {.width = 19}, .convolutions = {}, .hidden = {}, .num_actions = 2},
        layout_(MakeParameterLayout(spec_)),
        given_(given) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }
  void SetParameters(std::span<const float> values) override {
    given_.emplace_back(values.begin(), values.end());
  }
  void Predict(std::span<const std::byte>, int, std::span<float>) override {}
  void Forward(std::span<const std::byte>, int, std::span<float>) override {}
  void Backward(std::span<const float>, std::span<float>) override {}

 private:
  const NetworkSpec spec_;
  const ParameterLayout layout_;
  std::vector<std::vector<float>>& given_;
};

constexpr std::size_t kSize = 2 * 19 + 2;

class NetworkReplicaTest : public testing::Test {
 protected:
  // Two shards; with gradients of 1 from 0, version v is the value -v.
  NetworkReplicaTest()
      : store_(InProcessParameterStore::Make({.max_staleness = 10,
                                              .target_period = 2,
                                              .optimizer = {.name = "sgd", .learning_rate = 1}},
                                             2, std::vector<float>(kSize))
                   .value()) {}

  void Update() { ASSERT_TRUE(store_->Push(std::vector<float>(kSize, 1), {0, 0}).ok()); }

  NetworkReplica Make(NetworkReplica::Follows follows, int fetch_every = 1) {
    return {std::make_unique<NotingNetwork>(given_), *store_, follows, fetch_every};
  }

  const std::unique_ptr<InProcessParameterStore> store_;
  std::vector<std::vector<float>> given_;
};

TEST_F(NetworkReplicaTest, GivesTheNetworkWhatIsNewerAndOnlyThat) {
  NetworkReplica replica = Make(NetworkReplica::Follows::kOnline);
  EXPECT_THAT(replica.versions(), ElementsAre(-1, -1));
  ASSERT_TRUE(replica.Refresh().ok());
  ASSERT_EQ(given_.size(), 1u);
  EXPECT_THAT(given_.back(), Each(0));
  EXPECT_THAT(replica.versions(), ElementsAre(0, 0));
  ASSERT_TRUE(replica.Refresh().ok());
  EXPECT_EQ(given_.size(), 1u);
  Update();
  ASSERT_TRUE(replica.Refresh().ok());
  ASSERT_EQ(given_.size(), 2u);
  EXPECT_THAT(given_.back(), Each(-1));
  EXPECT_THAT(replica.versions(), ElementsAre(1, 1));
}

TEST_F(NetworkReplicaTest, ATargetReplicaFollowsTheServersCopies) {
  NetworkReplica replica = Make(NetworkReplica::Follows::kTarget);
  std::vector<std::size_t> times_given;
  for (int update = 0; update < 5; ++update) {
    ASSERT_TRUE(replica.Refresh().ok());
    times_given.push_back(given_.size());
    Update();
  }
  EXPECT_THAT(times_given, ElementsAre(1, 1, 2, 2, 3));
  EXPECT_THAT(given_.back(), Each(-4));
  EXPECT_THAT(replica.versions(), ElementsAre(4, 4));
}

TEST_F(NetworkReplicaTest, FollowsOnceInSoManyGradients) {
  NetworkReplica replica = Make(NetworkReplica::Follows::kOnline, 3);
  std::vector<std::size_t> times_given;
  for (int gradient = 0; gradient < 7; ++gradient) {
    ASSERT_TRUE(replica.Follow().ok());
    times_given.push_back(given_.size());
    replica.CountGradient();
    Update();
  }
  EXPECT_THAT(times_given, ElementsAre(1, 1, 1, 2, 2, 2, 3));
  ASSERT_TRUE(replica.Refresh().ok());
  EXPECT_THAT(given_.back(), Each(-7)) << "Refresh is always due";
  Update();
  ASSERT_TRUE(replica.Follow().ok());
  EXPECT_THAT(given_.back(), Each(-7)) << "and counts as the last pull";
}

TEST_F(NetworkReplicaTest, FollowsEveryUpdateWhereNothingIsLearntWithIt) {
  NetworkReplica replica = Make(NetworkReplica::Follows::kOnline, 3);
  for (int update = 0; update < 3; ++update) {
    ASSERT_TRUE(replica.Follow().ok());
    EXPECT_THAT(given_.back(), Each(-update));
    Update();
  }
}

}  // namespace
}  // namespace gorila
