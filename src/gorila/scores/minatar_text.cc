#include "gorila/scores/minatar_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gorila/base/csv.h"
#include "gorila/metrics/number_format.h"
#include "gorila/scores/text_grid.h"

namespace gorila {
namespace {

constexpr std::string_view kSeaquest = "minatar/seaquest";

std::string FramesText(const MinAtarRow& row) {
  const std::string from = FormatCount(static_cast<std::uint64_t>(row.least_frames));
  const std::string to = FormatCount(static_cast<std::uint64_t>(row.most_frames));
  return from == to ? from : from + "-" + to;
}

std::string IntervalText(const MinAtarRow& row) {
  if (!std::isfinite(row.half_interval)) return "-";
  return fmt::format("[{:.2f}, {:.2f}]", row.score - row.half_interval,
                     row.score + row.half_interval);
}

std::string NotesText(const MinAtarRow& row) {
  std::vector<std::string> notes = row.notes;
  if (!row.obstacles.empty()) {
    notes.insert(notes.begin(), fmt::format("not comparable: {}", fmt::join(row.obstacles, ", ")));
  }
  return fmt::format("{}", fmt::join(notes, "; "));
}

std::string AgentText(const MinAtarRow& row) { return row.ours ? "ours: " + row.agent : row.agent; }

// Published scores with the digits that they have.
std::string MeanText(const MinAtarRow& row) {
  return row.ours ? FormatDecimal(row.score, 2) : fmt::format("{}", row.score);
}

Grid SectionGrid(const MinAtarSection& section) {
  Grid grid{
      .rows = {{"agent", "frames", "runs", "mean", "95 % interval", "epsilon", "source", "notes"}},
      .numbers_from = 1,
      .numbers_to = 6};
  for (const MinAtarRow& row : section.rows) {
    grid.rows.push_back({AgentText(row), FramesText(row), row.runs.empty() ? "-" : row.runs,
                         MeanText(row), IntervalText(row),
                         std::isfinite(row.epsilon) ? fmt::format("{:.3g}", row.epsilon) : "-",
                         row.source, NotesText(row)});
  }
  return grid;
}

std::string SectionTitle(const MinAtarSection& section) {
  return fmt::format("{}, {}", section.game, MeasureTitle(section.measure));
}

// What the numbers mean, a sentence each.
std::vector<std::string> Meanings(std::span<const MinAtarSection> sections) {
  std::vector<std::string> texts = {
      "Training return: mean over the training episodes that ended in the last million frames, "
      "exploration included; epsilon is that of the end, the mean over actors.",
      "Evaluation: mean over separate episodes; it does not compare with a training return.",
      "95 % interval: Student's t over runs. Published: sticky actions 0.1, difficulty ramping."};
  const auto rows_with = [&](auto condition) {
    return std::any_of(sections.begin(), sections.end(), [&](const MinAtarSection& section) {
      return std::any_of(section.rows.begin(), section.rows.end(), condition);
    });
  };
  if (rows_with([](const MinAtarRow& row) { return !row.obstacles.empty(); })) {
    texts.emplace_back(
        "Not comparable: no published score was obtained in that way, so none is beside it.");
  }
  const bool seaquest = std::any_of(sections.begin(), sections.end(),
                                    [](const auto& one) { return one.game == kSeaquest; });
  if (seaquest) {
    texts.emplace_back(
        "Seaquest before its oxygen fix: the game of MinAtar up to 1.0.10, which differs a little "
        "from ours.");
  }
  return texts;
}

std::string NumberOrNothing(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

std::string CsvLine(const MinAtarSection& section, const MinAtarRow& row) {
  const bool interval = std::isfinite(row.half_interval);
  const Cells cells = {section.game,
                       std::string(MeasureName(section.measure)),
                       row.ours ? "ours" : "published",
                       CsvCell(row.agent),
                       row.obstacles.empty() ? "yes" : "no",
                       std::to_string(row.most_frames),
                       row.runs,
                       NumberOrNothing(row.score),
                       interval ? NumberOrNothing(row.score - row.half_interval) : "",
                       interval ? NumberOrNothing(row.score + row.half_interval) : "",
                       NumberOrNothing(row.epsilon),
                       CsvCell(row.source),
                       CsvCell(NotesText(row))};
  return fmt::format("{}\n", fmt::join(cells, ","));
}

}  // namespace

std::string MinAtarTableText(std::span<const MinAtarSection> sections) {
  std::string text;
  for (const std::string& meaning : Meanings(sections)) text += meaning + "\n";
  for (const MinAtarSection& section : sections) {
    text += fmt::format("\n{}\n\n{}", SectionTitle(section), PlainGrid(SectionGrid(section)));
  }
  return text;
}

std::string MinAtarTableMarkdown(std::span<const MinAtarSection> sections) {
  std::string text;
  for (const std::string& meaning : Meanings(sections)) text += "- " + meaning + "\n";
  for (const MinAtarSection& section : sections) {
    text += fmt::format("\n## {}\n\n{}", SectionTitle(section), MarkdownGrid(SectionGrid(section)));
  }
  return text;
}

std::string MinAtarTableCsv(std::span<const MinAtarSection> sections) {
  std::string text =
      "game,measure,whose,agent,comparable,frames,runs,mean,low,high,epsilon,source,notes\n";
  for (const MinAtarSection& section : sections) {
    for (const MinAtarRow& row : section.rows) text += CsvLine(section, row);
  }
  return text;
}

}  // namespace gorila
