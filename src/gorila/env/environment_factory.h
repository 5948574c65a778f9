// Makes environments of one kind.
#ifndef GORILA_ENV_ENVIRONMENT_FACTORY_H_
#define GORILA_ENV_ENVIRONMENT_FACTORY_H_

#include <memory>

#include "gorila/env/environment.h"

namespace gorila {

// Its environments may share worker processes, so all of them are used by one thread at a time; a
// worker whose environment was destroyed serves the next one. They may outlive the factory.
class EnvironmentFactory {
 public:
  virtual ~EnvironmentFactory() = default;

  virtual StatusOr<std::unique_ptr<Environment>> Make(std::unique_ptr<DrawSource> draws) = 0;
};

}  // namespace gorila

#endif  // GORILA_ENV_ENVIRONMENT_FACTORY_H_
