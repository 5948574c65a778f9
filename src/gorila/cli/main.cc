#include "gorila/cli/main_program.h"

int main(int argc, char** argv) { return gorila::cli::RunProgram(argc, argv); }
