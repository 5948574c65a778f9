// Fair shares of minibatches for several games at once, by a selector for each.
#ifndef GORILA_REPLAY_GAME_SELECTOR_H_
#define GORILA_REPLAY_GAME_SELECTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "gorila/replay/selector.h"

namespace gorila {

// Gives the games their draws in turn, from one minibatch to the next: within a minibatch their
// counts differ by at most one, and in the long run by none, whatever the number of their ids or
// the scale of their priorities. A game without an id is passed over, so that it leaves its share
// to the others. Within a game its own selector draws, which must draw with replacement; the
// largest priority so far, which new ids get, is the game's own, too. Not thread-safe.
//
// A draw's probability is that within its game times the game's part of all ids: as if the game had
// that part of the draws. So importance weights correct what a game's selector prefers, and leave
// the equal shares of the games, which are wanted; uniform draws all weigh the same.
class GameSelector final : public Selector {
 public:
  static constexpr int kMaxGames = 0xffff;
  static constexpr std::int64_t kBytesPerId = sizeof(std::uint16_t);  // besides the selectors'

  GameSelector(const SelectorRow& row, const SelectorOptions& options, int games,
               std::size_t max_ids);

  void Insert(std::uint32_t id) override { InsertOfGame(0, id); }
  void InsertOfGame(int game, std::uint32_t id) override;
  int GameOf(std::uint32_t id) const override { return games_of_[id]; }
  void Remove(std::uint32_t id) override;
  void Update(std::uint32_t id, double priority) override;
  bool Contains(std::uint32_t id) const override { return games_of_[id] != kAbsent; }
  double Priority(std::uint32_t id) const override;
  std::size_t size() const override;
  double LargestPriority(int game) const override;
  void RaiseLargestPriority(int game, double priority) override;
  double mass() const override;
  void Sample(RandomStream& random, std::span<Drawn> drawn) override;
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;
  void CheckInvariants() const override;

 private:
  static constexpr std::uint16_t kAbsent = 0xffff;

  std::vector<std::unique_ptr<Selector>> MakeAll() const;
  Selector& Of(std::uint32_t id);
  std::size_t TakeTurn();

  const SelectorRow& row_;
  const SelectorOptions options_;
  const std::size_t games_;
  std::vector<std::uint16_t> games_of_;  // of each id, or kAbsent
  std::vector<std::unique_ptr<Selector>> selectors_;
  std::size_t turn_ = 0;  // the game that draws next, if it can
};

}  // namespace gorila

#endif  // GORILA_REPLAY_GAME_SELECTOR_H_
