// Makes standard input, output and error safe to use.
#ifndef GORILA_CLI_STANDARD_FILES_H_
#define GORILA_CLI_STANDARD_FILES_H_

namespace gorila::cli {

// Call first of all. Opens descriptors 0 to 2 on /dev/null where the caller closed them, so that no
// file of the run gets their numbers and receives what is printed. Afterwards a write beyond the
// file size limit (ulimit -f) fails instead of ending the process.
void PrepareStandardFiles();

// Whether standard output or error is a pipe that nobody reads any more.
bool ReaderIsGone();

}  // namespace gorila::cli

#endif  // GORILA_CLI_STANDARD_FILES_H_
