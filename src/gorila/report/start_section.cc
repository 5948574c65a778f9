#include "gorila/report/start_section.h"

#include <algorithm>
#include <cmath>

#include "gorila/base/xml.h"
#include "gorila/metrics/number_format.h"

namespace gorila {
namespace {

// Exact: a reader looks for it in the log.
std::string Frames(std::int64_t frames) {
  std::string digits = std::to_string(frames);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

// "2026-11-30 02:10:00" of "2026-11-30T02:10:00Z".
std::string Time(std::string time) {
  if (time.ends_with('Z')) time.pop_back();
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time.empty() ? "–" : EscapeXml(time);
}

std::string Code(const std::string& text) {
  return fmt::format("<code>{}</code>", EscapeXml(text));
}

std::string OrDash(const std::string& text) { return text.empty() ? "–" : EscapeXml(text); }

// With one machine and one version throughout, the rest of the report names them.
ReportTable Commands(std::span<const RunStart> starts) {
  const bool same = std::all_of(starts.begin(), starts.end(), [&](const RunStart& start) {
    return start.machine == starts.front().machine && start.version == starts.front().version;
  });
  ReportTable table{{"started (UTC)", "at frame", "after", "command"}};
  if (!same) table.headings.insert(table.headings.end(), {"version", "machine"});
  for (const RunStart& start : starts) {
    std::vector<std::string> row = {
        Time(start.time), Frames(start.frames),
        std::isfinite(start.seconds) ? FormatDuration(start.seconds) : "–", Code(start.command)};
    if (!same) row.insert(row.end(), {OrDash(start.version), OrDash(start.machine)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable Changes(std::span<const RunStart> starts) {
  ReportTable table{{"setting", "at frame", "before", "after"}};
  for (const RunStart& start : starts) {
    for (const ChangedSetting& change : start.changes) {
      table.rows.push_back(
          {Code(change.key), Frames(start.frames), Code(change.before), Code(change.after)});
    }
  }
  return table;
}

std::string Starts(ReportMarkup& markup, const RunSummary& run) {
  const std::vector<RunStart>& starts = run.starts.starts;
  if (starts.empty()) {
    if (run.command.empty()) return "";
    return markup.Paragraph(fmt::format("The command that finished it: {}", Code(run.command))) +
           markup.Paragraph("The version that made the run recorded no other commands.");
  }
  std::string text = markup.Table(Commands(starts));
  if (run.starts.left_out > 0) {
    text += markup.Paragraph(
        fmt::format("{} earlier commands are in starts.jsonl.", run.starts.left_out));
  } else if (starts.front().frames > 0) {
    text += markup.Paragraph(
        fmt::format("An older version, which recorded no commands, trained the first {} frames.",
                    Frames(starts.front().frames)));
  }
  const ReportTable changes = Changes(starts);
  if (!changes.rows.empty()) {
    text += markup.SubHeading("Settings that were changed") + markup.Table(changes);
  } else if (starts.size() > 1) {
    text += markup.Paragraph("All trained with the same settings.");
  }
  return text;
}

bool WasResumed(const RunSummary& run) {
  const std::vector<RunStart>& starts = run.starts.starts;
  return starts.size() > 1 || (starts.size() == 1 && starts.front().frames > 0);
}

}  // namespace

std::string StartSection(ReportMarkup& markup, std::span<const RunSummary> runs) {
  if (runs.size() == 1) {
    const std::string text = Starts(markup, runs.front());
    return text.empty() ? "" : markup.Section("Commands", text);
  }
  std::string text;
  for (const RunSummary& run : runs) {
    if (!WasResumed(run)) continue;
    text += markup.SubHeading(fmt::format("{} <small>{}</small>", EscapeXml(run.label),
                                          EscapeXml(run.directory.string()))) +
            Starts(markup, run);
  }
  return text.empty() ? "" : markup.Section("Resumed runs", text);
}

}  // namespace gorila
