// What people, not programs, want to know of an environment that is not ours.
#ifndef GORILA_ENV_EXTERNAL_ENVIRONMENT_DETAILS_H_
#define GORILA_ENV_EXTERNAL_ENVIRONMENT_DETAILS_H_

#include <string>

namespace gorila {

struct EnvironmentDetails {
  std::string versions;  // "python 3.11.2, numpy 1.24.2"; empty where it does not say
  std::string dtype;     // of its observations before any conversion, "int64"; likewise
};

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_ENVIRONMENT_DETAILS_H_
