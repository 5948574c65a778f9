#include "gorila/env/external/action_log.h"

#include <zstd.h>

#include <bit>

#include "gorila/base/quick_hash.h"
#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

constexpr int kLevel = 1;
constexpr std::uint64_t kEmpty = 1;  // checksum

// Field by field: bytes that were just stored in other sizes are slow to load. A discount is 0 or
// 1, whose lowest bits are zero.
std::uint64_t WordOf(const TimeStep& step) {
  const std::uint32_t rest =
      std::bit_cast<std::uint32_t>(step.discount) ^ static_cast<std::uint32_t>(step.step_type);
  return std::uint64_t{rest} << 32 | std::bit_cast<std::uint32_t>(step.reward);
}

}  // namespace

void ActionLog::Begin(std::uint64_t seed, std::span<const std::byte> observation) {
  begun_ = true;
  seed_ = seed;
  actions_.clear();
  complete_ = true;
  checksum_ = QuickHash(kEmpty, observation);
}

void ActionLog::Add(std::int32_t action, const TimeStep& step,
                    std::span<const std::byte> observation) {
  if (actions_.size() >= kMostActions) {
    complete_ = false;
    return;
  }
  actions_.push_back(action);
  checksum_ = QuickHash(QuickHash(checksum_, WordOf(step)), observation);
}

Status ActionLog::CheckActions(std::int32_t low, std::int32_t high) const {
  for (const std::int32_t action : actions_) {
    GORILA_RETURN_IF_ERROR(CheckFields({{"action", action, low, high}}));
  }
  return OkStatus();
}

void ActionLog::SaveState(StateWriter& writer) const {
  writer.Write(seed_);
  writer.Write(checksum_);
  writer.Write<std::uint8_t>(begun_ ? 1 : 0);
  writer.Write<std::uint8_t>(complete_ ? 1 : 0);
  const std::size_t kept = complete_ ? actions_.size() : 0;
  writer.Write<std::uint64_t>(kept);
  std::vector<std::byte> packed(::ZSTD_compressBound(kept * sizeof(std::int32_t)));
  const std::size_t size = ::ZSTD_compress(packed.data(), packed.size(), actions_.data(),
                                           kept * sizeof(std::int32_t), kLevel);
  GORILA_CHECK(::ZSTD_isError(size) == 0, "{}", ::ZSTD_getErrorName(size));
  packed.resize(size);
  writer.WriteSpan<std::byte>(packed);
}

Status ActionLog::RestoreState(StateReader& reader) {
  ActionLog read;
  std::uint8_t begun = 0;
  std::uint8_t complete = 0;
  std::uint64_t count = 0;
  std::vector<std::byte> packed;
  GORILA_RETURN_IF_ERROR(reader.Read(read.seed_));
  GORILA_RETURN_IF_ERROR(reader.Read(read.checksum_));
  GORILA_RETURN_IF_ERROR(reader.Read(begun));
  GORILA_RETURN_IF_ERROR(reader.Read(complete));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(packed));
  if (begun > 1 || complete > 1 || count > kMostActions) {
    return DataLoss("the actions of an episode: {} of them, expected at most {}", count,
                    kMostActions);
  }
  read.begun_ = begun == 1;
  read.complete_ = complete == 1;
  read.actions_.resize(count);
  const std::size_t size = ::ZSTD_decompress(read.actions_.data(), count * sizeof(std::int32_t),
                                             packed.data(), packed.size());
  if (::ZSTD_isError(size) != 0 || size != count * sizeof(std::int32_t)) {
    return DataLoss("the actions of an episode cannot be decompressed");
  }
  *this = std::move(read);
  return OkStatus();
}

}  // namespace gorila
