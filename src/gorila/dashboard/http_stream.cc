#include "gorila/dashboard/http_stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

// The most that is read and discarded when a connection closes, and for how long.
constexpr std::size_t kMostDrained = 256 << 10;
constexpr std::chrono::milliseconds kLongestDrain{300};

constexpr char kOversized[] =
    "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    "expected at most 16 KiB of headers\n";

int LengthOf(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, 1 << 30)); }

}  // namespace

StatusOr<TlsContext> MakeTlsContext(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  ERR_clear_error();
  const bool made =
      context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
      SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  if (!made) {
    return InvalidArgument(
        "cannot use --tls-cert '{}' with --tls-key '{}'; expected a PEM certificate and its key",
        certificate.string(), key.string());
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

HttpStream::HttpStream(int socket, SSL_CTX* context, const HttpStreamLimits& limits,
                       std::function<bool()> in_stream)
    : socket_(socket),
      limits_(limits),
      in_stream_(std::move(in_stream)),
      began_(Clock::now()),
      left_(limits.request_bytes) {
  if (context == nullptr) return;
  ssl_ = SSL_new(context);
  failed_ = ssl_ == nullptr || SSL_set_fd(ssl_, socket_) != 1;
}

HttpStream::~HttpStream() {
  if (ssl_ != nullptr) SSL_free(ssl_);
}

bool HttpStream::Wait(Need need, TimePoint deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd descriptor{.fd = socket_,
                    .events = static_cast<short>(need == Need::kRead ? POLLIN : POLLOUT),
                    .revents = 0};
  const int ready = ::poll(&descriptor, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
  if (ready < 0 && errno == EINTR) return Wait(need, deadline);
  return ready > 0;
}

bool HttpStream::Handshake() {
  if (failed_ || ssl_ == nullptr) return !failed_;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(ssl_);
    if (result == 1) return true;
    const int error = SSL_get_error(ssl_, result);
    const bool again = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    const Need need = error == SSL_ERROR_WANT_WRITE ? Need::kWrite : Need::kRead;
    if (!again || !Wait(need, began_ + limits_.request)) {
      failed_ = true;
      return false;
    }
  }
}

ssize_t HttpStream::ReadSome(char* data, std::size_t size, std::optional<Need>& need) {
  need.reset();
  if (ssl_ == nullptr) {
    const ssize_t read = ::recv(socket_, data, size, MSG_DONTWAIT);
    if (read < 0 && (errno == EAGAIN || errno == EINTR)) need = Need::kRead;
    return read;
  }
  if (failed_) return -1;
  ERR_clear_error();
  const int read = SSL_read(ssl_, data, LengthOf(size));
  if (read > 0) return read;
  const int error = SSL_get_error(ssl_, read);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error == SSL_ERROR_WANT_READ) need = Need::kRead;
  if (error == SSL_ERROR_WANT_WRITE) need = Need::kWrite;
  failed_ = !need.has_value();
  return -1;
}

ssize_t HttpStream::WriteSome(const char* data, std::size_t size, std::optional<Need>& need) {
  need.reset();
  if (ssl_ == nullptr) {
    const ssize_t written = ::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) need = Need::kWrite;
    return written;
  }
  if (failed_) return -1;
  ERR_clear_error();
  const int written = SSL_write(ssl_, data, LengthOf(size));
  if (written > 0) return written;
  const int error = SSL_get_error(ssl_, written);
  if (error == SSL_ERROR_WANT_READ) need = Need::kRead;
  if (error == SSL_ERROR_WANT_WRITE) need = Need::kWrite;
  failed_ = !need.has_value();
  return -1;
}

bool HttpStream::Fill() {
  for (;;) {
    std::optional<Need> need;
    const ssize_t read = ReadSome(buffer_.data(), buffer_.size(), need);
    if (read > 0) {
      begin_ = 0;
      end_ = static_cast<std::size_t>(read);
      return true;
    }
    if (!need.has_value() || !Wait(*need, began_ + limits_.request)) return false;
  }
}

ssize_t HttpStream::read(char* data, std::size_t size) {
  if (left_ == 0) oversized_ = true;
  if (left_ == 0 || (begin_ == end_ && !Fill())) return -1;
  const std::size_t taken = std::min({size, end_ - begin_, left_});
  std::memcpy(data, buffer_.data() + begin_, taken);
  begin_ += taken;
  left_ -= taken;
  return static_cast<ssize_t>(taken);
}

bool HttpStream::WriteAll(const char* data, std::size_t size) {
  const bool endless = in_stream_();
  const TimePoint end = (endless ? Clock::now() : began_) + limits_.answer;
  while (size > 0) {
    std::optional<Need> need;
    const ssize_t written = WriteSome(data, size, need);
    if (written > 0) {
      data += written;
      size -= static_cast<std::size_t>(written);
    } else if (!need.has_value() || !Wait(*need, std::min(end, Clock::now() + limits_.stalled))) {
      return false;
    }
    if (Clock::now() > end) return false;
  }
  return true;
}

// httplib would give the wrong answer to a request that was cut off.
ssize_t HttpStream::write(const char* data, std::size_t size) {
  if (oversized_) return static_cast<ssize_t>(size);
  return WriteAll(data, size) ? static_cast<ssize_t>(size) : -1;
}

void HttpStream::RefuseOversized() { WriteAll(kOversized, sizeof kOversized - 1); }

void HttpStream::Close() {
  if (ssl_ != nullptr && !failed_) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  ::shutdown(socket_, SHUT_WR);
  const TimePoint deadline = Clock::now() + kLongestDrain;
  for (std::size_t drained = 0; drained < kMostDrained && Wait(Need::kRead, deadline);) {
    const ssize_t read = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (read <= 0) return;
    drained += static_cast<std::size_t>(read);
  }
}

bool HttpStream::is_readable() const {
  return begin_ < end_ || Wait(Need::kRead, began_ + limits_.request);
}

bool HttpStream::is_writable() const {
  if (failed_ || !Wait(Need::kWrite, Clock::now() + limits_.stalled)) return false;
  char byte = 0;  // a peer that is gone has an end to read
  return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace gorila
