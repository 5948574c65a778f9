#include "gorila/report/report_files.h"

#include <cmath>
#include <string_view>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/metrics/number_format.h"

namespace gorila {
namespace {

using nlohmann::ordered_json;

// `text` as the contents of a table's cell or a paragraph, where it must not become markup.
std::string EscapeMarkdown(const std::string& text) {
  constexpr std::string_view kMarkup = "\\`*_[]<>|#&";
  std::string escaped;
  for (const char c : text) {
    if (kMarkup.find(c) != kMarkup.npos) escaped += '\\';
    escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

// In a fence longer than any run of backticks in `text`.
std::string CodeBlock(const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != text.npos) fence += '`';
  return fmt::format("{0}\n{1}\n{0}\n", fence, text);
}

// "<...>" allows spaces; what would end it is percent-encoded.
std::string LinkTarget(const std::string& path) {
  std::string target = "<";
  for (const char c : path) {
    if (c == '<' || c == '>' || c == '\n' || c == '\r' || c == '%' || c == '\\') {
      target += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      target += c;
    }
  }
  return target + ">";
}

std::string GroupThousands(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string MeanWithError(const EvaluationReport& evaluation) {
  std::string mean = FormatDecimal(evaluation.mean, 2);
  if (!std::isfinite(evaluation.standard_error)) return mean;
  return fmt::format("{} ± {:.2f}", mean, evaluation.standard_error);
}

std::string SummaryTable(const RunReport& report) {
  std::string table = "| | |\n|---|---|\n";
  const auto row = [&table](const char* name, const std::string& value) {
    table += fmt::format("| {} | {} |\n", name, value);
  };
  row("Environment", EscapeMarkdown(report.environment));
  row("Seed", fmt::format("{}", report.seed));
  row("Version", EscapeMarkdown(report.version));
  row("Machine", EscapeMarkdown(report.machine));
  row("Wall time", FormatDuration(report.wall_seconds));
  row("Core hours", FormatDecimal(report.cpu_seconds / 3600, 3));
  row("Energy", std::isfinite(report.joules)
                    ? fmt::format("{} J, all processors of the machine", FormatRate(report.joules))
                    : "not measured: no energy counters (RAPL) that can be read");
  row("Environment frames", fmt::format("{} ({} per second)", GroupThousands(report.frames),
                                        FormatRate(report.frames_per_second)));
  row("Parameter updates", fmt::format("{} ({} per second)", GroupThousands(report.updates),
                                       FormatRate(report.updates_per_second)));
  return table;
}

std::string EvaluationTable(const RunReport& report) {
  std::string table =
      "| Network | Protocol | Episodes | Mean ± standard error | Median | Minimum | Maximum | "
      "Sticky "
      "actions | Epsilon |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const EvaluationReport& evaluation : report.evaluations) {
    table += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", EscapeMarkdown(evaluation.network),
        EscapeMarkdown(evaluation.protocol), evaluation.episodes, MeanWithError(evaluation),
        FormatDecimal(evaluation.median, 2), FormatDecimal(evaluation.minimum, 2),
        FormatDecimal(evaluation.maximum, 2), evaluation.sticky_actions, evaluation.epsilon);
  }
  if (std::isfinite(report.training_return)) {
    table += fmt::format("\nTraining return in the end: {:.2f}.\n", report.training_return);
  }
  for (const std::string& warning : report.warnings) {
    table += fmt::format("\n**Warning:** {}\n", EscapeMarkdown(warning));
  }
  return table;
}

std::string TrainedGamesTable(const RunReport& report) {
  std::string table =
      "| Game | Frames | Episodes | Training return in the end | Highest training return | Last "
      "evaluation |\n|---|--:|--:|--:|--:|--:|\n";
  for (const ReportGame& game : report.games) {
    table += fmt::format(
        "| {} | {} | {} | {} | {} | {} |\n", EscapeMarkdown(game.name), GroupThousands(game.frames),
        GroupThousands(game.episodes), FormatDecimal(game.training_return, 2),
        FormatDecimal(game.highest_training_return, 2), FormatDecimal(game.evaluation, 2));
  }
  return table;
}

std::string CounterTable(const RunReport& report) {
  std::string table = "| Counter | Count |\n|---|--:|\n";
  for (const ReportCounter& counter : report.counters) {
    table +=
        fmt::format("| {} | {} |\n", EscapeMarkdown(counter.name), GroupThousands(counter.count));
  }
  return table;
}

std::string FileList(const RunReport& report) {
  std::string list;
  for (const ReportFile& file : report.files) {
    list += fmt::format("- {}: [{}]({})\n", EscapeMarkdown(file.what), EscapeMarkdown(file.path),
                        LinkTarget(file.path));
  }
  return list;
}

ordered_json EvaluationsJson(const RunReport& report) {
  ordered_json evaluations = ordered_json::array();
  for (const EvaluationReport& evaluation : report.evaluations) {
    evaluations.push_back({{"network", evaluation.network},
                           {"protocol", evaluation.protocol},
                           {"episodes", evaluation.episodes},
                           {"mean", evaluation.mean},
                           {"standard_error", evaluation.standard_error},
                           {"minimum", evaluation.minimum},
                           {"maximum", evaluation.maximum},
                           {"median", evaluation.median},
                           {"sticky_actions", evaluation.sticky_actions},
                           {"epsilon", evaluation.epsilon}});
  }
  return evaluations;
}

ordered_json GamesJson(const RunReport& report) {
  ordered_json games = ordered_json::object();
  for (const ReportGame& game : report.games) {
    games[game.name] = {{"frames", game.frames},
                        {"episodes", game.episodes},
                        {"training_return", game.training_return},
                        {"highest_training_return", game.highest_training_return},
                        {"evaluation", game.evaluation}};
  }
  return games;
}

}  // namespace

std::string RenderReportMarkdown(const RunReport& report) {
  std::string text = fmt::format("# Run on {}\n\n", EscapeMarkdown(report.environment));
  text += CodeBlock(report.command) + "\n" + SummaryTable(report);
  if (!report.evaluations.empty()) text += "\n## Evaluation\n\n" + EvaluationTable(report);
  if (!report.games.empty()) text += "\n## Games\n\n" + TrainedGamesTable(report);
  if (!report.curve_picture.empty()) {
    text += fmt::format("\n## Learning curve\n\n![Learning curve]({})\n",
                        LinkTarget(report.curve_picture));
  }
  if (!report.counters.empty()) text += "\n## Counters\n\n" + CounterTable(report);
  if (!report.files.empty()) text += "\n## Files\n\n" + FileList(report);
  return text;
}

std::string RenderReportJson(const RunReport& report) {
  ordered_json json = {{"command", report.command},
                       {"version", report.version},
                       {"seed", report.seed},
                       {"environment", report.environment},
                       {"machine", report.machine},
                       {"wall_seconds", report.wall_seconds},
                       {"cpu_seconds", report.cpu_seconds},
                       {"joules", report.joules},
                       {"frames", report.frames},
                       {"updates", report.updates},
                       {"frames_per_second", report.frames_per_second},
                       {"updates_per_second", report.updates_per_second},
                       {"evaluations", EvaluationsJson(report)},
                       {"training_return", report.training_return},
                       {"warnings", report.warnings},
                       {"counters", ordered_json::object()},
                       {"files", ordered_json::object()},
                       {"curve_picture", report.curve_picture}};
  for (const ReportCounter& counter : report.counters) {
    json["counters"][counter.name] = counter.count;
  }
  for (const ReportFile& file : report.files) json["files"][file.what] = file.path;
  if (!report.games.empty()) json["games"] = GamesJson(report);
  return DumpAnyJson(json, 2) + "\n";
}

Status WriteReport(const std::filesystem::path& folder, const RunReport& report) {
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(folder / "report.md", RenderReportMarkdown(report)));
  return WriteFileAtomically(folder / "report.json", RenderReportJson(report));
}

}  // namespace gorila
