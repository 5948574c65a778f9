// Factories of environments that are not ours.
#ifndef GORILA_ENV_EXTERNAL_EXTERNAL_FACTORY_H_
#define GORILA_ENV_EXTERNAL_EXTERNAL_FACTORY_H_

#include "gorila/env/environment_factory.h"
#include "gorila/env/external/environment_details.h"
#include "gorila/env/external/environment_record.h"

namespace gorila {

class ExternalFactory : public EnvironmentFactory {
 public:
  // What its environments say of themselves; `repeats` is what they claim before Probe.
  virtual const EnvironmentRecord& record() const = 0;
  virtual EnvironmentDetails details() const { return {}; }
};

// The record, with whether the environments repeat themselves: plays some random actions twice from
// one seed, alone and beside another environment.
StatusOr<EnvironmentRecord> Probe(ExternalFactory& factory);

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_EXTERNAL_FACTORY_H_
