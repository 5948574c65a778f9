#include "gorila/env/episode.h"

#include <limits>
#include <string>

#include "gorila/env/state_fields.h"

namespace gorila {

TimeStep Episode::Begin() {
  steps_ = 0;
  running_ = true;
  return TimeStep{};
}

TimeStep Episode::Advance(float reward, bool terminal, bool cut_off) {
  GORILA_CHECK(running_, "Step without Reset");
  ++steps_;
  const bool at_limit = max_steps_ > 0 && steps_ >= max_steps_;
  running_ = !terminal && !at_limit && !cut_off;
  return {.step_type = running_ ? StepType::kMid : StepType::kLast,
          .reward = reward,
          .discount = terminal ? 0.0F : 1.0F};
}

void Episode::SaveState(StateWriter& writer) const {
  writer.Write(steps_);
  writer.Write<std::uint8_t>(running_ ? 1 : 0);
}

Status Episode::RestoreState(StateReader& reader) {
  std::int64_t steps = 0;
  std::uint8_t running = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(steps));
  GORILA_RETURN_IF_ERROR(reader.Read(running));
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"episode_steps", steps, 0, std::numeric_limits<std::int64_t>::max() / 2},
      {"episode_running", running, 0, 1},
  }));
  steps_ = steps;
  running_ = running == 1;
  return OkStatus();
}

void WriteEnvironmentName(StateWriter& writer, std::string_view name) { writer.WriteString(name); }

Status ReadEnvironmentName(StateReader& reader, std::string_view name) {
  std::string written;
  GORILA_RETURN_IF_ERROR(reader.ReadString(written));
  if (written == name) return OkStatus();
  return DataLoss("state was written by environment '{}', expected '{}'", written, name);
}

}  // namespace gorila
