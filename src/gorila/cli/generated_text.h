// Verbs that write what is installed with the program; --help does not list them.
#ifndef GORILA_CLI_GENERATED_TEXT_H_
#define GORILA_CLI_GENERATED_TEXT_H_

#include "gorila/cli/verb.h"

namespace gorila::cli {

Verb AddCompletionsVerb(CLI::App& gorila);
Verb AddManualVerb(CLI::App& gorila);

}  // namespace gorila::cli

#endif  // GORILA_CLI_GENERATED_TEXT_H_
