// What people call a run: labels.toml in its folder. These are not settings, and training does not
// read them.
#ifndef GORILA_CONFIG_RUN_LABELS_H_
#define GORILA_CONFIG_RUN_LABELS_H_

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

inline constexpr const char* kLabelsFile = "labels.toml";

// In characters (code points), not bytes.
inline constexpr std::size_t kMostNameCharacters = 100;
inline constexpr std::size_t kMostNoteCharacters = 2000;
inline constexpr std::size_t kMostTagCharacters = 50;
inline constexpr std::size_t kMostTags = 50;

struct RunLabels {
  std::string name = {};  // empty: none
  std::string note = {};  // likewise
  std::vector<std::string> tags = {};

  bool operator==(const RunLabels&) const = default;
};

// InvalidArgument, naming which label, for text that is not UTF-8, is too long or has control
// characters (also those that turn the direction of text), for a tag that is empty or has spaces or
// commas or is there twice, and for too many tags.
Status CheckRunLabels(const RunLabels& labels);

// None when the run has no such file. DataLoss, with the file and what is wrong in it.
StatusOr<RunLabels> ReadRunLabels(const std::filesystem::path& run);

// Atomically; checked before. Without any label the file is removed.
Status WriteRunLabels(const std::filesystem::path& run, const RunLabels& labels);

struct LabelChange {
  std::optional<std::string> name = {}, note = {};  // an empty one removes it
  std::vector<std::string> add_tags = {}, remove_tags = {};
};

// `labels` after the change, not checked. Tags that are there already, or are not, stay so.
RunLabels Changed(RunLabels labels, const LabelChange& change);

// Reads, changes, checks and writes, while other processes wait that do the same; at most some
// seconds. Gives the new labels.
StatusOr<RunLabels> ChangeRunLabels(const std::filesystem::path& run, const LabelChange& change);

}  // namespace gorila

#endif  // GORILA_CONFIG_RUN_LABELS_H_
