// A verb of the program: `gorila train`, `gorila evaluate`, ... One file each; main_program.cc
// lists them.
#ifndef GORILA_CLI_VERB_H_
#define GORILA_CLI_VERB_H_

#include <functional>
#include <string>

#include "gorila/base/status.h"
#include "gorila/cli/exit_status.h"

namespace CLI {
class App;
}

namespace gorila::cli {

// How the program was called.
struct Invocation {
  std::string command;  // as it was typed, quoted for a shell where needed
};

struct Verb {
  CLI::App* app;
  // Does the work, once CLI11 has read the options, and gives the exit status; an error is printed
  // and becomes ExitStatusOf() it.
  std::function<StatusOr<int>(const Invocation&)> run;
};

// Each adds one verb to the program's command line.
Verb AddTrainVerb(CLI::App& gorila);
Verb AddResumeVerb(CLI::App& gorila);
Verb AddEvaluateVerb(CLI::App& gorila);
Verb AddPlayVerb(CLI::App& gorila);
Verb AddDashboardVerb(CLI::App& gorila);
Verb AddReportVerb(CLI::App& gorila);
Verb AddRunsVerb(CLI::App& gorila);
Verb AddLabelVerb(CLI::App& gorila);
Verb AddExportVerb(CLI::App& gorila);
Verb AddScoresVerb(CLI::App& gorila);
Verb AddSuiteVerb(CLI::App& gorila);
Verb AddSweepVerb(CLI::App& gorila);
Verb AddEnvsVerb(CLI::App& gorila);
Verb AddAlgorithmsVerb(CLI::App& gorila);
Verb AddDoctorVerb(CLI::App& gorila);
Verb AddConfigVerb(CLI::App& gorila);
Verb AddBenchmarkVerb(CLI::App& gorila);
Verb AddLaunchVerb(CLI::App& gorila);
Verb AddStatusVerb(CLI::App& gorila);
Verb AddParameterServerVerb(CLI::App& gorila);
Verb AddBundleVerb(CLI::App& gorila);
Verb AddMemberVerb(CLI::App& gorila);
Verb AddReplayVerb(CLI::App& gorila);
Verb AddActorVerb(CLI::App& gorila);
Verb AddLearnerVerb(CLI::App& gorila);
Verb AddCoordinatorVerb(CLI::App& gorila);
Verb AddCertsVerb(CLI::App& gorila);
Verb AddPlanVerb(CLI::App& gorila);
Verb AddSimulateVerb(CLI::App& gorila);
Verb AddHelpVerb(CLI::App& gorila);

}  // namespace gorila::cli

#endif  // GORILA_CLI_VERB_H_
