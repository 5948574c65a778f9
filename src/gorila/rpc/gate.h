// The door of a server: it accepts all connections, and bounds what those of strangers cost.
//
// gRPC 1.51 keeps memory for whatever an unknown peer sends, without bound. So a connection without
// TLS is read here until the headers of its first call show the run's token; only then gRPC gets
// it, with what was read. A call without the token is answered here, and its connection ended. With
// TLS gRPC must have the connection for the handshake, which bounds what can be sent without a
// certificate; here their number and time are limited until a call with the token comes.
#ifndef GORILA_RPC_GATE_H_
#define GORILA_RPC_GATE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"
#include "gorila/rpc/descriptor.h"
#include "gorila/rpc/listening_sockets.h"
#include "gorila/rpc/peer_address.h"

namespace gorila::rpc {

struct GateOptions {
  bool tls = false;
  std::size_t max_strangers = 1024;              // at once; a newcomer takes the place of another
  std::chrono::milliseconds patience{10'000};    // for the first call
  std::chrono::milliseconds peer_timeout{5000};  // for TCP to hear of what was sent
  // Refused, and counted, unless the token is right; without TLS. In the gate's thread.
  std::function<Status(std::string_view token)> check = {};
  // Takes a connection over, with what was read of it. In the gate's thread.
  std::function<void(Descriptor socket, std::string_view read)> admit = {};
};

// Thread-safe but for Stop.
class Gate {
 public:
  // Unavailable when the system is out of descriptors.
  static StatusOr<std::unique_ptr<Gate>> Open(GateOptions options, ListeningSockets sockets);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Starts the thread that accepts connections and calls `admit`. Unavailable when the system is
  // out of threads.
  Status Start();

  // Ends the thread, the connections of strangers and the listening sockets.
  void Stop();

  // That a call with the token came from there (as gRPC names peers); with TLS.
  void MarkKnown(std::string_view peer) GORILA_EXCLUDES(mutex_);

  // Connections that showed no token so far.
  std::size_t strangers() const { return present_.load(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Stranger {
    Descriptor socket;  // with TLS a second descriptor of what gRPC has
    PeerAddress peer;
    Clock::time_point deadline;
    std::string read = {};
    std::optional<std::size_t> drained = {};  // bytes that came after a refusal
  };
  // By number, so that the oldest comes first.
  using Strangers = std::map<std::uint64_t, Stranger>;

  Gate(GateOptions options, ListeningSockets sockets);
  Status OpenDescriptors();
  Status Watch(int fd, std::uint32_t events, std::uint64_t number);
  void Run();
  int WaitMilliseconds() const;
  void Handle(std::uint64_t number);
  void Accept(int listener);
  void MakePlace();
  void EndOne();
  void PauseWithoutDescriptors();
  void Take(Descriptor socket, const PeerAddress& peer);
  void TakeForHandshake(Descriptor socket, const PeerAddress& peer) GORILA_EXCLUDES(mutex_);
  void Add(Descriptor socket, std::uint32_t events, const PeerAddress& peer);
  void Read(Strangers::iterator stranger);
  void Decide(Strangers::iterator stranger);
  void Refuse(Stranger& stranger, std::uint32_t stream, const Status& status);
  void Drain(Strangers::iterator stranger, std::size_t bytes);
  void LetKnownGo() GORILA_EXCLUDES(mutex_);
  bool IsUnknown(std::uint64_t number, const PeerAddress& peer) GORILA_EXCLUDES(mutex_);
  void EndLate();
  void End(Strangers::iterator stranger);
  Descriptor Forget(Strangers::iterator stranger);
  void Wake();

  const GateOptions options_;
  ListeningSockets listening_;
  Descriptor poll_;
  Descriptor wake_;
  Strangers strangers_;
  std::map<std::string, std::size_t> networks_;  // how many of them are from where
  std::uint64_t next_number_;
  std::atomic<std::size_t> present_{0};
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  // With TLS: strangers by their addresses, and those who stopped being strangers.
  std::map<PeerAddress, std::uint64_t> unknown_ GORILA_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> known_ GORILA_GUARDED_BY(mutex_);
  Thread thread_;  // last: it uses all others
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_GATE_H_
