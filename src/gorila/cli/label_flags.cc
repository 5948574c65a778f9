#include "gorila/cli/label_flags.h"

#include <CLI/App.hpp>

namespace gorila::cli {

void AddTags(CLI::App& app, const char* flag, std::vector<std::string>& tags, const char* meaning) {
  app.add_option(flag, tags, meaning)
      ->type_name("TAG")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

std::vector<std::string> LabelArguments(const RunLabels& labels) {
  // In one word each: a label may begin with a dash.
  std::vector<std::string> arguments;
  if (!labels.name.empty()) arguments.push_back("--name=" + labels.name);
  if (!labels.note.empty()) arguments.push_back("--note=" + labels.note);
  for (const std::string& tag : labels.tags) arguments.push_back("--tag=" + tag);
  return arguments;
}

void LabelFlags::Add(CLI::App& app) {
  app.add_option("--name", labels_.name, "Name of the run in lists, reports and charts")
      ->type_name("NAME");
  app.add_option("--note", labels_.note, "A line about the run, for lists")->type_name("TEXT");
  AddTags(app, "--tag", labels_.tags, "Tag of the run, to find it by; repeatable");
}

void LabelFlags::AddForMany(CLI::App& app) {
  app.add_option("--name", labels_.name,
                 "Begins the names of new runs in lists, reports and charts: NAME GAME ... SEED")
      ->type_name("NAME");
  app.add_option("--note", labels_.note, "A line about the new runs, for lists")->type_name("TEXT");
  AddTags(app, "--tag", labels_.tags, "Tag of the new runs, to find them by; repeatable");
}

StatusOr<RunLabels> LabelFlags::Labels() const {
  // A tag that is given twice is there once.
  RunLabels labels =
      Changed({}, {.name = labels_.name, .note = labels_.note, .add_tags = labels_.tags});
  GORILA_RETURN_IF_ERROR(CheckRunLabels(labels));
  return labels;
}

}  // namespace gorila::cli
