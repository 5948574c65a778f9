// Scores networks while training continues, one after another, in a thread of its own.
#ifndef GORILA_EVALUATION_EVALUATION_THREAD_H_
#define GORILA_EVALUATION_EVALUATION_THREAD_H_

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/evaluation/network_in_training.h"

namespace gorila {

struct ScoredNetwork {
  SharedNetwork network;
  EvaluationResult result;
  std::string film;  // an episode of it, an animated GIF
  int film_width = 0;
  int film_height = 0;
  std::string film_problem = {};  // why there is none, where one was wanted
};

// One other thread calls.
class EvaluationThread {
 public:
  // One network that is being scored and one that waits: what training may run ahead.
  static constexpr std::size_t kMostOffered = 2;

  // Scores a network; Cancelled once `cancelled` says so, which it asks often.
  using Work =
      std::function<StatusOr<ScoredNetwork>(SharedNetwork, const std::function<bool()>& cancelled)>;

  explicit EvaluationThread(Work work);
  ~EvaluationThread();  // cancels what is not done

  EvaluationThread(const EvaluationThread&) = delete;
  EvaluationThread& operator=(const EvaluationThread&) = delete;

  // Whether kMostOffered networks are not scored yet.
  bool Full() const GORILA_EXCLUDES(mutex_);
  // Will be scored after those before it. Never blocks, also when Full().
  void Offer(SharedNetwork network) GORILA_EXCLUDES(mutex_);
  // What was scored since the last call, in the order offered; or the first failure, from then on.
  StatusOr<std::vector<ScoredNetwork>> Take() GORILA_EXCLUDES(mutex_);
  // Networks whose scores were not taken yet, oldest first.
  std::vector<SharedNetwork> Untaken() const GORILA_EXCLUDES(mutex_);
  // Blocks until all that was offered is scored (true), something failed (true), or `deadline`.
  bool WaitUntilDone(std::chrono::steady_clock::time_point deadline) GORILA_EXCLUDES(mutex_);

 private:
  void Run();
  // Null when the thread is to end.
  SharedNetwork Next() GORILA_EXCLUDES(mutex_);
  void Done(StatusOr<ScoredNetwork> scored) GORILA_EXCLUDES(mutex_);
  bool Ending() const GORILA_EXCLUDES(mutex_);

  const Work work_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<SharedNetwork> offered_ GORILA_GUARDED_BY(mutex_);  // the first is being scored
  std::vector<ScoredNetwork> scored_ GORILA_GUARDED_BY(mutex_);
  Status failure_ GORILA_GUARDED_BY(mutex_);
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  Thread thread_;  // last: it uses the others
};

}  // namespace gorila

#endif  // GORILA_EVALUATION_EVALUATION_THREAD_H_
