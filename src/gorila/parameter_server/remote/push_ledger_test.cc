#include "gorila/parameter_server/remote/push_ledger.h"

#include <gtest/gtest.h>

#include <map>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using Known = PushLedger::Known;
using Verdict = PushLedger::Verdict;

TEST(PushLedgerTest, RemembersADecisionAndItsVerdict) {
  PushLedger ledger;
  EXPECT_EQ(ledger.Find(7, 1).known, Known::kNew);
  ledger.Record(7, 1, Verdict::kStale);
  EXPECT_EQ(ledger.Find(7, 1).known, Known::kDecided);
  EXPECT_EQ(ledger.Find(7, 1).verdict, Verdict::kStale);
  EXPECT_EQ(ledger.Find(7, 2).known, Known::kNew);
  EXPECT_EQ(ledger.Find(8, 1).known, Known::kNew) << "another client";
}

// Against a map that forgets nothing, with sequences out of order as several threads send them.
TEST(PushLedgerTest, AgreesWithAMapWithinItsWindow) {
  RandomStream random(5);
  PushLedger ledger;
  std::map<std::pair<std::uint64_t, std::int64_t>, Verdict> all;
  std::map<std::uint64_t, std::int64_t> newest;
  for (int i = 0; i < 20000; ++i) {
    const auto client = static_cast<std::uint64_t>(random.Integer(0, 5));
    const std::int64_t low = std::max<std::int64_t>(1, newest[client] - 80);
    const std::int64_t sequence = low + random.Integer(0, 100);
    const auto known = ledger.Find(client, sequence);
    const auto expected = all.find({client, sequence});
    if (sequence <= newest[client] - PushLedger::kWindow) {
      ASSERT_EQ(known.known, Known::kForgotten);
      continue;
    }
    if (expected != all.end()) {
      ASSERT_EQ(known.known, Known::kDecided);
      ASSERT_EQ(known.verdict, expected->second);
      continue;
    }
    ASSERT_EQ(known.known, Known::kNew) << sequence << " of " << newest[client];
    const auto verdict = static_cast<Verdict>(random.Integer(0, 3));
    ledger.Record(client, sequence, verdict);
    all[{client, sequence}] = verdict;
    newest[client] = std::max(newest[client], sequence);
    if (i % 1000 == 0) {
      StateWriter writer;
      ledger.SaveState(writer);
      PushLedger restored;
      StateReader reader(writer.bytes());
      ASSERT_TRUE(restored.RestoreState(reader).ok());
      ASSERT_TRUE(reader.Finish().ok());
      ledger = restored;
    }
  }
}

TEST(PushLedgerTest, ForgetsTheClientThatWasSilentForLongest) {
  PushLedger ledger;
  for (std::uint64_t client = 0; client < PushLedger::kMaxClients; ++client) {
    ledger.Record(client, 1, Verdict::kAccepted);
  }
  ledger.Record(0, 2, Verdict::kAccepted);
  ledger.Record(1'000'000, 1, Verdict::kAccepted);
  EXPECT_LE(ledger.clients(), PushLedger::kMaxClients);
  EXPECT_GT(ledger.clients(), PushLedger::kMaxClients / 2);
  EXPECT_EQ(ledger.Find(1, 1).known, Known::kNew);
  EXPECT_EQ(ledger.Find(PushLedger::kMaxClients - 1, 1).known, Known::kDecided);
  EXPECT_EQ(ledger.Find(0, 1).known, Known::kDecided);
  EXPECT_EQ(ledger.Find(1'000'000, 1).known, Known::kDecided);
}

TEST(PushLedgerTest, FiveThousandLivingClientsAreRemembered) {
  PushLedger ledger;
  for (std::int64_t sequence = 1; sequence <= 3; ++sequence) {
    for (std::uint64_t client = 0; client < 5000; ++client) {
      ASSERT_EQ(ledger.Find(client, sequence).known, Known::kNew);
      ledger.Record(client, sequence, Verdict::kAccepted);
    }
  }
  for (std::uint64_t client = 0; client < 5000; ++client) {
    ASSERT_EQ(ledger.Find(client, 3).known, Known::kDecided) << client;
  }
}

TEST(PushLedgerTest, RefusesADamagedState) {
  PushLedger ledger;
  ledger.Record(1, 1, Verdict::kAccepted);
  StateWriter writer;
  ledger.SaveState(writer);
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    PushLedger restored;
    StateReader reader(std::string_view(writer.bytes()).substr(0, size));
    EXPECT_FALSE(restored.RestoreState(reader).ok()) << size;
  }
  std::string wrong = writer.bytes();
  wrong[wrong.size() - 9] = 0x7f;  // a verdict that does not exist
  StateReader reader(wrong);
  PushLedger restored;
  EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(reader)));
}

}  // namespace
}  // namespace gorila
