#include "gorila/config/run_labels.h"

#include <fcntl.h>
#include <sys/file.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// Whether nothing in it has to be replaced.
bool IsUtf8(const std::string& text) {
  using nlohmann::json;
  return ParseJson<json>(DumpAnyJson(json(text))).get<std::string>() == text;
}

// The code points of text that is UTF-8.
std::vector<std::uint32_t> CodePoints(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) {
      points.back() = points.back() << 6 | (byte & 0x3F);
    } else {
      const std::uint32_t bits = byte < 0x80 ? 0x7F : byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0xF : 7;
      points.push_back(byte & bits);
    }
  }
  return points;
}

// Terminals obey the first two kinds; line ends break lists, and the rest reorders what is beside.
bool IsControl(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

Status CheckText(std::string_view what, const std::string& text, std::size_t most) {
  if (!IsUtf8(text)) return InvalidArgument("{} is not UTF-8", what);
  const std::vector<std::uint32_t> points = CodePoints(text);
  if (points.size() > most) {
    return InvalidArgument("{} has {} characters; expected at most {}", what, points.size(), most);
  }
  if (std::any_of(points.begin(), points.end(), &IsControl)) {
    return InvalidArgument("{} has a line end or another control character; expected one line",
                           what);
  }
  if (text.starts_with(' ') || text.ends_with(' ')) {
    return InvalidArgument("{} '{}' begins or ends with a space", what, text);
  }
  return OkStatus();
}

Status CheckTags(const std::vector<std::string>& tags) {
  if (tags.size() > kMostTags) {
    return InvalidArgument("a run has {} tags; expected at most {}", tags.size(), kMostTags);
  }
  for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
    GORILA_RETURN_IF_ERROR(CheckText("a tag", *tag, kMostTagCharacters));
    if (tag->empty() || tag->find_first_of(" ,") != tag->npos) {
      return InvalidArgument("tag '{}'; expected text without spaces and commas", *tag);
    }
    if (std::find(tags.begin(), tag, *tag) != tag) {
      return InvalidArgument("tag '{}' is there twice", *tag);
    }
  }
  return OkStatus();
}

Status ReadText(const toml::node& node, std::string& text) {
  if (!node.is_string()) return DataLoss("expected a text in quotes");
  text = node.as_string()->get();
  return OkStatus();
}

Status ReadTags(const toml::node& node, std::vector<std::string>& tags) {
  if (!node.is_array()) return DataLoss("expected a list of texts");
  for (const toml::node& tag : *node.as_array()) {
    GORILA_RETURN_IF_ERROR(ReadText(tag, tags.emplace_back()));
  }
  return OkStatus();
}

StatusOr<RunLabels> Parse(std::string_view text) {
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    return DataLoss("line {}: not TOML: {}", result.error().source().begin.line,
                    result.error().description());
  }
  RunLabels labels;
  for (const auto& [key, node] : result.table()) {
    const std::string name(key.str());
    Status status = name == "name"   ? ReadText(node, labels.name)
                    : name == "note" ? ReadText(node, labels.note)
                    : name == "tags" ? ReadTags(node, labels.tags)
                                     : DataLoss("expected name, note or tags");
    if (!status.ok()) {
      return Annotate(status, fmt::format("line {}: '{}'", node.source().begin.line, name));
    }
  }
  if (const Status status = CheckRunLabels(labels); !status.ok()) {
    return DataLoss("{}", std::string(status.message()));
  }
  return labels;
}

// A JSON string is a TOML string where it has no control characters.
std::string Quoted(const std::string& text) { return DumpJson(nlohmann::json(text)); }

std::string ToText(const RunLabels& labels) {
  std::string text = "# What people call this run: no settings. 'gorila label' changes them.\n";
  if (!labels.name.empty()) text += fmt::format("name = {}\n", Quoted(labels.name));
  if (!labels.note.empty()) text += fmt::format("note = {}\n", Quoted(labels.note));
  if (labels.tags.empty()) return text;
  std::vector<std::string> tags;
  for (const std::string& tag : labels.tags) tags.push_back(Quoted(tag));
  return text + fmt::format("tags = [{}]\n", fmt::join(tags, ", "));
}

// The lock of a run's labels: that on the folder itself, which nothing else locks. A file system
// that cannot lock folders gives none.
class LabelsLock {
 public:
  static StatusOr<LabelsLock> Take(const fs::path& run) {
    LabelsLock lock(::open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (lock.folder_ >= 0 && ::flock(lock.folder_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) break;
      if (std::chrono::steady_clock::now() > give_up) {
        return Unavailable("another process is changing the labels of '{}'; try again",
                           run.string());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return lock;
  }
  LabelsLock(LabelsLock&& other) noexcept : folder_(std::exchange(other.folder_, -1)) {}
  LabelsLock& operator=(LabelsLock&&) = delete;
  ~LabelsLock() {
    if (folder_ >= 0) ::close(folder_);
  }

 private:
  explicit LabelsLock(int folder) : folder_(folder) {}

  int folder_;
};

}  // namespace

Status CheckRunLabels(const RunLabels& labels) {
  GORILA_RETURN_IF_ERROR(CheckText("the name", labels.name, kMostNameCharacters));
  GORILA_RETURN_IF_ERROR(CheckText("the note", labels.note, kMostNoteCharacters));
  return CheckTags(labels.tags);
}

StatusOr<RunLabels> ReadRunLabels(const fs::path& run) {
  const fs::path file = run / kLabelsFile;
  const StatusOr<std::string> text = ReadFileOf(kNoteFile, file);
  if (absl::IsNotFound(text.status())) return RunLabels();
  GORILA_RETURN_IF_ERROR(text.status());
  StatusOr<RunLabels> labels = Parse(*text);
  if (!labels.ok()) {
    return Annotate(labels.status(), fmt::format("'{}' (mend it or remove it)", file.string()));
  }
  return labels;
}

Status WriteRunLabels(const fs::path& run, const RunLabels& labels) {
  GORILA_RETURN_IF_ERROR(CheckRunLabels(labels));
  const fs::path file = run / kLabelsFile;
  if (labels != RunLabels()) return WriteFileAtomically(file, ToText(labels));
  std::error_code error;
  if (!fs::remove(file, error) && !error) return OkStatus();
  if (error) return Unavailable("cannot remove '{}': {}", file.string(), error.message());
  return SyncFolder(run);
}

RunLabels Changed(RunLabels labels, const LabelChange& change) {
  if (change.name.has_value()) labels.name = *change.name;
  if (change.note.has_value()) labels.note = *change.note;
  for (const std::string& tag : change.remove_tags) std::erase(labels.tags, tag);
  for (const std::string& tag : change.add_tags) {
    if (std::find(labels.tags.begin(), labels.tags.end(), tag) == labels.tags.end()) {
      labels.tags.push_back(tag);
    }
  }
  return labels;
}

StatusOr<RunLabels> ChangeRunLabels(const fs::path& run, const LabelChange& change) {
  GORILA_ASSIGN_OR_RETURN(const LabelsLock lock, LabelsLock::Take(run));
  GORILA_ASSIGN_OR_RETURN(RunLabels labels, ReadRunLabels(run));
  labels = Changed(std::move(labels), change);
  GORILA_RETURN_IF_ERROR(WriteRunLabels(run, labels));
  return labels;
}

}  // namespace gorila
