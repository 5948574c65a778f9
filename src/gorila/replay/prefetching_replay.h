// The next minibatches are sampled while a learner computes with this one.
#ifndef GORILA_REPLAY_PREFETCHING_REPLAY_H_
#define GORILA_REPLAY_PREFETCHING_REPLAY_H_

#include <atomic>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"
#include "gorila/replay/replay.h"

namespace gorila {

struct PrefetchOptions {
  int minibatches = 1;  // sampled ahead, each by a separate thread; at least 1
  // Their memory; sampling into a batch in other memory costs a copy.
  std::pmr::memory_resource* memory = std::pmr::get_default_resource();
};

// Another replay (of shards in other processes), sampled ahead. So a minibatch does not know of
// what was inserted, or of the priorities that were told, while those before it were computed with;
// and a few more are sampled than are used.
//
// One thread inserts and one samples, the same or different ones; the rest as the other replay's.
class PrefetchingReplay final : public Replay {
 public:
  // `replay` must outlive this and can be sampled in several threads, while other calls of it are
  // under way. `ending` is set by the destructor, and must then end a Sample() of `replay` that
  // waits.
  PrefetchingReplay(Replay& replay, const PrefetchOptions& options, std::atomic<bool>& ending);
  ~PrefetchingReplay() override;
  PrefetchingReplay(const PrefetchingReplay&) = delete;
  PrefetchingReplay& operator=(const PrefetchingReplay&) = delete;

  Status Insert(int stream, const ReplayRow& row) override { return replay_.Insert(stream, row); }
  bool CanSample() const override { return replay_.CanSample(); }
  // Gives the minibatch that was there first, and begins another of this size in its place. Blocks
  // until there is one: as long as the other replay's call does, and with its error.
  Status Sample(int size, TransitionBatch& batch) override GORILA_EXCLUDES(mutex_);
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override {
    return replay_.UpdatePriorities(sampled, td_errors);
  }
  ReplaySize Size() const override { return replay_.Size(); }

 private:
  // One minibatch. `batch` is its thread's while kSampling, otherwise Sample()'s.
  struct Ahead {
    enum class State { kIdle, kWanted, kSampling, kThere };
    explicit Ahead(std::pmr::memory_resource* memory) : batch(memory) {}

    State state = State::kIdle;
    int size = 0;
    std::int64_t order = 0;  // of those that are there
    Status status;           // what became of it
    TransitionBatch batch;
  };

  void Loop(Ahead& ahead) GORILA_EXCLUDES(mutex_);
  void Begin(Ahead& ahead, int size) GORILA_REQUIRES(mutex_);
  Ahead* FirstOf(int size) GORILA_REQUIRES(mutex_);

  Replay& replay_;
  std::atomic<bool>& ending_;

  Mutex mutex_;
  CondVar changed_;
  std::vector<Ahead> aheads_ GORILA_GUARDED_BY(mutex_);  // the vector is constant
  Status failure_ GORILA_GUARDED_BY(mutex_);             // a thread could not be had
  std::int64_t sampled_ GORILA_GUARDED_BY(mutex_) = 0;
  std::vector<Thread> threads_;  // one each
};

}  // namespace gorila

#endif  // GORILA_REPLAY_PREFETCHING_REPLAY_H_
