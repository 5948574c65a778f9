// Looks at a shared library before it is loaded: the loader's own words help nobody.
#ifndef GORILA_ENV_PLUGIN_LIBRARY_FILE_H_
#define GORILA_ENV_PLUGIN_LIBRARY_FILE_H_

#include <string>

#include "gorila/base/status.h"

namespace gorila {

// OK for a shared library (ELF) for this processor; otherwise one line that says what `path` is.
Status CheckLibraryFile(const std::string& path);

}  // namespace gorila

#endif  // GORILA_ENV_PLUGIN_LIBRARY_FILE_H_
