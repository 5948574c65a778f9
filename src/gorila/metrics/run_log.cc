#include "gorila/metrics/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
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

}  // namespace

void RunLogValue::AppendJson(std::string& line) const {
  const auto append = [&line](const auto& value) {
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, std::string_view>) {
      AppendString(line, value);
    } else if constexpr (std::is_same_v<T, std::span<const double>>) {
      AppendList(line, value);
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
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return Unavailable("cannot open run log '{}': {}", path.string(), std::strerror(errno));
  }
  RunLog log(AppendFile("run log", path, file, 0));
  GORILA_ASSIGN_OR_RETURN(const std::uint64_t kept, KeptBytes(path, file, keep_bytes));
  GORILA_RETURN_IF_ERROR(log.file_.Truncate(kept));
  return log;
}

Status RunLog::Append(std::span<const RunLogField> fields) {
  std::string line = "{";
  for (const RunLogField& field : fields) {
    if (line.size() > 1) line += ',';
    AppendString(line, field.name);
    line += ':';
    field.value.AppendJson(line);
  }
  file_.Append(line + "}\n");
  return OkStatus();
}

std::optional<double> RunLogRow::Number(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional<double>(found->second);
}

std::optional<std::string_view> RunLogRow::Text(std::string_view name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::span<const double> RunLogRow::Numbers(std::string_view name) const {
  const auto found = lists_.find(name);
  return found == lists_.end() ? std::span<const double>() : std::span(found->second);
}

StatusOr<RunLogRow> ParseRunLogLine(std::string_view line) {
  const json object = ParseJson<json>(line);
  if (!object.is_object()) return DataLoss("'{}' is not a JSON object", line.substr(0, 80));
  RunLogRow row;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) row.numbers_[name] = value.get<double>();
    if (value.is_boolean()) row.numbers_[name] = value.get<bool>() ? 1 : 0;
    if (value.is_null()) row.numbers_[name] = std::nan("");
    if (value.is_string()) row.texts_[name] = value.get<std::string>();
    if (!value.is_array()) continue;
    if (auto list = ReadList(value); list.has_value()) row.lists_[name] = *std::move(list);
  }
  return row;
}

StatusOr<std::vector<RunLogRow>> ReadRunLog(const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string contents, ReadFileOf(kRunLogFile, path));
  std::vector<RunLogRow> rows;
  std::string_view rest = contents;
  for (std::size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    StatusOr<RunLogRow> row = ParseRunLogLine(rest.substr(0, end));
    if (!row.ok()) {
      return Annotate(row.status(),
                      fmt::format("run log '{}' line {}", path.string(), rows.size() + 1));
    }
    rows.push_back(*std::move(row));
    rest.remove_prefix(end + 1);
  }
  return rows;
}

}  // namespace gorila
