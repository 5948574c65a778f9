#include "gorila/metrics/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include "gorila/base/descriptor.h"
#include "gorila/base/file.h"
#include "gorila/base/json.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void AppendString(std::string& line, std::string_view text) { line += DumpAnyJson(json(text)); }

template <typename T>
void AppendNumber(std::string& line, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) {
      line += "null";
      return;
    }
  }
  fmt::format_to(std::back_inserter(line), "{}", value);
}

void AppendList(std::string& line, std::span<const double> values) {
  line += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) line += ',';
    AppendNumber(line, values[i]);
  }
  line += ']';
}

void AppendObject(std::string& line, std::span<const RunLogField> fields) {
  line += '{';
  for (const RunLogField& field : fields) {
    if (line.back() != '{') line += ',';
    AppendString(line, field.name);
    line += ':';
    field.value.AppendJson(line);
  }
  line += '}';
}

// Nullopt when there is anything but numbers in it.
std::optional<std::vector<double>> ReadList(const json& array) {
  std::vector<double> values;
  for (const json& element : array) {
    if (!element.is_number() && !element.is_null()) return std::nullopt;
    values.push_back(element.is_null() ? std::nan("") : element.get<double>());
  }
  return values;
}

// Where the last line end before `end` ends; 0 without one. Reads from there to `end` only: logs
// get long.
StatusOr<std::uint64_t> EndOfLastLine(const fs::path& path, int file, std::uint64_t end) {
  std::array<char, 1 << 16> part;
  while (end > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), end));
    const ssize_t count = ::pread(file, part.data(), size, static_cast<off_t>(end - size));
    if (count < 0 && errno == EINTR) continue;
    if (count != static_cast<ssize_t>(size)) {
      return Unavailable("cannot read run log '{}': {}", path.string(),
                         count < 0 ? std::strerror(errno) : "it became shorter");
    }
    const std::size_t found = std::string_view(part.data(), size).rfind('\n');
    if (found != std::string_view::npos) return end - size + found + 1;
    end -= size;
  }
  return end;
}

// How much of it a log that is opened keeps.
StatusOr<std::uint64_t> KeptBytes(const fs::path& path, int file,
                                  std::optional<std::uint64_t> keep_bytes) {
  if (simulated_files != nullptr) {  // only for runs without checkpoints
    GORILA_ASSIGN_OR_RETURN(const std::string lines, ReadFile(path));
    return lines.rfind('\n') + 1;
  }
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    return InvalidArgument("run log '{}' is not a regular file", path.string());
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!keep_bytes.has_value()) return EndOfLastLine(path, file, size);
  if (*keep_bytes > size) {
    return DataLoss("run log '{}' has {} bytes; the checkpoint recorded {}", path.string(), size,
                    *keep_bytes);
  }
  GORILA_ASSIGN_OR_RETURN(const std::uint64_t line_end, EndOfLastLine(path, file, *keep_bytes));
  if (line_end != *keep_bytes) {
    return DataLoss("run log '{}' has no line end at byte {}, which the checkpoint recorded",
                    path.string(), *keep_bytes);
  }
  return *keep_bytes;
}

using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

StatusOr<OpenFile> OpenForReading(const fs::path& path) {
  const auto failed = [&path](int error) -> Status {
    if (error == ENOENT) return NotFound("run log '{}' does not exist", path.string());
    return Unavailable("cannot open run log '{}': {}", path.string(), std::strerror(error));
  };
  // Without O_NONBLOCK, opening a FIFO waits for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return failed(errno);
  OpenFile file(::fdopen(descriptor, "rb"), &std::fclose);
  if (file == nullptr) {
    const int error = errno;
    ::close(descriptor);
    return failed(error);
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) {
    return InvalidArgument("run log '{}' is not a regular file", path.string());
  }
  return file;
}

// Puts lines together from the parts of a file, one at a time.
class LineReader {
 public:
  LineReader(const fs::path& path, const std::function<void(const RunLogRecord&)>& use)
      : path_(path), use_(use) {}

  void Take(std::string_view part) {
    for (std::size_t end = part.find('\n'); end != part.npos; end = part.find('\n')) {
      Append(part.substr(0, end));
      ++number_;
      UseLine();
      part.remove_prefix(end + 1);
    }
    Append(part);
  }

  Status Damage() const {
    if (damaged_ < 2) return first_;
    return Annotate(first_, fmt::format("{} lines cannot be read; the first", damaged_));
  }

 private:
  // Of a line that is too long only as much as shows that it is.
  void Append(std::string_view text) {
    line_.append(text.substr(0, kMostLogLineBytes + 1 - line_.size()));
  }

