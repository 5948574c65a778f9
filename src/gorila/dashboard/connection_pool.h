// The connections of a small server, each served in a thread, with a limit that no client can
// exhaust.
#ifndef GORILA_DASHBOARD_CONNECTION_POOL_H_
#define GORILA_DASHBOARD_CONNECTION_POOL_H_

#include <functional>
#include <list>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/thread.h"

namespace gorila {

// A connection sends its request, is answered, and ends; or it becomes a stream. When as many are
// there as may be, a new one takes the place of the one that has been sending its request for
// longest, else of the one that has been taking its answer for longest. Streams are never cut off:
// who admits them limits them. Thread-safe.
class ConnectionPool {
 public:
  // Serves one socket, in a thread of the pool, and does not close it.
  using Serve = std::function<void(int socket)>;

  // `connections`: at once, besides `streams`.
  ConnectionPool(int connections, int streams, Serve serve);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Takes the socket over. Does not block.
  void Add(int socket) GORILA_EXCLUDES(mutex_);
  // Cuts off who is still sending a request, and waits for the others. No Add after it.
  void Stop() GORILA_EXCLUDES(mutex_);

  // The connection that this thread serves.
  void BeginAnswer() GORILA_EXCLUDES(mutex_);
  void BeginStream() GORILA_EXCLUDES(mutex_);
  bool in_stream() GORILA_EXCLUDES(mutex_);

 private:
  enum class State { kWaiting, kRequest, kAnswer, kStream, kCut };
  struct Connection {
    int socket;
    State state = State::kWaiting;
  };

  void Work() GORILA_EXCLUDES(mutex_);
  void SetState(State state) GORILA_EXCLUDES(mutex_);
  void MakeRoom() GORILA_REQUIRES(mutex_);
  void CutOff(std::list<Connection>::iterator connection) GORILA_REQUIRES(mutex_);
  void AddThread() GORILA_REQUIRES(mutex_);

  const int connections_limit_;
  const std::size_t threads_limit_;
  const Serve serve_;

  Mutex mutex_;
  CondVar changed_;
  bool ending_ GORILA_GUARDED_BY(mutex_) = false;
  int idle_threads_ GORILA_GUARDED_BY(mutex_) = 0;
  std::list<Connection> connections_ GORILA_GUARDED_BY(mutex_);  // oldest first
  std::vector<Thread> threads_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_CONNECTION_POOL_H_
