#include "gorila/run/run_starts.h"

#include <cmath>
#include <ctime>
#include <deque>
#include <map>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/metrics/run_log.h"

namespace gorila {
namespace {

using Settings = std::map<std::string, std::string>;  // values as text, by key

std::string TextIn(const RunLogRecord& record, std::string_view name) {
  return std::string(record.Text(name).value_or(""));
}

template <typename Use>
void ForEachChange(const RunLogRecord& record, const Use& use) {
  const RunLogRecord* const changes = record.Object("changes");
  if (changes == nullptr) return;
  for (const auto& [key, values] : changes->objects()) use(key, values);
}

RunStart StartOfRecord(const RunLogRecord& record) {
  RunStart start{.time = TextIn(record, "time"),
                 .frames = static_cast<std::int64_t>(record.Number("frames").value_or(0)),
                 .seconds = record.Number("seconds").value_or(std::nan("")),
                 .command = TextIn(record, "command"),
                 .version = TextIn(record, "version"),
                 .machine = TextIn(record, "machine"),
                 .changes = {}};
  ForEachChange(record, [&start](const std::string& key, const RunLogRecord& values) {
    start.changes.push_back({key, TextIn(values, "before"), TextIn(values, "after")});
  });
  return start;
}

Settings SettingsOf(const Config& config) {
  Settings settings;
  for (const ConfigKey& key : ConfigKeys()) {
    settings.emplace(key.name, ValueText(key.field, config));
  }
  return settings;
}

// What the run was training with last, as its file says; empty where it does not. The first line
// has every setting, later ones what changed.
StatusOr<Settings> RecordedSettings(const std::filesystem::path& run) {
  Settings settings;
  const Status status = ForEachRunLogRecord(run / kStartsFile, [&](const RunLogRecord& record) {
    if (const RunLogRecord* const all = record.Object("settings"); all != nullptr) {
      for (const auto& [key, value] : all->texts()) settings[key] = value;
    }
    ForEachChange(record, [&](const std::string& key, const RunLogRecord& values) {
      settings[key] = TextIn(values, "after");
    });
  });
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  return settings;
}

// Passes over keys that the version of `before` did not have.
std::vector<ChangedSetting> Changes(const Settings& before, const Settings& now) {
  std::vector<ChangedSetting> changes;
  for (const auto& [key, value] : now) {
    const auto found = before.find(key);
    if (found != before.end() && found->second != value) {
      changes.push_back({key, found->second, value});
    }
  }
  return changes;
}

RunLogObject TextObject(const Settings& settings) {
  RunLogObject object;
  for (const auto& [key, value] : settings) object.fields.push_back({key, value});
  return object;
}

}  // namespace

std::string UtcText(std::time_t time) {
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string TimeNow() { return UtcText(std::time(nullptr)); }

Status AppendRunStart(const std::filesystem::path& run, RunStart start,
                      const StartSettings& settings) {
  const Settings now = SettingsOf(settings.now);
  GORILA_ASSIGN_OR_RETURN(const Settings recorded, RecordedSettings(run));
  start.changes = Changes(recorded.empty() ? SettingsOf(settings.before) : recorded, now);
  std::vector<RunLogObject> values;  // which the changes refer to
  values.reserve(start.changes.size());
  RunLogObject changes;
  for (const ChangedSetting& change : start.changes) {
    values.push_back({{{"before", change.before}, {"after", change.after}}});
    changes.fields.push_back({change.key, values.back()});
  }
  std::vector<RunLogField> fields = {{"time", start.time},       {"frames", start.frames},
                                     {"seconds", start.seconds}, {"command", start.command},
                                     {"version", start.version}, {"machine", start.machine},
                                     {"changes", changes}};
  const RunLogObject all = TextObject(now);
  if (recorded.empty()) fields.push_back({"settings", all});
  GORILA_ASSIGN_OR_RETURN(RunLog file, RunLog::Open(run / kStartsFile));
  GORILA_RETURN_IF_ERROR(file.Append(fields));
  return file.Sync();
}

StatusOr<RunStarts> ReadRunStarts(const std::filesystem::path& run) {
  std::deque<RunStart> newest;
  RunStarts read;
  const Status status = ForEachRunLogRecord(run / kStartsFile, [&](const RunLogRecord& record) {
    newest.push_back(StartOfRecord(record));
    if (newest.size() <= kMostStarts) return;
    newest.pop_front();
    ++read.left_out;
  });
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  read.starts.assign(std::make_move_iterator(newest.begin()),
                     std::make_move_iterator(newest.end()));
  return read;
}

}  // namespace gorila