  void UseLine() {
    StatusOr<RunLogRecord> record = line_.size() > kMostLogLineBytes
                                        ? DataLoss("more than {} bytes", kMostLogLineBytes)
                                        : ParseRunLogLine(line_);
    line_.clear();
    if (record.ok()) return use_(*record);
    if (damaged_++ > 0) return;
    first_ =
        Annotate(record.status(), fmt::format("run log '{}' line {}", path_.string(), number_));
  }

  const fs::path& path_;
  const std::function<void(const RunLogRecord&)>& use_;
  std::string line_;          // as far as it was read
  std::uint64_t number_ = 0;  // of the line that was read last
  std::uint64_t damaged_ = 0;
  Status first_;  // what is wrong with the first of these
};

}  // namespace

void RunLogValue::AppendJson(std::string& line) const {
  const auto append = [&line](const auto& value) {
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, std::string_view>) {
      AppendString(line, value);
    } else if constexpr (std::is_same_v<T, std::span<const double>>) {
      AppendList(line, value);
    } else if constexpr (std::is_same_v<T, const RunLogObject*>) {
      AppendObject(line, value->fields);
    } else {
      AppendNumber(line, value);
    }
  };
  std::visit(append, value_);
}

std::optional<double> RunLogValue::Number() const {
  const auto convert = [](const auto& value) -> std::optional<double> {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      return static_cast<double>(value);
    } else {
      return std::nullopt;
    }
  };
  return std::visit(convert, value_);
}

StatusOr<RunLog> RunLog::Open(const fs::path& path, std::optional<std::uint64_t> keep_bytes) {
  const int file = OpenDescriptor(path, O_RDWR | O_CREAT);
  if (file < 0) {
    return Unavailable("cannot open run log '{}': {}", path.string(), std::strerror(errno));
  }
  RunLog log(AppendFile("run log", path, file, 0));
  GORILA_ASSIGN_OR_RETURN(const std::uint64_t kept, KeptBytes(path, file, keep_bytes));
  GORILA_RETURN_IF_ERROR(log.file_.Truncate(kept));
  return log;
}

Status RunLog::Append(std::span<const RunLogField> fields) {
  std::string line;
  AppendObject(line, fields);
  file_.Append(line + "\n");
  return OkStatus();
}

std::optional<double> RunLogRecord::Number(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional<double>(found->second);
}

std::optional<std::string_view> RunLogRecord::Text(std::string_view name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::span<const double> RunLogRecord::Numbers(std::string_view name) const {
  const auto found = lists_.find(name);
  return found == lists_.end() ? std::span<const double>() : std::span(found->second);
}

const RunLogRecord* RunLogRecord::Object(std::string_view name) const {
  const auto found = objects_.find(name);
  return found == objects_.end() ? nullptr : &found->second;
}

struct RunLogReader {
  // `depth`: of objects in the record that are read.
  static RunLogRecord Read(const json& object, int depth) {
    RunLogRecord record;
    for (const auto& [name, value] : object.items()) {
      if (value.is_number()) record.numbers_[name] = value.get<double>();
      if (value.is_boolean()) record.numbers_[name] = value.get<bool>() ? 1 : 0;
      if (value.is_null()) record.numbers_[name] = std::nan("");
      if (value.is_string()) record.texts_[name] = value.get<std::string>();
      if (value.is_object() && depth > 0) record.objects_[name] = Read(value, depth - 1);
      if (!value.is_array()) continue;
      if (auto list = ReadList(value); list.has_value()) record.lists_[name] = *std::move(list);
    }
    return record;
  }
};

StatusOr<RunLogRecord> ParseRunLogLine(std::string_view line) {
  const json object = ParseJson<json>(line);
  if (!object.is_object()) return DataLoss("'{}' is not a JSON object", line.substr(0, 80));
  return RunLogReader::Read(object, /*depth=*/2);
}

Status ForEachRunLogRecord(const fs::path& path,
                           const std::function<void(const RunLogRecord&)>& use) {
  GORILA_ASSIGN_OR_RETURN(const OpenFile file, OpenForReading(path));
  LineReader lines(path, use);
  std::vector<char> buffer(std::size_t{1} << 16);
  while (true) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    lines.Take(std::string_view(buffer.data(), count));
    if (count == buffer.size()) continue;
    if (std::ferror(file.get()) == 0) return lines.Damage();
    return Unavailable("cannot read run log '{}': {}", path.string(), std::strerror(errno));
  }
}

}  // namespace gorila
