#include "gorila/cli/main_program.h"
#include "gorila/cli/standard_files.h"

int main(int argc, char** argv) {
  gorila::cli::PrepareStandardFiles();
  return gorila::cli::RunProgram(argc, argv);
}
