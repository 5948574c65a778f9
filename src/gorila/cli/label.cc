#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/label_flags.h"
#include "gorila/cli/verb.h"
#include "gorila/config/run_labels.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct LabelOptions {
  std::vector<fs::path> runs;
  LabelChange change;
};

// Before any run is changed. A tag to remove that no run has is a mistyped one.
Status CheckChange(const LabelOptions& options) {
  if (options.runs.size() > 1 && options.change.name.value_or("") != "") {
    return InvalidArgument("--name: {} runs cannot have one name; use --tag for what they share",
                           options.runs.size());
  }
  std::vector<std::string> tags;
  for (const fs::path& run : options.runs) {
    GORILA_RETURN_IF_ERROR(CheckIsRun(run));
    GORILA_ASSIGN_OR_RETURN(const RunLabels labels, ReadRunLabels(run));
    GORILA_RETURN_IF_ERROR(Annotate(CheckRunLabels(Changed(labels, options.change)), "label"));
    tags.insert(tags.end(), labels.tags.begin(), labels.tags.end());
  }
  for (const std::string& tag : options.change.remove_tags) {
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) continue;
    return InvalidArgument("--untag: no run here has the tag '{}'; 'gorila label RUN' shows them",
                           tag);
  }
  return OkStatus();
}

std::string Described(const RunLabels& labels) {
  std::vector<std::string> parts;
  if (!labels.name.empty()) parts.push_back(fmt::format("name '{}'", labels.name));
  if (!labels.tags.empty()) {
    parts.push_back(fmt::format("{} {}", labels.tags.size() == 1 ? "tag" : "tags",
                                fmt::join(labels.tags, ", ")));
  }
  if (!labels.note.empty()) parts.push_back(fmt::format("note '{}'", labels.note));
  return parts.empty() ? "no labels" : fmt::format("{}", fmt::join(parts, "; "));
}

StatusOr<int> Label(const LabelOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckChange(options));
  const LabelChange& change = options.change;
  const bool changes = change.name.has_value() || change.note.has_value() ||
                       !change.add_tags.empty() || !change.remove_tags.empty();
  for (const fs::path& run : options.runs) {
    GORILA_ASSIGN_OR_RETURN(const RunLabels labels,
                            changes ? ChangeRunLabels(run, change) : ReadRunLabels(run));
    fmt::print("{}: {}\n", run.string(), Described(labels));
  }
  return kSuccess;
}

constexpr CommandText kLabelText = {
    .name = "label",
    .summary = "Name runs, note something about them, tag them",
    .details =
        R"(Changes what 'gorila runs', reports and the dashboard show beside a run; training may be under way.
The labels are in labels.toml in the run's folder. They are not settings: a resumed run keeps them,
and they separate no groups in reports. Without a change the labels are printed. An empty --name or
--note removes it.
)",
    .examples = R"(gorila label runs/a --name "small network" --note "learning rate of the paper"
gorila label runs/a runs/b --tag baseline
gorila label runs/b --untag baseline --name ""
)"};

// Remembers an empty text, which removes the label.
void AddText(CLI::App& app, const char* flag, std::optional<std::string>& text, const char* type,
             const char* meaning) {
  app.add_option_function<std::string>(
         flag, [&text](const std::string& given) { text = given; }, meaning)
      ->type_name(type);
}

}  // namespace

Verb AddLabelVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kLabelText);
  const auto options = std::make_shared<LabelOptions>();
  app->add_option("RUN", options->runs, "Folders of runs")->required()->type_name("");
  AddText(*app, "--name", options->change.name, "NAME",
          "Name of the run in lists, reports and charts");
  AddText(*app, "--note", options->change.note, "TEXT", "A line about the run, for lists");
  AddTags(*app, "--tag", options->change.add_tags, "Add this tag; repeatable");
  AddTags(*app, "--untag", options->change.remove_tags, "Remove this tag; repeatable");
  return {app, [options](const Invocation&) { return Label(*options); }};
}

}  // namespace gorila::cli
