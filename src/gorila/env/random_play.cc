#include "gorila/env/random_play.h"

#include <utility>

#include "gorila/base/file.h"
#include "gorila/env/registry.h"

namespace gorila {

RandomPlay::RandomPlay(std::unique_ptr<Environment> environment, const RandomStream& actions)
    : environment_(std::move(environment)),
      actions_(actions),
      observation_(environment_->spec().observation.frame_bytes()) {}

StatusOr<RandomPlay> RandomPlay::Make(EnvironmentFactory& factory, std::uint64_t seed) {
  GORILA_ASSIGN_OR_RETURN(auto environment, factory.Make(MakeRandomDraws(RandomStream(seed))));
  return RandomPlay(std::move(environment), RandomStream::Derive(seed, "actions"));
}

StatusOr<RandomPlay> RandomPlay::Copy(EnvironmentFactory& factory) const {
  StateWriter writer;
  environment_->SaveState(writer);
  GORILA_ASSIGN_OR_RETURN(auto environment, factory.Make(MakeRandomDraws(RandomStream(0))));
  StateReader reader(writer.bytes());
  GORILA_RETURN_IF_ERROR(environment->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Finish());
  RandomPlay copy(std::move(environment), actions_);
  copy.over_ = over_;
  return copy;
}

void RandomPlay::Submit() {
  if (over_) return;
  action_ = actions_.Integer(0, environment_->spec().num_actions());
  environment_->Submit(action_);
}

StatusOr<bool> RandomPlay::Finish() {
  const StatusOr<TimeStep> step =
      over_ ? environment_->Reset(observation_) : environment_->Step(action_, observation_);
  if (!step.ok()) {
    if (!IsEpisodeLost(step.status())) return step.status();
    over_ = true;
    return false;
  }
  now_ = *step;
  over_ = now_.last();
  return true;
}

std::uint32_t RandomPlay::Digest() const {
  StateWriter writer;
  writer.Write(now_);
  writer.WriteBytes(observation_);
  return Crc32(writer.bytes());
}

StatusOr<Digests> PlaySteps(RandomPlay& play, int steps, RandomPlay* beside) {
  Digests digests;
  digests.reserve(static_cast<std::size_t>(steps));
  for (int i = 0; i < steps; ++i) {
    if (beside != nullptr) GORILA_RETURN_IF_ERROR(beside->Step().status());
    GORILA_RETURN_IF_ERROR(play.Step().status());
    digests.push_back(play.Digest());
  }
  return digests;
}

}  // namespace gorila
