#ifndef GORILA_CLI_MAIN_PROGRAM_H_
#define GORILA_CLI_MAIN_PROGRAM_H_

namespace gorila::cli {

// Runs the whole program and returns its exit status. Results go to stdout, progress and errors to
// stderr.
int RunProgram(int argc, char** argv);

}  // namespace gorila::cli

#endif  // GORILA_CLI_MAIN_PROGRAM_H_
