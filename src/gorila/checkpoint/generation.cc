#include "gorila/checkpoint/generation.h"

#include <charconv>
#include <string>

#include "gorila/base/file.h"

namespace gorila {

StatusOr<Generation> Generation::Take(const std::filesystem::path& folder) {
  Generation generation(folder / "generation");
  GORILA_ASSIGN_OR_RETURN(const std::int64_t before, generation.Read());
  if (before >= kMax) {
    return DataLoss("'{}' says {}; expected less than {}", generation.file_.string(), before, kMax);
  }
  generation.number_ = before + 1;
  GORILA_RETURN_IF_ERROR(
      WriteFileAtomically(generation.file_, fmt::format("{}\n", generation.number_)));
  return generation;
}

std::uint64_t Generation::NextSnapshot() {
  GORILA_CHECK(snapshots_ < kSnapshots - 1, "{} snapshots", snapshots_);
  return static_cast<std::uint64_t>(number_ * kSnapshots + ++snapshots_);
}

Status Generation::CheckNotReplaced(std::string_view owner) const {
  GORILA_ASSIGN_OR_RETURN(const std::int64_t newest, Read());
  if (newest == number_) return OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{}: generation {} has replaced this process of generation {}", owner, newest, number_));
}

StatusOr<std::int64_t> Generation::Read() const {
  const StatusOr<std::string> text = ReadFile(file_);
  if (absl::IsNotFound(text.status())) return 0;
  GORILA_RETURN_IF_ERROR(text.status());
  std::int64_t generation = -1;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, generation);
  if (error != std::errc() || generation < 1 || std::string_view(rest, end) != "\n") {
    return DataLoss("'{}' is not a generation number", file_.string());
  }
  return generation;
}

}  // namespace gorila
