#include "gorila/dashboard/connection_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gorila/base/exhaustion.h"
#include "gorila/base/thread.h"

namespace gorila {
namespace {

thread_local void* present_connection = nullptr;  // that this thread serves

}  // namespace

ConnectionPool::ConnectionPool(int connections, int streams, Serve serve)
    : connections_limit_(connections),
      threads_limit_(static_cast<std::size_t>(connections + streams)),
      serve_(std::move(serve)) {}

ConnectionPool::~ConnectionPool() { Stop(); }

void ConnectionPool::Add(int socket) {
  const MutexLock lock(mutex_);
  MakeRoom();
  connections_.push_back({.socket = socket});
  const auto waiting = std::count_if(connections_.begin(), connections_.end(),
                                     [](auto& c) { return c.state == State::kWaiting; });
  if (waiting > idle_threads_ && threads_.size() < threads_limit_) AddThread();
  changed_.NotifyOne();
}

// When the system refuses another thread, the existing ones serve the connection.
void ConnectionPool::AddThread() {
  StatusOr<Thread> started = StartThread("HTTP connection", [this] { Work(); });
  if (started.ok()) return threads_.push_back(*std::move(started));
  if (!threads_.empty()) return;
  for (const Connection& connection : connections_) ::close(connection.socket);
  connections_.clear();
}

void ConnectionPool::MakeRoom() {
  const auto counts = [](const Connection& connection) {
    return connection.state != State::kStream && connection.state != State::kCut;
  };
  if (std::count_if(connections_.begin(), connections_.end(), counts) < connections_limit_) return;
  for (const bool answered : {false, true}) {
    const auto oldest =
        std::find_if(connections_.begin(), connections_.end(), [&](const Connection& connection) {
          return counts(connection) && (connection.state == State::kAnswer) == answered;
        });
    if (oldest != connections_.end()) return CutOff(oldest);
  }
}

void ConnectionPool::CutOff(std::list<Connection>::iterator connection) {
  if (connection->state == State::kWaiting) {
    ::close(connection->socket);
    connections_.erase(connection);
    return;
  }
  // The thread that serves it notices, and closes it.
  ::shutdown(connection->socket, SHUT_RDWR);
  connection->state = State::kCut;
}

void ConnectionPool::Work() {
  for (;;) {
    std::list<Connection>::iterator mine;
    {
      const MutexLock lock(mutex_);
      const auto find = [this]() GORILA_REQUIRES(mutex_) {
        return std::find_if(connections_.begin(), connections_.end(),
                            [](const Connection& c) { return c.state == State::kWaiting; });
      };
      ++idle_threads_;
      while ((mine = find()) == connections_.end() && !ending_) changed_.Wait(mutex_);
      --idle_threads_;
      if (mine == connections_.end()) return;
      mine->state = State::kRequest;
    }
    present_connection = &*mine;
    // A connection for which memory is short is closed; the next one may get some.
    WithoutThrowing([&] {
      serve_(mine->socket);
      return OkStatus();
    }).IgnoreError();
    present_connection = nullptr;
    // Closed under the lock, so that its number is not another's when it is cut off.
    const MutexLock lock(mutex_);
    ::close(mine->socket);
    connections_.erase(mine);
  }
}

void ConnectionPool::SetState(State state) {
  const MutexLock lock(mutex_);
  auto* const connection = static_cast<Connection*>(present_connection);
  if (connection != nullptr && connection->state != State::kCut) connection->state = state;
}

void ConnectionPool::BeginAnswer() { SetState(State::kAnswer); }
void ConnectionPool::BeginStream() { SetState(State::kStream); }

bool ConnectionPool::in_stream() {
  const MutexLock lock(mutex_);
  const auto* const connection = static_cast<Connection*>(present_connection);
  return connection != nullptr && connection->state == State::kStream;
}

void ConnectionPool::Stop() {
  std::vector<Thread> threads;
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    for (auto next = connections_.begin(); next != connections_.end();) {
      const auto connection = next++;
      if (connection->state == State::kWaiting || connection->state == State::kRequest) {
        CutOff(connection);
      }
    }
    threads.swap(threads_);
    changed_.NotifyAll();
  }
  for (Thread& thread : threads) thread.join();
}

}  // namespace gorila
