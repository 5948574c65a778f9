#include "gorila/rpc/gate.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gorila/base/thread.h"
#include "gorila/rpc/call_opening.h"

namespace gorila::rpc {
namespace {

constexpr std::uint64_t kWakeNumber = 0;      // the listening sockets follow, then strangers
constexpr int kAcceptsAtOnce = 64;            // so that waiting ones get their turn
constexpr int kPauseMilliseconds = 50;        // when the process is out of descriptors
constexpr std::size_t kMaxDrained = 1 << 20;  // of a call that was refused

// Whether the process has no room for another connection; else only this one failed.
bool LacksDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void SetSocketOptions(int fd, std::chrono::milliseconds peer_timeout) {
  const int on = 1;
  const auto timeout = static_cast<unsigned>(peer_timeout.count());
  // Both fail on Unix sockets, which need neither.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

bool Send(int fd, std::string_view bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(bytes.size());
}

// An IPv6 host may use any address of its 64-bit network.
std::string NetworkOf(const PeerAddress& peer) {
  return peer.host.substr(0, peer.host.size() == 16 ? 8 : std::string::npos);
}

}  // namespace

Gate::Gate(GateOptions options, ListeningSockets sockets)
    : options_(std::move(options)),
      listening_(std::move(sockets)),
      next_number_(kWakeNumber + 1 + listening_.sockets().size()) {}

StatusOr<std::unique_ptr<Gate>> Gate::Open(GateOptions options, ListeningSockets sockets) {
  std::unique_ptr<Gate> gate(new Gate(std::move(options), std::move(sockets)));
  GORILA_RETURN_IF_ERROR(gate->OpenDescriptors());
  return gate;
}

Status Gate::Start() {
  GORILA_ASSIGN_OR_RETURN(thread_, StartThread("connections", [this] { Run(); }));
  return OkStatus();
}

Gate::~Gate() { Stop(); }

void Gate::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  Wake();
  thread_.join();
  while (!strangers_.empty()) End(strangers_.begin());
  present_.store(0);
  listening_.Close();
}

Status Gate::OpenDescriptors() {
  poll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  GORILA_RETURN_IF_ERROR(Watch(wake_.get(), EPOLLIN, kWakeNumber));
  std::uint64_t number = kWakeNumber;
  for (const Descriptor& socket : listening_.sockets()) {
    GORILA_RETURN_IF_ERROR(Watch(socket.get(), EPOLLIN, ++number));
  }
  return OkStatus();
}

Status Gate::Watch(int fd, std::uint32_t events, std::uint64_t number) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return OkStatus();
  return Unavailable("cannot wait for connections: {}", std::strerror(errno));
}

void Gate::MarkKnown(std::string_view peer) {
  if (present_.load(std::memory_order_relaxed) == 0) return;
  const PeerAddress address = ParsePeerAddress(peer);
  {
    const MutexLock lock(mutex_);
    const auto found = unknown_.find(address);
    if (found == unknown_.end()) return;
    known_.push_back(found->second);
    unknown_.erase(found);
  }
  Wake();
}

void Gate::Wake() {
  const std::uint64_t one = 1;
  // Fails only where it is awake already.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

void Gate::Run() {
  std::array<epoll_event, 64> events{};
  while (!stopping_.load()) {
    const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()),
                                   WaitMilliseconds());
    for (int i = 0; i < count; ++i) Handle(events[static_cast<std::size_t>(i)].data.u64);
    EndLate();
    present_.store(strangers_.size());
  }
}

