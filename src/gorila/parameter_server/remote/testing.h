// Helpers of the tests of served shards.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_TESTING_H_
#define GORILA_PARAMETER_SERVER_REMOTE_TESTING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/parameter_server/optimizer.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/remote/shard_service.h"

namespace gorila::testing_remote {

inline constexpr std::uint64_t kLayout = 0xabcdef;

// Shard `index` of `shards` over `parameters` floats that begin as 0, 1, 2, ...; plain descent with
// rate 1, so that a gradient of 1 lowers a value by exactly 1.
inline ShardPlace MakePlace(int index, int shards, std::size_t parameters) {
  return {.index = index,
          .shards = shards,
          .parameters = parameters,
          .slice = MakePartition(parameters, shards).value()[static_cast<std::size_t>(index)]};
}

// Keeps the last report of each client, and every episode once.
class KeptReports final : public ClientReports {
 public:
  StatusOr<std::int64_t> Report(const v1::ReportRequest& report, TimePoint) override {
    if (report.frames() < 0) return InvalidArgument("frames {}", report.frames());
    std::int64_t& taken = taken_[report.client()];
    for (int i = 0; i < report.episodes_size(); ++i) {
      if (report.first_episode() + i != taken) continue;  // it came before
      episodes_.push_back(report.episodes(i));
      ++taken;
    }
    clients_[report.client()] = report;
    return taken;
  }
  std::int64_t run_frames() const override {
    std::int64_t sum = restored_;
    for (const auto& [client, report] : clients_) sum += report.frames();
    return sum;
  }
  void AddProgress(std::int64_t first, v1::ProgressResponse& response) const override {
    response.set_first_episode(first);
    for (auto i = static_cast<std::size_t>(first); i < episodes_.size(); ++i) {
      *response.add_episodes() = episodes_[i];
    }
  }
  std::vector<v1::RoleStatus> Clients(TimePoint, std::chrono::seconds) const override {
    std::vector<v1::RoleStatus> clients;
    for (const auto& [client, report] : clients_) clients.push_back(report.status());
    return clients;
  }
  void SaveState(StateWriter& writer) const override { writer.Write(run_frames()); }
  Status RestoreState(StateReader& reader) override { return reader.Read(restored_); }

 private:
  std::map<std::uint64_t, v1::ReportRequest> clients_;
  std::map<std::uint64_t, std::int64_t> taken_;  // episodes
  std::vector<v1::Episode> episodes_;
  std::int64_t restored_ = 0;
};

inline std::unique_ptr<ShardService> MakeService(
    const ShardPlace& place, std::int64_t generation, std::int64_t target_period = 4,
    std::int64_t max_staleness = 1000,
    std::unique_ptr<ClientReports> reports = std::make_unique<KeptReports>()) {
  const ShardOptions options{.max_staleness = max_staleness,
                             .target_period = target_period,
                             .optimizer = {.name = "sgd", .learning_rate = 1}};
  std::vector<float> values(place.slice.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(place.slice.begin + i);
  }
  auto optimizer = MakeOptimizer(options.optimizer, values.size()).value();
  return std::make_unique<ShardService>(
      place, generation, std::make_unique<ParameterShard>(options, values, std::move(optimizer)),
      std::move(reports));
}

// Calls a method as the server would.
inline StatusOr<rpc::Response> Call(ShardService& service, const std::string& name,
                                    const std::string& header,
                                    std::span<const float> payload = {}) {
  for (const rpc::Method& method : service.Methods()) {
    if (method.name != name) continue;
    return method.handle({.header = header, .payload = std::as_bytes(payload)});
  }
  return NotFound("no method {}", name);
}

template <typename Message>
StatusOr<Message> Ask(ShardService& service, const std::string& name,
                      const google::protobuf::MessageLite& request,
                      std::span<const float> payload = {}) {
  GORILA_ASSIGN_OR_RETURN(const rpc::Response response,
                          Call(service, name, request.SerializeAsString(), payload));
  Message message;
  EXPECT_TRUE(message.ParseFromString(response.header));
  return message;
}

inline v1::PushRequest PushFrom(std::uint64_t client, std::int64_t sequence, std::int64_t version,
                                std::int64_t generation = 1) {
  v1::PushRequest push;
  push.set_seen_generation(generation);
  push.set_client(client);
  push.set_sequence(sequence);
  push.set_computed_generation(generation);
  push.set_computed_version(version);
  return push;
}

}  // namespace gorila::testing_remote

#endif  // GORILA_PARAMETER_SERVER_REMOTE_TESTING_H_
