// The next minibatch is sampled while a learner computes with this one.
#ifndef GORILA_REPLAY_PREFETCHING_REPLAY_H_
#define GORILA_REPLAY_PREFETCHING_REPLAY_H_

#include <atomic>
#include <memory_resource>
#include <span>
#include <thread>

#include "gorila/base/mutex.h"
#include "gorila/replay/replay.h"

namespace gorila {

// Another replay (of shards in other processes), sampled by a thread of its own, one minibatch
// ahead. So a minibatch does not know of what was inserted, or of the priorities that were told,
// while the one before was computed with; and one more is sampled than is used.
//
// One thread inserts and one samples, the same or different ones; the rest as the other replay's.
class PrefetchingReplay final : public Replay {
 public:
  // `replay` must outlive this and can be sampled from while other calls of it are under way.
  // Minibatches lie in `memory`; sampling into one that lies elsewhere costs a copy. `ending` is
  // set by the destructor, and must then end a Sample() of `replay` that waits.
  PrefetchingReplay(Replay& replay, std::pmr::memory_resource* memory, std::atomic<bool>& ending);
  ~PrefetchingReplay() override;
  PrefetchingReplay(const PrefetchingReplay&) = delete;
  PrefetchingReplay& operator=(const PrefetchingReplay&) = delete;

  Status Insert(int stream, const ReplayRow& row) override { return replay_.Insert(stream, row); }
  bool CanSample() const override { return replay_.CanSample(); }
  // Blocks until the minibatch that was begun in the last call is there: as long as the other
  // replay's call does, and with its error.
  Status Sample(int size, TransitionBatch& batch) override GORILA_EXCLUDES(mutex_);
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override {
    return replay_.UpdatePriorities(sampled, td_errors);
  }
  ReplaySize Size() const override { return replay_.Size(); }

 private:
  void Loop() GORILA_EXCLUDES(mutex_);
  void Begin(int size) GORILA_REQUIRES(mutex_);
  void WaitUntilSampled() GORILA_REQUIRES(mutex_);

  Replay& replay_;
  std::atomic<bool>& ending_;
  TransitionBatch next_;  // the thread's while there is a size_ and not sampled_, else Sample()'s

  Mutex mutex_;
  CondVar changed_;
  int size_ GORILA_GUARDED_BY(mutex_) = 0;  // of the minibatch that was begun; 0 = none
  bool sampled_ GORILA_GUARDED_BY(mutex_) = false;
  Status status_ GORILA_GUARDED_BY(mutex_);  // what became of it
  std::thread thread_;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_PREFETCHING_REPLAY_H_
