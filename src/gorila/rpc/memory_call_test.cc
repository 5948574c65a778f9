// Calls whose payloads lie in memory that both ends see.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "gorila/rpc/channel.h"
#include "gorila/rpc/memory_registry.h"
#include "gorila/rpc/part.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kSize = 1'000'000;
constexpr milliseconds kLong{60'000};

const RunIdentity kIdentity = {.token = "0123456789abcdef", .layout = 77};

v1::ShareRequest OfferOf(const SharedMemoryTicket& ticket) {
  v1::ShareRequest offer;
  offer.set_process(ticket.process);
  offer.set_file_descriptor(ticket.descriptor);
  offer.set_bytes(ticket.bytes);
  offer.set_secret(ticket.secret);
  return offer;
}

// A server whose method adds one to every byte.
class MemoryCallTest : public testing::Test {
 protected:
  void Start(bool shared_memory = true, const std::string& listen = "127.0.0.1:0") {
    ServerOptions options{.listen = ParseEndpoint(listen, /*may_be_any_port=*/true).value(),
                          .identity = kIdentity,
                          .shared_memory = shared_memory};
    auto server = Server::Start(
        options, {{.name = "test/AddOne",
                   .max_payload_bytes = kSize,
                   .handle = [this](const Request& request) { return AddOne(request); }}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  StatusOr<Response> AddOne(const Request& request) {
    ++entered_;
    while (hold_ && !request.cancelled()) std::this_thread::yield();
    if (request.header == "fail") return InvalidArgument("not like this");
    auto payload = std::make_shared<Payload>(request.payload.size());
    for (std::size_t i = 0; i < payload->size(); ++i) {
      payload->bytes()[i] = static_cast<std::byte>(static_cast<int>(request.payload[i]) + 1);
    }
    return Response{std::string(request.header), payload};
  }

  std::unique_ptr<Channel> Connect(bool shared_memory = true) const {
    return std::make_unique<Channel>(ChannelOptions{.endpoint = server_->endpoint(),
                                                    .role = "server",
                                                    .identity = kIdentity,
                                                    .shared_memory = shared_memory});
  }

  // A call with `size` bytes of `value`, whose answer is checked.
  static Status Call(Channel& channel, std::byte value, std::size_t size = kSize,
                     std::size_t expected = kSize, const std::string& header = "x") {
    auto payload = std::make_shared<Payload>(size);
    std::fill(payload->bytes().begin(), payload->bytes().end(), value);
    std::vector<std::byte> received;
    CallOptions call{.method = "test/AddOne",
                     .header = header,
                     .payload = payload,
                     .timeout = kLong,
                     .expected_bytes = expected};
    call.sink = [&received](std::string_view, std::uint64_t bytes) {
      received.resize(bytes);
      return StatusOr<std::span<std::byte>>(received);
    };
    GORILA_RETURN_IF_ERROR(channel.Call(std::move(call)).status());
    const auto right = static_cast<std::byte>(static_cast<int>(value) + 1);
    EXPECT_EQ(std::count(received.begin(), received.end(), right), std::ssize(payload->bytes()));
    return OkStatus();
  }

  std::int64_t shared() const { return server_->traffic().bytes_shared; }

  // Calls until one goes through memory, and all of it does.
  void CallUntilShared(Channel& channel) const {
    for (std::int64_t before = shared(); shared() == before;) {
      ASSERT_TRUE(Call(channel, std::byte{1}).ok());
    }
    const std::int64_t before = shared();
    ASSERT_TRUE(Call(channel, std::byte{2}).ok());
    ASSERT_EQ(shared() - before, static_cast<std::int64_t>(2 * kSize));
  }

  std::unique_ptr<Server> server_;
  std::atomic<bool> hold_{false};
  std::atomic<int> entered_{0};
};

TEST_F(MemoryCallTest, PayloadsGoThroughMemorySoon) {
  Start();
  const auto channel = Connect();
  CallUntilShared(*channel);
  const ServerTraffic before = server_->traffic();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Call(*channel, static_cast<std::byte>(i)).ok());
  EXPECT_EQ(shared() - before.bytes_shared, static_cast<std::int64_t>(40 * kSize));
  EXPECT_EQ(server_->traffic().bytes_received - before.bytes_received,
            static_cast<std::int64_t>(20 * (kSize + 1)));
  EXPECT_EQ(server_->refusals().Total(), 0);
}

TEST_F(MemoryCallTest, OverAUnixSocketToo) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("gorila-memory-call-{}", ::getpid());
  Start(/*shared_memory=*/true, "unix:" + path.string());
  CallUntilShared(*Connect());
}

TEST_F(MemoryCallTest, EachSideCanDoWithout) {
  Start();
  const auto channel = Connect(/*shared_memory=*/false);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Call(*channel, std::byte{1}).ok());
  EXPECT_EQ(server_->traffic().calls, 10);
  Start(/*shared_memory=*/false);
  const auto again = Connect();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Call(*again, std::byte{1}).ok());
  EXPECT_EQ(shared(), 0);
  EXPECT_LE(server_->traffic().calls, 11) << "what was refused is not offered again";
}

