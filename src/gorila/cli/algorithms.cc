#include <fmt/format.h>

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/cli/command.h"
#include "gorila/cli/table_text.h"
#include "gorila/cli/verb.h"
#include "gorila/network/q_network.h"

namespace gorila::cli {
namespace {

StatusOr<int> ListAlgorithms() {
  std::vector<std::vector<std::string>> rows = {{"NAME", "PAPER", "NEEDS", "SUMMARY"}};
  for (const AlgorithmRow& row : AlgorithmTable()) {
    rows.push_back({std::string(row.name), std::string(row.paper), std::string(row.needs),
                    std::string(row.summary)});
  }
  PrintTable(rows);
  std::vector<std::string_view> backends;
  for (const QNetworkBackend& backend : QNetworkBackends()) backends.push_back(backend.name);
  fmt::print("\nEvery backend computes all of them: {}.\n", fmt::join(backends, ", "));
  return kSuccess;
}

constexpr CommandText kAlgorithmsText = {
    .name = "algorithms",
    .summary = "List the algorithms",
    .details =
        R"(Lists what learner.algorithm may be: name, paper, what it needs of the network and of replay, and
what it does. docs/algorithm.md says which options go together.
)",
    .examples = R"(gorila algorithms
gorila train --set learner.algorithm=c51 --set network.dueling=true
)"};

}  // namespace

Verb AddAlgorithmsVerb(CLI::App& gorila) {
  return {AddCommand(gorila, kAlgorithmsText), [](const Invocation&) { return ListAlgorithms(); }};
}

}  // namespace gorila::cli
