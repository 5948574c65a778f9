// --name, --note and --tag of the verbs that begin a run.
#ifndef GORILA_CLI_LABEL_FLAGS_H_
#define GORILA_CLI_LABEL_FLAGS_H_

#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/run_labels.h"

namespace CLI {
class App;
}

namespace gorila::cli {

// A flag that is given several times, with a value each.
void AddTags(CLI::App& app, const char* flag, std::vector<std::string>& tags, const char* meaning);

// The flags that give a run these labels.
std::vector<std::string> LabelArguments(const RunLabels& labels);

// Not copied while CLI11 refers to it.
class LabelFlags {
 public:
  void Add(CLI::App& app);
  // Of a verb that begins many runs.
  void AddForMany(CLI::App& app);

  // InvalidArgument for what cannot be a label.
  StatusOr<RunLabels> Labels() const;
  bool given() const { return labels_ != RunLabels(); }

 private:
  RunLabels labels_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_LABEL_FLAGS_H_
