// The parameter server in other processes, for members of groups.
#include <algorithm>
#include <limits>
#include <utility>

#include "gorila/parameter_server/remote/packed_version.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/parameter_server/remote/shard_service.h"

namespace gorila {
namespace {

constexpr std::int64_t kNothingThere = std::numeric_limits<std::int64_t>::max();

// Which of the other members, from 1, have something in the slice.
void AddOthers(std::span<const Pieces> others, const Slice& slice, v1::GradientPart& part) {
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (SizeWithin(others[i], slice.begin, slice.end) > 0) part.add_others(static_cast<int>(i) + 1);
  }
}

void Pack(const Pieces& pieces, const Slice& slice, std::span<const float> local, float factor,
          std::vector<float>& packed) {
  packed.clear();
  ForEachRun(pieces, slice.begin, slice.end, [&](std::size_t, std::size_t from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) packed.push_back(factor * local[from + i]);
  });
}

}  // namespace

StatusOr<bool> RemoteParameterStore::PullPieces(const Pieces& pieces, std::span<float> local,
                                                ShardVersions& versions, bool target) {
  std::vector<Link*> asked;
  std::vector<std::vector<float>> packed(links_.size());
  std::vector<char> received(links_.size());
  for (const std::unique_ptr<Link>& link : links_) {
    const auto i = static_cast<std::size_t>(link->index);
    const std::size_t size = SizeWithin(pieces, link->slice.begin, link->slice.end);
    if (size == 0) {
      versions[i] = kNothingThere;
    } else if (!target || !IsPresentTarget(*link, versions[i])) {
      packed[i].resize(size);
      asked.push_back(link.get());
    }
  }
  const auto make = [&](Link& link) {
    const auto i = static_cast<std::size_t>(link.index);
    v1::PullRequest request = AskFor(link, versions[i], target);
    WritePieces(pieces, *request.mutable_pieces());
    received[i] = 0;
    rpc::CallOptions call{.method = kPullMethod,
                          .header = request.SerializeAsString(),
                          .timeout = options_.timeout,
                          .expected_bytes = packed[i].size() * sizeof(float)};
    call.sink = [&link, &packed, &received](std::string_view,
                                            std::uint64_t bytes) -> StatusOr<std::span<std::byte>> {
      const auto k = static_cast<std::size_t>(link.index);
      const auto room = std::as_writable_bytes(std::span(packed[k]));
      if (bytes != room.size()) {
        return DataLoss("pieces of {} bytes; expected {}", bytes, room.size());
      }
      received[k] = 1;
      return room;
    };
    return call;
  };
  bool changed = false;
  const auto take = [&](Link& link, const std::string& header) -> Status {
    const auto i = static_cast<std::size_t>(link.index);
    GORILA_ASSIGN_OR_RETURN(const auto response,
                            rpc::Channel::ParseResponse<v1::PullResponse>(header));
    GORILA_ASSIGN_OR_RETURN(versions[i], TakePull(link, response, received[i] != 0, versions[i]));
    if (received[i] == 0) return OkStatus();
    changed = true;
    bytes_pulled_.fetch_add(static_cast<std::int64_t>(packed[i].size() * sizeof(float)),
                            std::memory_order_relaxed);
    const float* from = packed[i].data();
    ForEachRun(pieces, link.slice.begin, link.slice.end,
               [&](std::size_t, std::size_t to, std::size_t count) {
                 std::copy_n(from, count, &local[to]);
                 from += count;
               });
    return OkStatus();
  };
  GORILA_RETURN_IF_ERROR(CallAll(asked, make, take));
  return changed;
}

// A call of member 0 decides and needs every shard; the others' go where they have something.
StatusOr<CommitOutcome> RemoteParameterStore::PushParts(const GradientPart& part,
                                                        const Pieces& pieces,
                                                        std::span<const float> local, float factor,
                                                        const ShardVersions& versions,
                                                        std::span<const Pieces> others) {
  std::vector<Link*> asked;
  std::vector<std::vector<float>> packed(links_.size());
  for (const std::unique_ptr<Link>& link : links_) {
    const auto i = static_cast<std::size_t>(link->index);
    Pack(pieces, link->slice, local, factor, packed[i]);
    if (part.member == 0 || !packed[i].empty()) asked.push_back(link.get());
  }
  const auto make = [&](Link& link) {
    const auto i = static_cast<std::size_t>(link.index);
    v1::PushRequest request;
    request.set_seen_generation(Look(link).generation);
    request.set_client(part.client);
    request.set_sequence(part.sequence);
    if (part.member == 0) {
      const GenerationVersion computed = UnpackVersion(versions[i]);
      request.set_computed_generation(computed.generation);
      request.set_computed_version(computed.version);
      AddOthers(others, link.slice, *request.mutable_part());
    }
    request.mutable_part()->set_member(part.member);
    request.mutable_part()->set_members(part.members);
    WritePieces(pieces, *request.mutable_part()->mutable_pieces());
    rpc::CallOptions call{
        .method = kPushMethod, .header = request.SerializeAsString(), .timeout = options_.timeout};
    if (!packed[i].empty()) call.payload = rpc::Payload::Borrow(packed[i]);
    bytes_pushed_.fetch_add(static_cast<std::int64_t>(packed[i].size() * sizeof(float)),
                            std::memory_order_relaxed);
    return call;
  };
  CommitOutcome outcome;
  const auto take = [&](Link& link, const std::string& header) -> Status {
    GORILA_ASSIGN_OR_RETURN(const auto response, TakePush(link, header));
    if (part.member > 0) return OkStatus();
    if (response.verdict() == v1::PushResponse::INCOMPLETE) {
      outcome.complete = false;
      return OkStatus();
    }
    return CountVerdict(response.verdict(), outcome.slices);
  };
  GORILA_RETURN_IF_ERROR(CallAll(asked, make, take));
  parts_.fetch_add(1, std::memory_order_relaxed);
  return outcome;
}

Status RemoteParameterStore::Stage(const GradientPart& part, const Pieces& pieces,
                                   std::span<const float> local, float factor) {
  return PushParts(part, pieces, local, factor, {}, {}).status();
}

StatusOr<CommitOutcome> RemoteParameterStore::Commit(const GradientPart& part, const Pieces& pieces,
                                                     std::span<const float> local,
                                                     const ShardVersions& versions,
                                                     std::span<const Pieces> others) {
  return PushParts(part, pieces, local, 1, versions, others);
}

}  // namespace gorila
