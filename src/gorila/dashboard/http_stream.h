// One HTTP connection, plain or TLS, that reads no more and waits no longer than it may.
#ifndef GORILA_DASHBOARD_HTTP_STREAM_H_
#define GORILA_DASHBOARD_HTTP_STREAM_H_

#include <httplib.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gorila/base/status.h"

namespace gorila {

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// InvalidArgument for files that are not a PEM certificate and its key.
StatusOr<TlsContext> MakeTlsContext(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key);

struct HttpStreamLimits {
  std::size_t request_bytes = 16 << 10;      // request line and headers
  std::chrono::milliseconds request{5000};   // for all of them, and the TLS handshake
  std::chrono::milliseconds stalled{5000};   // that nothing of an answer is taken
  std::chrono::milliseconds answer{60'000};  // for all of it
};

class HttpStream final : public httplib::Stream {
 public:
  // `context` null: plain. The socket stays open when this ends. `in_stream`: whether the answer
  // has no end, so that only `stalled` limits it.
  HttpStream(int socket, SSL_CTX* context, const HttpStreamLimits& limits,
             std::function<bool()> in_stream);
  ~HttpStream() override;

  // False when the peer does not finish in time. Without TLS there is nothing to do.
  bool Handshake();
  // Whether the peer's request was longer than it may be. Then writes do nothing.
  bool oversized() const { return oversized_; }
  // Answers an oversized request.
  void RefuseOversized();
  // Shuts down and drains what is in flight, so that the peer receives the answer.
  void Close();

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Need { kRead, kWrite };

  // Until the socket is ready; false when that takes longer.
  bool Wait(Need need, TimePoint deadline) const;
  // One attempt: the bytes, 0 at the end, -1 and `need` when it must wait, -1 alone for an error.
  ssize_t ReadSome(char* data, std::size_t size, std::optional<Need>& need);
  ssize_t WriteSome(const char* data, std::size_t size, std::optional<Need>& need);
  bool Fill();
  bool WriteAll(const char* data, std::size_t size);

  const int socket_;
  const HttpStreamLimits limits_;
  const std::function<bool()> in_stream_;
  const TimePoint began_;
  SSL* ssl_ = nullptr;
  bool failed_ = false;  // TLS does not survive an error
  bool oversized_ = false;
  std::size_t left_;  // bytes of the request that may still be read
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;  // in the buffer
  std::size_t end_ = 0;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_HTTP_STREAM_H_
