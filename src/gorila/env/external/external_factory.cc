#include "gorila/env/external/external_factory.h"

#include "gorila/env/random_play.h"

namespace gorila {
namespace {

constexpr int kProbeSteps = 64;
constexpr std::uint64_t kSeed = 20150715;

}  // namespace

StatusOr<EnvironmentRecord> Probe(ExternalFactory& factory) {
  EnvironmentRecord record = factory.record();
  Digests alone;
  {
    GORILA_ASSIGN_OR_RETURN(RandomPlay play, RandomPlay::Make(factory, kSeed));
    GORILA_ASSIGN_OR_RETURN(alone, PlaySteps(play, kProbeSteps));
  }
  GORILA_ASSIGN_OR_RETURN(RandomPlay beside, RandomPlay::Make(factory, kSeed + 1));
  GORILA_ASSIGN_OR_RETURN(RandomPlay play, RandomPlay::Make(factory, kSeed));
  GORILA_ASSIGN_OR_RETURN(const Digests again, PlaySteps(play, kProbeSteps, &beside));
  record.repeats = record.repeats && again == alone;
  return record;
}

}  // namespace gorila
