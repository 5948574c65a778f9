#include "gorila/rpc/shared_memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace gorila::rpc {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<SharedMemory> Make(std::size_t bytes) {
  auto memory = SharedMemory::Create(bytes);
  EXPECT_TRUE(memory.ok()) << memory.status();
  return *std::move(memory);
}

// A ticket for a file that this test makes itself.
SharedMemoryTicket TicketOf(int descriptor, std::uint64_t bytes) {
  return {.process = ::getpid(),
          .descriptor = descriptor,
          .bytes = bytes,
          .secret = std::string(SharedMemory::kSecretBytes, '\0')};
}

TEST(SharedMemoryTest, WhatOneWritesTheOtherReads) {
  const auto made = Make(100'001);
  const auto opened = SharedMemory::Open(made->ticket());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->bytes().size(), 100'001u);
  EXPECT_NE((*opened)->bytes().data(), made->bytes().data());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(made->bytes().data()) % SharedMemory::kAlignment, 0u);
  std::fill(made->bytes().begin(), made->bytes().end(), std::byte{7});
  (*opened)->bytes().back() = std::byte{9};
  EXPECT_EQ((*opened)->bytes().front(), std::byte{7});
  EXPECT_EQ(made->bytes().back(), std::byte{9});
}

TEST(SharedMemoryTest, AnotherProcessReadsItToo) {
  const auto made = Make(1000);
  made->bytes().back() = std::byte{42};
  const SharedMemoryTicket ticket = made->ticket();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto opened = SharedMemory::Open(ticket);
    if (!opened.ok() || (*opened)->bytes().back() != std::byte{42}) ::_exit(1);
    (*opened)->bytes().front() = std::byte{43};
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(made->bytes().front(), std::byte{43});
}

TEST(SharedMemoryTest, TheMakersEndIsSeen) {
  auto made = Make(1000);
  const auto opened = SharedMemory::Open(made->ticket());
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE((*opened)->MakerIsGone());
  EXPECT_FALSE((*opened)->MakerIsGone());  // looking does not change it
  made = nullptr;
  EXPECT_TRUE((*opened)->MakerIsGone());
  (*opened)->bytes().front() = std::byte{1};  // still there
}

TEST(SharedMemoryTest, OnlyTheRightSecretOpensIt) {
  const auto made = Make(1000);
  EXPECT_NE(made->ticket().secret, Make(1000)->ticket().secret);
  SharedMemoryTicket ticket = made->ticket();
  ticket.secret.back() = static_cast<char>(ticket.secret.back() + 1);
  EXPECT_THAT(std::string(SharedMemory::Open(ticket).status().message()), HasSubstr("secret"));
  ticket.secret.clear();
  EXPECT_TRUE(absl::IsInvalidArgument(SharedMemory::Open(ticket).status()));
}

TEST(SharedMemoryTest, AnotherSizeIsRefused) {
  const auto made = Make(1000);
  for (const std::uint64_t bytes : {std::uint64_t{999}, std::uint64_t{1001}, ~std::uint64_t{0}}) {
    SharedMemoryTicket ticket = made->ticket();
    ticket.bytes = bytes;
    EXPECT_TRUE(absl::IsInvalidArgument(SharedMemory::Open(ticket).status())) << bytes;
  }
}

TEST(SharedMemoryTest, ADescriptorOrProcessThatIsNotThereIsUnavailable) {
  const auto made = Make(1000);
  SharedMemoryTicket ticket = made->ticket();
  ticket.descriptor = 1'000'000;
  EXPECT_TRUE(absl::IsUnavailable(SharedMemory::Open(ticket).status()));
  ticket = made->ticket();
  ticket.process = -1;
  EXPECT_TRUE(absl::IsUnavailable(SharedMemory::Open(ticket).status()));
}

TEST(SharedMemoryTest, APipeIsNotOpened) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(SharedMemory::Open(TicketOf(ends[0], 0)).status()));
  ::close(ends[0]);
  ::close(ends[1]);
}

// Or its maker could cut it off while the other process reads, whom that would end.
TEST(SharedMemoryTest, ASizeThatCouldChangeIsRefused) {
  const int descriptor = ::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::ftruncate(descriptor, SharedMemory::kAlignment + 100), 0);
  EXPECT_THAT(std::string(SharedMemory::Open(TicketOf(descriptor, 100)).status().message()),
              HasSubstr("sealed"));
  ASSERT_EQ(::fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
  EXPECT_TRUE(SharedMemory::Open(TicketOf(descriptor, 100)).ok());
  ::close(descriptor);
  const auto made = Make(100);
  EXPECT_NE(::ftruncate(made->ticket().descriptor, 10), 0);
}

}  // namespace
}  // namespace gorila::rpc