// Until the oldest stranger's time is over; -1: none is here.
int Gate::WaitMilliseconds() const {
  if (strangers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      strangers_.begin()->second.deadline - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void Gate::Handle(std::uint64_t number) {
  const auto& listeners = listening_.sockets();
  if (number == kWakeNumber) {
    std::uint64_t woken = 0;
    [[maybe_unused]] const auto size = ::read(wake_.get(), &woken, sizeof(woken));
    LetKnownGo();
  } else if (number <= listeners.size()) {
    Accept(listeners[static_cast<std::size_t>(number - kWakeNumber - 1)].get());
  } else if (const auto stranger = strangers_.find(number); stranger != strangers_.end()) {
    // With TLS gRPC reads; the gate only sees the end of the connection.
    options_.tls ? End(stranger) : Read(stranger);
  }
}

void Gate::Accept(int listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    Descriptor socket(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (LacksDescriptors(errno)) PauseWithoutDescriptors();
      return;
    }
    SetSocketOptions(socket.get(), options_.peer_timeout);
    MakePlace();
    Take(std::move(socket), PeerAddressOf(address));
  }
}

void Gate::MakePlace() {
  while (strangers_.size() >= options_.max_strangers) EndOne();
}

// The oldest stranger from the network with the most, so that one machine cannot lock out others.
void Gate::EndOne() {
  const auto busiest =
      std::max_element(networks_.begin(), networks_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  End(std::find_if(strangers_.begin(), strangers_.end(), [&](const auto& entry) {
    return NetworkOf(entry.second.peer) == busiest->first;
  }));
}

// The connection stays in the system's queue until there is one.
void Gate::PauseWithoutDescriptors() {
  if (!strangers_.empty()) return EndOne();
  pollfd wake{.fd = wake_.get(), .events = POLLIN, .revents = 0};
  ::poll(&wake, 1, kPauseMilliseconds);
}

void Gate::Take(Descriptor socket, const PeerAddress& peer) {
  if (options_.tls) return TakeForHandshake(std::move(socket), peer);
  if (!Send(socket.get(), OpeningSettings())) return;
  Add(std::move(socket), EPOLLIN, peer);
}

void Gate::TakeForHandshake(Descriptor socket, const PeerAddress& peer) {
  // A Unix socket does not tell whose call it is, but the permissions of its file protect it.
  if (!peer.host.empty()) {
    Descriptor second(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (second.get() < 0) return;
    {
      const MutexLock lock(mutex_);
      unknown_[peer] = next_number_;
    }
    Add(std::move(second), EPOLLRDHUP, peer);
  }
  // Last: its calls may come at once.
  options_.admit(std::move(socket), {});
}

void Gate::Add(Descriptor socket, std::uint32_t events, const PeerAddress& peer) {
  const std::uint64_t number = next_number_++;
  const int fd = socket.get();
  strangers_.emplace(number, Stranger{.socket = std::move(socket),
                                      .peer = peer,
                                      .deadline = Clock::now() + options_.patience});
  ++networks_[NetworkOf(peer)];
  present_.store(strangers_.size());
  if (!Watch(fd, events, number).ok()) End(strangers_.find(number));
}

void Gate::Read(Strangers::iterator stranger) {
  std::array<char, kMaxOpeningBytes> bytes;
  Stranger& from = stranger->second;
  const std::size_t room = from.drained ? bytes.size() : bytes.size() - from.read.size();
  const ssize_t size = ::recv(from.socket.get(), bytes.data(), room, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return End(stranger);
  if (from.drained) return Drain(stranger, static_cast<std::size_t>(size));
  from.read.append(bytes.data(), static_cast<std::size_t>(size));
  Decide(stranger);
}

void Gate::Decide(Strangers::iterator stranger) {
  Stranger& from = stranger->second;
  const CallOpening opening = ReadCallOpening(from.read);
  if (opening.kind == CallOpening::Kind::kIncomplete) {
    if (from.read.size() >= kMaxOpeningBytes) End(stranger);
    return;
  }
  if (opening.kind == CallOpening::Kind::kForeign) return End(stranger);
  const Status status = options_.check(opening.token);
  if (!status.ok()) return Refuse(from, opening.stream, status);
  // gRPC does not know of the settings that were acknowledged.
  if (opening.acknowledgement > 0) from.read.erase(opening.acknowledgement, kAcknowledgementBytes);
  const std::string read = std::move(from.read);
  Descriptor socket = Forget(stranger);
  options_.admit(std::move(socket), read);
}

// Everything the peer sends must be read until it closes, or it might never see the answer.
void Gate::Refuse(Stranger& stranger, std::uint32_t stream, const Status& status) {
  stranger.drained = 0;
  stranger.read = {};
  Send(stranger.socket.get(), EncodeRefusal(stream, status));
  ::shutdown(stranger.socket.get(), SHUT_WR);
}

void Gate::Drain(Strangers::iterator stranger, std::size_t bytes) {
  *stranger->second.drained += bytes;
  if (*stranger->second.drained > kMaxDrained) End(stranger);
}

void Gate::LetKnownGo() {
  std::vector<std::uint64_t> known;
  {
    const MutexLock lock(mutex_);
    known.swap(known_);
  }
  for (const std::uint64_t number : known) {
    if (const auto found = strangers_.find(number); found != strangers_.end()) Forget(found);
  }
}

// Whether no call with the token came; stops waiting for one.
bool Gate::IsUnknown(std::uint64_t number, const PeerAddress& peer) {
  const MutexLock lock(mutex_);
  const auto found = unknown_.find(peer);
  if (found == unknown_.end() || found->second != number) return false;
  unknown_.erase(found);
  return true;
}

void Gate::EndLate() {
  const auto now = Clock::now();
  while (!strangers_.empty() && strangers_.begin()->second.deadline <= now) {
    End(strangers_.begin());
  }
}

void Gate::End(Strangers::iterator stranger) {
  if (options_.tls && IsUnknown(stranger->first, stranger->second.peer)) {
    ::shutdown(stranger->second.socket.get(), SHUT_RDWR);  // gRPC hears of it
  }
  Forget(stranger);
}

Descriptor Gate::Forget(Strangers::iterator stranger) {
  // Closing is not enough while gRPC has a descriptor of the same connection.
  ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, stranger->second.socket.get(), nullptr);
  const auto network = networks_.find(NetworkOf(stranger->second.peer));
  if (--network->second == 0) networks_.erase(network);
  Descriptor socket = std::move(stranger->second.socket);
  strangers_.erase(stranger);
  return socket;
}

}  // namespace gorila::rpc
