// Which transition is drawn next.
#ifndef GORILA_REPLAY_SELECTOR_H_
#define GORILA_REPLAY_SELECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/random.h"
#include "gorila/base/serialise.h"
#include "gorila/base/status.h"

namespace gorila {

struct SelectorOptions {
  std::string name = "uniform";    // a row of SelectorTable()
  double priority_exponent = 0.6;  // alpha: 0 = all alike, 1 = in proportion to the TD error
  // prioritized: whether a new transition's first priority is that of its TD error by the values
  // that came with its rows; else, and where they are not known, the largest ever given.
  bool initial_priorities = false;
  int minibatch = 32;  // queue: what a minibatch has
  // queue: the part of a minibatch that is drawn uniformly from what was drawn before and is still
  // kept; below 1.
  double replayed_share = 0;
};

// Whether it draws each transition once; then the rate limiter has no say.
inline bool DrawsOnce(const SelectorOptions& options) { return options.name == "queue"; }

// Of `count` drawn together from a queue: those that are drawn for the first time, and must be
// there; at least one.
std::size_t FreshOf(const SelectorOptions& options, std::size_t count);

// The priority of a transition whose TD error has this absolute value (Schaul et al. 2016,
// "proportional"): (error + 1e-6)^alpha, which is never 0. `error` is finite and not negative.
double PriorityOfError(const SelectorOptions& options, double error);

// InvalidArgument unless there is one error for each key, and each is finite and not negative.
Status CheckPriorityUpdate(std::span<const std::uint64_t> keys, std::span<const float> td_errors);

// A set of ids 0 .. max_ids-1 that are drawn at random. Not thread-safe: called under its owner's
// lock.
class Selector {
 public:
  struct Drawn {
    std::uint32_t id = 0;
    double probability = 0;  // with which each draw gave this id (several games: GameSelector)
  };

  virtual ~Selector() = default;

  // `id` must not be there. It gets the largest priority that any id was ever given (1 at first),
  // so that each is likely to be drawn at least once.
  virtual void Insert(std::uint32_t id) = 0;
  // Which of a run's games it belongs to, where games have shares of what is drawn (MakeSelector).
  virtual void InsertOfGame(int game, std::uint32_t id);
  virtual int GameOf(std::uint32_t id) const;  // must be there; 0 without shares
  virtual void Remove(std::uint32_t id) = 0;   // must be there
  // `id` must be there; `priority` is finite and above 0.
  virtual void Update(std::uint32_t id, double priority) = 0;
  virtual bool Contains(std::uint32_t id) const = 0;
  virtual double Priority(std::uint32_t id) const = 0;  // 0 when it is not there
  virtual std::size_t size() const = 0;
  // The priority that a new id of the game gets. What is restored id by id raises it to what it
  // was.
  virtual double LargestPriority(int game) const;
  virtual void RaiseLargestPriority(int game, double priority);
  // The sum of all priorities: with it several replays are drawn from as if they were one.
  // Of draws_once(): the number of those that are queued.
  virtual double mass() const = 0;

  // Whether ids wait in a queue, from which each is drawn once. Those that were drawn leave the
  // selector or, where some of a minibatch are drawn again, stay until they are removed.
  virtual bool draws_once() const { return false; }
  // Of draws_once(): those that were not drawn yet.
  virtual std::size_t queued() const { return size(); }
  virtual bool IsQueued(std::uint32_t id) const { return Contains(id); }
  // As if `id`, which is queued, had been drawn: when what was saved comes back. Only draws_once().
  virtual void MarkDrawn(std::uint32_t id);

  // Fills `drawn`, each draw with replacement unless draws_once(). Not when size() is 0, or
  // queued() less than FreshOf() them.
  virtual void Sample(RandomStream& random, std::span<Drawn> drawn) = 0;

  // Everything that later draws depend on. DataLoss for an impossible state; then the selector
  // keeps its own.
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;

  virtual void CheckInvariants() const = 0;
};

// Adding a selector: a class, a row, a test.
struct SelectorRow {
  std::string_view name;
  std::string_view summary;
  std::int64_t (*bytes_per_id)(const SelectorOptions& options);
  std::unique_ptr<Selector> (*make)(const SelectorOptions& options, std::size_t max_ids);
};
std::span<const SelectorRow> SelectorTable();
// InvalidArgument for an unknown name.
StatusOr<const SelectorRow*> FindSelector(std::string_view name);
// Of several games each gets the same share of what is drawn (GameSelector). A queue stays one:
// the environments of a run step together, so that games come to it in equal parts.
std::unique_ptr<Selector> MakeSelector(const SelectorRow& row, const SelectorOptions& options,
                                       int games, std::size_t max_ids);
// Of what MakeSelector makes; 0 for an unknown name.
std::int64_t SelectorBytesPerId(const SelectorOptions& options, int games = 1);

}  // namespace gorila

#endif  // GORILA_REPLAY_SELECTOR_H_
