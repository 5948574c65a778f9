// A small read-only HTTP server: pages, JSON and event streams, for the dashboard and for
// Prometheus.
#ifndef GORILA_DASHBOARD_HTTP_LISTENER_H_
#define GORILA_DASHBOARD_HTTP_LISTENER_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

struct ListenAddress {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: one that is free
};

// "HOST:PORT", "HOST", ":PORT" or "[IPv6]:PORT"; what is missing is taken from `otherwise`.
// InvalidArgument for anything else.
StatusOr<ListenAddress> ParseListenAddress(std::string_view text, const ListenAddress& otherwise);

// Whether only this machine reaches the host: "localhost", 127.x.x.x or ::1.
bool IsLoopback(std::string_view host);

struct ListenOptions {
  ListenAddress address = {};
  std::filesystem::path tls_certificate = {};  // PEM; both or neither
  std::filesystem::path tls_key = {};
  std::string token = {};  // asked of every request when not empty
  bool insecure = false;   // off loopback without TLS or token
  // Under which the page may be asked, besides addresses, localhost and the address's own host
  // (host_check.h). With a token any name will do.
  std::vector<std::string> names = {};
};

struct HttpRequest {
  std::map<std::string, std::string, std::less<>> query;

  // The value of `name`, or `otherwise`.
  std::string Get(std::string_view name, std::string_view otherwise = "") const;
};

struct HttpResponse {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// One browser's event stream (server-sent events, WHATWG HTML 9.2). For one thread.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Sends an event; `data` is one line. False when the browser has gone. Blocks for a few seconds
  // at most.
  virtual bool Send(std::string_view event, std::string_view data) = 0;
  // Whether the browser is there and the server is not stopping.
  virtual bool open() const = 0;
};

// Answers GET and HEAD, one request a connection. Memory, threads and time of each request have
// limits, whether it has the token or not; when kMostConnections are there, a new one takes the
// place of the slowest, so that /metrics answers while others hold connections open. Off loopback
// it listens only with TLS and a token, unless insecure. The token comes as "Authorization: Bearer
// TOKEN", or as ?token=TOKEN, which a cookie then replaces.
class HttpListener {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  // Runs in a thread of the connection's own until it returns, soon after the sink is not open.
  using Streamer = std::function<void(const HttpRequest&, EventSink&)>;

  // Binds the port; nothing is answered before Start. InvalidArgument for options that are refused
  // and for an address that is not available.
  static StatusOr<std::unique_ptr<HttpListener>> Bind(const ListenOptions& options);
  ~HttpListener();  // stops
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // Before Start. Handlers are called in several threads at once. `path` must match exactly.
  void Get(const std::string& path, Handler handler);
  // At most `most` at once, and kMostStreams over all paths; more are answered with 503.
  void Stream(const std::string& path, int most, Streamer streamer);

  void Start();
  // Ends the streams and waits for what is being answered, some seconds at most.
  void Stop();

  // "http://127.0.0.1:7733/". Without the token.
  std::string url() const;

  static constexpr int kMostStreams = 32;
  static constexpr int kMostConnections = 32;  // besides streams

 private:
  class Impl;
  explicit HttpListener(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_HTTP_LISTENER_H_
