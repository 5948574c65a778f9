#include "gorila/checkpoint/generation.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "gorila/base/crash_point.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// So many claims are kept. A process so slow that its claim could be of a number that was taken and
// removed sees newer ones, and claims again.
constexpr std::int64_t kKept = 64;

// The number at the beginning of a claim's name: "7", or "7.tmp" of one that was killed.
std::int64_t NumberOfClaim(const std::string& name) {
  std::int64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

StatusOr<std::vector<std::string>> ListClaims(const fs::path& folder) {
  std::vector<std::string> names;
  const auto entries = ListFolder(folder);
  if (absl::IsNotFound(entries.status())) return names;
  GORILA_RETURN_IF_ERROR(entries.status());
  for (const FolderEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

// Those below `number`. Others may do the same at this time.
void RemoveOldClaims(const fs::path& folder, std::int64_t number) {
  const auto names = ListClaims(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (NumberOfClaim(name) < number) RemovePathAndBelow(folder / name).IgnoreError();
  }
}

}  // namespace

StatusOr<Generation> Generation::Take(const fs::path& folder) {
  Generation generation(folder);
  GORILA_RETURN_IF_ERROR(CreateDurableFolders(generation.Claims()));
  GORILA_ASSIGN_OR_RETURN(std::int64_t before, generation.NewestSnapshots());
  for (bool claimed = false; !claimed;) {
    GORILA_ASSIGN_OR_RETURN(const std::int64_t taken, generation.NewestTaken());
    before = std::max(before, taken);
    if (before >= kMax) {
      return DataLoss("'{}' is at generation {}; expected less than {}", folder.string(), before,
                      kMax);
    }
    generation.number_ = ++before;
    GORILA_ASSIGN_OR_RETURN(claimed, generation.Claim());
    GORILA_ASSIGN_OR_RETURN(const std::int64_t newest, generation.NewestTaken());
    claimed = claimed && newest < generation.number_ + kKept / 2;
  }
  CrashPoint("generation claimed");
  GORILA_RETURN_IF_ERROR(generation.WriteNewest());
  CrashPoint("generation taken");
  RemoveOldClaims(generation.Claims(), generation.number_ - kKept);
  return generation;
}

std::uint64_t Generation::NextSnapshot() {
  GORILA_CHECK(snapshots_ < kSnapshots - 1, "{} snapshots", snapshots_);
  return static_cast<std::uint64_t>(number_ * kSnapshots + ++snapshots_);
}

Status Generation::CheckNotReplaced(std::string_view owner) const {
  GORILA_ASSIGN_OR_RETURN(const std::int64_t newest, NewestTaken());
  if (newest <= number_) return OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{}: generation {} has replaced this process of generation {}", owner, newest, number_));
}

StatusOr<bool> Generation::Claim() const {
  GORILA_ASSIGN_OR_RETURN(const bool created,
                          CreateExclusively(Claims() / std::to_string(number_)));
  if (created) GORILA_RETURN_IF_ERROR(SyncFolder(Claims()));
  return created;
}

// Into the file, again when another process has claimed a larger number and this one may have come
// in its way.
Status Generation::WriteNewest() const {
  std::int64_t written = 0;
  for (std::int64_t newest = number_; newest > written;) {
    // Under a name that no other process writes to.
    const fs::path aside = Claims() / fmt::format("{}.tmp", number_);
    GORILA_RETURN_IF_ERROR(WriteFileSynced(aside, fmt::format("{}\n", newest)));
    const Status renamed = RenamePath(aside, File());
    CrashPoint("generation renamed");
    // Whoever took a number kKept above this one has removed it in between.
    if (absl::IsNotFound(renamed)) {
      GORILA_ASSIGN_OR_RETURN(newest, NewestTaken());
      if (newest >= number_ + kKept) continue;
    }
    if (!renamed.ok()) return Unavailable("{}", std::string(renamed.message()));
    GORILA_RETURN_IF_ERROR(SyncFolder(folder_));
    written = newest;
    GORILA_ASSIGN_OR_RETURN(newest, NewestTaken());
  }
  return OkStatus();
}

StatusOr<std::int64_t> Generation::NewestTaken() const {
  GORILA_ASSIGN_OR_RETURN(std::int64_t newest, ReadFileNumber());
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string> claims, ListClaims(Claims()));
  for (const std::string& claim : claims) newest = std::max(newest, NumberOfClaim(claim));
  return newest;
}

StatusOr<std::int64_t> Generation::NewestSnapshots() const {
  GORILA_ASSIGN_OR_RETURN(const auto snapshots, ListCheckpoints(folder_ / "snapshots"));
  if (snapshots.empty()) return 0;
  return std::stoll(snapshots.front().filename().string()) / kSnapshots;
}

StatusOr<std::int64_t> Generation::ReadFileNumber() const {
  const StatusOr<std::string> text = ReadFileOf(kNoteFile, File());
  if (absl::IsNotFound(text.status())) return 0;
  GORILA_RETURN_IF_ERROR(text.status());
  std::int64_t generation = -1;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, generation);
  if (error != std::errc() || generation < 1 || std::string_view(rest, end) != "\n") {
    return DataLoss(
        "'{}' is not a generation number; remove it to continue above the newest snapshot's",
        File().string());
  }
  return generation;
}

}  // namespace gorila
