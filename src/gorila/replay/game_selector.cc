#include "gorila/replay/game_selector.h"

#include <utility>

namespace gorila {

GameSelector::GameSelector(const SelectorRow& row, const SelectorOptions& options, int games,
                           std::size_t max_ids)
    : row_(row),
      options_(options),
      games_(static_cast<std::size_t>(games)),
      games_of_(max_ids, kAbsent) {
  GORILA_CHECK(games >= 1 && games < kMaxGames, "{} games", games);
  selectors_ = MakeAll();
  GORILA_CHECK(!selectors_.front()->draws_once(), "{}", row.name);
}

std::vector<std::unique_ptr<Selector>> GameSelector::MakeAll() const {
  std::vector<std::unique_ptr<Selector>> selectors(games_);
  for (auto& selector : selectors) selector = row_.make(options_, games_of_.size());
  return selectors;
}

Selector& GameSelector::Of(std::uint32_t id) {
  GORILA_CHECK(Contains(id), "id {}", id);
  return *selectors_[games_of_[id]];
}

void GameSelector::InsertOfGame(int game, std::uint32_t id) {
  GORILA_CHECK(!Contains(id), "id {}", id);
  GORILA_CHECK(game >= 0 && static_cast<std::size_t>(game) < games_, "game {}", game);
  selectors_[static_cast<std::size_t>(game)]->Insert(id);
  games_of_[id] = static_cast<std::uint16_t>(game);
}

void GameSelector::Remove(std::uint32_t id) {
  Of(id).Remove(id);
  games_of_[id] = kAbsent;
}

void GameSelector::Update(std::uint32_t id, double priority) { Of(id).Update(id, priority); }

double GameSelector::Priority(std::uint32_t id) const {
  return Contains(id) ? selectors_[games_of_[id]]->Priority(id) : 0;
}

std::size_t GameSelector::size() const {
  std::size_t size = 0;
  for (const auto& selector : selectors_) size += selector->size();
  return size;
}

double GameSelector::LargestPriority(int game) const {
  return selectors_[static_cast<std::size_t>(game)]->LargestPriority(0);
}

void GameSelector::RaiseLargestPriority(int game, double priority) {
  selectors_[static_cast<std::size_t>(game)]->RaiseLargestPriority(0, priority);
}

double GameSelector::mass() const {
  double mass = 0;
  for (const auto& selector : selectors_) mass += selector->mass();
  return mass;
}

// The game of the next draw.
std::size_t GameSelector::TakeTurn() {
  while (selectors_[turn_]->size() == 0) turn_ = (turn_ + 1) % games_;
  return std::exchange(turn_, (turn_ + 1) % games_);
}

void GameSelector::Sample(RandomStream& random, std::span<Drawn> drawn) {
  const auto all = static_cast<double>(size());
  GORILA_CHECK(all > 0, "nothing to draw");
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Selector& selector = *selectors_[TakeTurn()];
    selector.Sample(random, drawn.subspan(i, 1));
    drawn[i].probability *= static_cast<double>(selector.size()) / all;
  }
}

void GameSelector::SaveState(StateWriter& writer) const {
  writer.Write<std::uint64_t>(turn_);
  for (const auto& selector : selectors_) selector->SaveState(writer);
}

Status GameSelector::RestoreState(StateReader& reader) {
  std::uint64_t turn = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(turn));
  if (turn >= games_) {
    return DataLoss("replay selector: the turn of game {}, expected 0..{}", turn, games_ - 1);
  }
  std::vector<std::unique_ptr<Selector>> selectors = MakeAll();
  std::vector<std::uint16_t> games_of(games_of_.size(), kAbsent);
  for (std::size_t game = 0; game < games_; ++game) {
    GORILA_RETURN_IF_ERROR(selectors[game]->RestoreState(reader));
    for (std::uint32_t id = 0; id < games_of.size(); ++id) {
      if (!selectors[game]->Contains(id)) continue;
      if (games_of[id] != kAbsent) {
        return DataLoss("replay selector: id {} belongs to games {} and {}", id, games_of[id],
                        game);
      }
      games_of[id] = static_cast<std::uint16_t>(game);
    }
  }
  turn_ = turn;
  selectors_ = std::move(selectors);
  games_of_ = std::move(games_of);
  return OkStatus();
}

void GameSelector::CheckInvariants() const {
  for (std::size_t game = 0; game < games_; ++game) {
    selectors_[game]->CheckInvariants();
    for (std::uint32_t id = 0; id < games_of_.size(); ++id) {
      GORILA_CHECK(selectors_[game]->Contains(id) == (games_of_[id] == game), "id {}", id);
    }
  }
}

}  // namespace gorila
