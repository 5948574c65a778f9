#include "gorila/env/minatar/game.h"

#include "gorila/env/state_fields.h"

namespace gorila::minatar {

void Game::Reset(DrawSource& draws) {
  Start(draws);
  over_ = false;
}

Outcome Game::Act(int action, DrawSource& draws) {
  GORILA_CHECK(action >= 0 && action < kNumActions, "action {}", action);
  if (over_) return {.reward = 0, .terminal = true};
  const Outcome outcome = Play(action, draws);
  over_ = outcome.terminal;
  return outcome;
}

void Game::SaveState(StateWriter& writer) const {
  writer.Write<std::uint8_t>(over_ ? 1 : 0);
  SaveFields(writer);
}

Status Game::RestoreState(StateReader& reader) {
  std::uint8_t over = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(over));
  GORILA_RETURN_IF_ERROR(CheckFields({{"over", over, 0, 1}}));
  GORILA_RETURN_IF_ERROR(RestoreFields(reader, over == 1));
  over_ = over == 1;
  return OkStatus();
}

}  // namespace gorila::minatar
