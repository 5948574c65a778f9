// metrics.jsonl: one JSON object a line, written so that a run killed at any instant leaves a log
// that can be read and gone on with.
#ifndef GORILA_METRICS_RUN_LOG_H_
#define GORILA_METRICS_RUN_LOG_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "gorila/base/append_file.h"
#include "gorila/base/status.h"

namespace gorila {

struct RunLogObject;

// One value of a line: a bool, an integer of 64 bits or fewer, a float, a double, a text, a list of
// doubles or an object (the last three are not copied: they must outlive the call they are given
// to).
class RunLogValue {
 public:
  RunLogValue(bool value) : value_(value) {}                                     // NOLINT
  RunLogValue(float value) : value_(value) {}                                    // NOLINT
  RunLogValue(double value) : value_(value) {}                                   // NOLINT
  RunLogValue(std::string_view value) : value_(value) {}                         // NOLINT
  RunLogValue(const std::string& value) : value_(std::string_view(value)) {}     // NOLINT
  RunLogValue(const char* value) : value_(std::string_view(value)) {}            // NOLINT
  RunLogValue(std::span<const double> values) : value_(values) {}                // NOLINT
  RunLogValue(const std::vector<double>& values) : value_(std::span(values)) {}  // NOLINT
  RunLogValue(const RunLogObject& object) : value_(&object) {}                   // NOLINT
  RunLogValue(RunLogObject&& object) = delete;                                   // NOLINT
  template <std::signed_integral T>
  RunLogValue(T value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) RunLogValue(T value)  // NOLINT
      : value_(static_cast<std::uint64_t>(value)) {}

  // As JSON: integers exact, floating-point numbers by the shortest digits that read back to the
  // same value, NaN and infinities as null, bytes that are not UTF-8 as U+FFFD.
  void AppendJson(std::string& line) const;

  // The value of a number, a bool as 0 or 1; nullopt for anything else.
  std::optional<double> Number() const;

 private:
  std::variant<bool, std::int64_t, std::uint64_t, float, double, std::string_view,
               std::span<const double>, const RunLogObject*>
      value_;
};

struct RunLogField {
  std::string_view name;
  RunLogValue value;
};

struct RunLogObject {
  std::vector<RunLogField> fields = {};  // names must differ
};

// Appends lines to a log. Every line reaches the operating system before Append returns, so a
// killed process loses none and a power cut only those after the last Sync. While the disk fails,
// lines wait in memory (file() says so). Not thread-safe.
class RunLog {
 public:
  // Creates the file when there is none. `keep_bytes`, the length that a checkpoint recorded, cuts
  // off what was logged after it (0 starts anew); DataLoss when the file is shorter or no line ends
  // there. Without it only a half-written last line is cut off.
  static StatusOr<RunLog> Open(const std::filesystem::path& path,
                               std::optional<std::uint64_t> keep_bytes = std::nullopt);

  // Writes {"name":value,...} with the fields in the order given; names must differ. Blocks on the
  // disk. OK too when the line has to wait, so that a full disk does not end a run.
  Status Append(std::span<const RunLogField> fields);
  Status Append(std::initializer_list<RunLogField> fields) {
    return Append(std::span<const RunLogField>(fields.begin(), fields.size()));
  }

  // Writes lines that wait and makes all survive a power cut; a checkpoint calls it before it
  // records bytes().
  Status Sync() { return file_.Sync(); }

  // Length of the file: whole lines only.
  std::uint64_t bytes() const { return file_.bytes(); }

  AppendFile& file() { return file_; }

 private:
  explicit RunLog(AppendFile file) : file_(std::move(file)) {}

  AppendFile file_;
};

// One line of a log that was read.
class RunLogRecord {
 public:
  // The number called `name`: null is NaN, a bool 0 or 1; nullopt when there is none.
  std::optional<double> Number(std::string_view name) const;
  // The text called `name`; valid as long as the record.
  std::optional<std::string_view> Text(std::string_view name) const;
  // The list called `name`, null as NaN; empty when there is none. Valid as long as the record.
  std::span<const double> Numbers(std::string_view name) const;
  // The object called `name`, its objects included; null when there is none. Valid as long as the
  // record.
  const RunLogRecord* Object(std::string_view name) const;
  // All objects by their names.
  const std::map<std::string, RunLogRecord, std::less<>>& objects() const { return objects_; }
  // All numbers by their names.
  const std::map<std::string, double, std::less<>>& numbers() const { return numbers_; }
  // All texts by their names.
  const std::map<std::string, std::string, std::less<>>& texts() const { return texts_; }

 private:
  friend struct RunLogReader;
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::string, std::vector<double>, std::less<>> lists_;
  std::map<std::string, RunLogRecord, std::less<>> objects_;
};

// A longer line cannot be a record of any run.
inline constexpr std::size_t kMostLogLineBytes = std::size_t{16} << 20;

// One line without its end. Objects in the objects of its objects, and arrays of anything but
// numbers, are skipped. DataLoss when it is not a JSON object.
StatusOr<RunLogRecord> ParseRunLogLine(std::string_view line);

// Calls `use` for every whole line that is a record, oldest first, holding one of them at a time; a
// last one without its line end (a run was killed, or writes it now) is left out. Damaged lines are
// passed over; in the end DataLoss names the first one and says how many there are. NotFound
// without a file, InvalidArgument for something else than a regular file, Unavailable when reading
// fails midway.
Status ForEachRunLogRecord(const std::filesystem::path& path,
                           const std::function<void(const RunLogRecord&)>& use);

}  // namespace gorila

#endif  // GORILA_METRICS_RUN_LOG_H_
