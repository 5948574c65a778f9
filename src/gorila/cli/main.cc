#include "gorila/base/address_space.h"
#include "gorila/base/exhaustion.h"
#include "gorila/cli/main_program.h"
#include "gorila/cli/standard_files.h"

int main(int argc, char** argv) {
  gorila::cli::PrepareStandardFiles();
  gorila::SaveAddressSpace();
  gorila::EndProgramOnExhaustion();
  return gorila::cli::RunProgram(argc, argv);
}
