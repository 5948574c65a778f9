// The replay seam: actors insert, learners sample.
#ifndef GORILA_REPLAY_REPLAY_H_
#define GORILA_REPLAY_REPLAY_H_

#include <cstdint>
#include <span>

#include "gorila/base/status.h"
#include "gorila/replay/transition.h"

namespace gorila {

struct ReplaySize {
  std::int64_t transitions = 0;  // complete ones, which can be sampled
  std::int64_t rows = 0;         // time steps stored
  std::int64_t capacity = 0;     // time steps at most
};

// Implementations say which threads may call.
class Replay {
 public:
  virtual ~Replay() = default;

  // Appends the next time step of stream `stream` (0 .. streams-1). Rows of an episode come in
  // order, from its kFirst to its kLast; the next row after kLast is a kFirst. The oldest rows make
  // room.
  virtual Status Insert(int stream, const ReplayRow& row) = 0;

  // Whether the rate limiter lets a learner sample now. Does not block.
  virtual bool CanSample() const = 0;

  // Fills `batch` with `size` transitions, drawn with replacement. FailedPrecondition when
  // CanSample() is false; a replay that others insert into meanwhile waits for them instead, up to
  // its own deadline (DeadlineExceeded, saying what it waited for).
  virtual Status Sample(int size, TransitionBatch& batch) = 0;

  // Tells the absolute TD errors (finite) of the transitions of a minibatch that was sampled; a
  // prioritized selector draws by them. Those that have been dropped since are passed over.
  // InvalidArgument for an error that is not finite or below 0; then nothing changes.
  virtual Status UpdatePriorities(const TransitionBatch& sampled,
                                  std::span<const float> td_errors) = 0;

  virtual ReplaySize Size() const = 0;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_REPLAY_H_
