// What a program may rely on about its standard input, output and error.
#ifndef GORILA_CLI_STANDARD_FILES_H_
#define GORILA_CLI_STANDARD_FILES_H_

namespace gorila::cli {

// Call first of all. Opens descriptors 0 to 2 on /dev/null where the caller closed them, so that
// no file of a run gets their numbers and takes what is printed. A file that reaches a limit of
// size (ulimit -f) is an error of its write from now on, not the end of the process.
void PrepareStandardFiles();

// Whether standard output or error is a pipe that nobody reads any more.
bool ReaderIsGone();

}  // namespace gorila::cli

#endif  // GORILA_CLI_STANDARD_FILES_H_