TEST_F(MemoryCallTest, SmallPayloadsAreSent) {
  Start();
  const auto channel = Connect();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Call(*channel, std::byte{1}, 1000, 1000).ok());
  EXPECT_EQ(server_->traffic().calls, 10);
}

TEST_F(MemoryCallTest, AResponseLargerThanExpectedIsRefused) {
  Start();
  const auto channel = Connect();
  CallUntilShared(*channel);
  const Status status = Call(*channel, std::byte{1}, kSize, kSize - 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(RefusalOf(status), Refusal::kShape) << status;
  CallUntilShared(*channel);
}

TEST_F(MemoryCallTest, APayloadThatNobodyExpectsIsRefused) {
  Start();
  const auto channel = Connect();
  CallUntilShared(*channel);
  for (const std::size_t size : {kSize, std::size_t{1000}}) {  // through memory, and sent
    const Status status = channel
                              ->Call({.method = "test/AddOne",
                                      .header = "x",
                                      .payload = std::make_shared<Payload>(size),
                                      .timeout = kLong})
                              .status();
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(absl::IsDeadlineExceeded(status)) << status;
  }
}

TEST_F(MemoryCallTest, SeveralCallsAtOnceDoNotMeet) {
  Start();
  const auto channel = Connect();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&channel, t] {
      for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(Call(*channel, static_cast<std::byte>(50 * t + i)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(shared(), 0);
}

// The server may still be at work in its memory.
TEST_F(MemoryCallTest, TheMemoryOfACallThatWasGivenUpIsNotUsedAgain) {
  Start();
  const auto channel = Connect();
  CallUntilShared(*channel);
  hold_ = true;
  const int before = entered_;
  auto payload = std::make_shared<Payload>(kSize);
  {
    const PendingCall given_up = channel->Start(
        {.method = "test/AddOne", .header = "x", .payload = payload, .timeout = kLong});
    while (entered_ == before) std::this_thread::yield();
  }
  hold_ = false;
  const std::int64_t shared_before = shared();
  ASSERT_TRUE(Call(*channel, std::byte{1}).ok());
  EXPECT_LE(shared() - shared_before, static_cast<std::int64_t>(kSize)) << "of the call given up";
  CallUntilShared(*channel);
}

TEST_F(MemoryCallTest, AFailedCallsMemoryIsReplaced) {
  Start();
  const auto channel = Connect();
  CallUntilShared(*channel);
  EXPECT_TRUE(absl::IsInvalidArgument(Call(*channel, std::byte{1}, kSize, kSize, "fail")));
  CallUntilShared(*channel);
}

// Its numbers mean nothing to the new one.
TEST_F(MemoryCallTest, AServerThatCameBackIsOfferedMemoryAnew) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("gorila-memory-again-{}", ::getpid());
  Start(/*shared_memory=*/true, "unix:" + path.string());
  const auto channel = Connect();
  CallUntilShared(*channel);
  server_.reset();
  Start(/*shared_memory=*/true, "unix:" + path.string());
  const Status status = Retry({}, {}, [&] { return Call(*channel, std::byte{1}); });
  ASSERT_TRUE(status.ok()) << status;
  CallUntilShared(*channel);
}

// What a client of ours never says: raw first parts, in one message.
class RawCallTest : public MemoryCallTest {
 protected:
  grpc::Status Say(const SharedPlace& place, std::uint64_t payload_bytes) {
    const auto channel =
        grpc::CreateChannel(ToString(server_->endpoint()), grpc::InsecureChannelCredentials());
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kLong);
    context.AddMetadata(kTokenKey, kIdentity.token);
    context.AddMetadata(kLayoutKey, LayoutText(*kIdentity.layout));
    const grpc::ByteBuffer request = EncodeFirstPart("x", payload_bytes, place);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(&context, "/test/AddOne", request, &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }
};

TEST_F(RawCallTest, PlacesOutsideWhatWasOfferedAreRefused) {
  Start();
  const SharedPlace without_memory[] = {{.room_bytes = 100},
                                        {.payload = true},
                                        {.memory = 7},
                                        {.memory = 7, .payload = true, .room_bytes = 100}};
  std::int64_t refused = 0;
  for (const SharedPlace& place : without_memory) {
    EXPECT_EQ(Say(place, place.payload ? 10 : 0).error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(server_->refusals().count(Refusal::kMemory), ++refused);
  }
  const auto memory = SharedMemory::Create(1000).value();
  const auto shared =
      Connect()->CallProto<v1::ShareResponse>(kShareMethod, OfferOf(memory->ticket()), kLong);
  ASSERT_TRUE(shared.ok()) << shared.status();
  const std::uint64_t number = shared->memory();
  constexpr std::uint64_t kFar = ~std::uint64_t{0} - 63;
  const SharedPlace outside[] = {{.memory = number, .room_begin = 1, .room_bytes = 1},
                                 {.memory = number, .room_bytes = 1001},
                                 {.memory = number, .room_begin = kFar, .room_bytes = 128},
                                 {.memory = number, .payload = true, .payload_begin = 960},
                                 {.memory = number, .payload = true, .payload_begin = kFar}};
  for (const SharedPlace& place : outside) {
    EXPECT_EQ(Say(place, place.payload ? 64 : 0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(server_->refusals().count(Refusal::kMalformed), std::ssize(outside));
  EXPECT_EQ(entered_, 0);
}

class MemoryRegistryTest : public testing::Test {
 protected:
  static StatusOr<std::uint64_t> Offer(MemoryRegistry& registry, const SharedMemoryTicket& ticket,
                                       const std::string& peer = "ipv4:127.0.0.1:4000") {
    const std::string header = OfferOf(ticket).SerializeAsString();
    GORILA_ASSIGN_OR_RETURN(const Response response,
                            registry.Share({.header = header, .payload = {}, .peer = peer}));
    return Channel::ParseResponse<v1::ShareResponse>(response.header)->memory();
  }
};

TEST_F(MemoryRegistryTest, FindsWhatWasOffered) {
  MemoryRegistry registry(10'000);
  const auto memory = SharedMemory::Create(1000).value();
  const auto number = Offer(registry, memory->ticket());
  ASSERT_TRUE(number.ok()) << number.status();
  EXPECT_NE(*number, 0u);
  memory->bytes().front() = std::byte{5};
  EXPECT_EQ(registry.Find(*number)->bytes().front(), std::byte{5});
  EXPECT_EQ(registry.Find(*number + 1), nullptr);
}

TEST_F(MemoryRegistryTest, RefusesOtherMachinesAndWhatItCannotOpen) {
  MemoryRegistry registry(10'000);
  const auto memory = SharedMemory::Create(1000).value();
  for (const char* const peer : {"ipv4:192.0.2.1:4000", "ipv6:[2001:db8::1]:1", ""}) {
    const Status status = Offer(registry, memory->ticket(), peer).status();
    EXPECT_EQ(RefusalOf(status), Refusal::kMemory) << peer;
    EXPECT_FALSE(IsRetryable(status));
  }
  for (const char* const peer : {"unix:", "ipv6:[::1]:1", "ipv6:%5B::1%5D:1"}) {
    EXPECT_TRUE(Offer(registry, memory->ticket(), peer).ok()) << peer;
  }
  SharedMemoryTicket wrong = memory->ticket();
  wrong.secret.front() = static_cast<char>(wrong.secret.front() + 1);
  EXPECT_EQ(RefusalOf(Offer(registry, wrong).status()), Refusal::kMemory);
}

TEST_F(MemoryRegistryTest, HoldsSoMuchAndLetsGoOfWhoIsGone) {
  MemoryRegistry registry(2000);
  auto first = SharedMemory::Create(1000).value();
  const auto second = SharedMemory::Create(1000).value();
  const auto third = SharedMemory::Create(1000).value();
  const auto number = Offer(registry, first->ticket());
  ASSERT_TRUE(Offer(registry, second->ticket()).ok());
  EXPECT_EQ(RefusalOf(Offer(registry, third->ticket()).status()), Refusal::kMemory);
  first = nullptr;
  EXPECT_TRUE(Offer(registry, third->ticket()).ok());
  EXPECT_EQ(registry.Find(*number), nullptr);
}

}  // namespace
}  // namespace gorila::rpc
