#include "gorila/dashboard/http_listener.h"

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>
#include <utility>

#include "gorila/base/thread.h"
#include "gorila/dashboard/connection_pool.h"
#include "gorila/dashboard/host_check.h"
#include "gorila/dashboard/http_stream.h"

namespace gorila {
namespace {

constexpr int kBacklog = 128;
constexpr const char* kCookie = "gorila_token=";

StatusOr<int> ParsePort(std::string_view text, std::string_view whole) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > 65535) {
    return InvalidArgument("'{}' is not a listen address; expected HOST:PORT, port 0 to 65535",
                           whole);
  }
  return port;
}

// Takes the same time wherever the texts differ.
bool SameSecret(std::string_view given, std::string_view secret) {
  unsigned char difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size() && !secret.empty(); ++i) {
    difference |= static_cast<unsigned char>(given[i] ^ secret[i % secret.size()]);
  }
  return difference == 0;
}

// The value of our cookie; empty without one.
std::string TokenCookie(const std::string& header) {
  const std::size_t at = header.find(kCookie);
  if (at == header.npos) return "";
  const std::size_t begin = at + std::strlen(kCookie);
  return header.substr(begin, header.find(';', begin) - begin);
}

Status CheckSecurity(const ListenOptions& options) {
  const bool tls = !options.tls_certificate.empty();
  if (tls != !options.tls_key.empty()) {
    return InvalidArgument("--tls-cert and --tls-key: expected both or neither");
  }
  if (IsLoopback(options.address.host) || options.insecure || (tls && !options.token.empty())) {
    return OkStatus();
  }
  return InvalidArgument(
      "'{}' can be reached from other machines; expected --tls-cert, --tls-key and --token-file, "
      "or "
      "--insecure",
      options.address.host);
}

// httplib's default also sets SO_REUSEPORT, with which two programs would share a port.
void SetSocketOptions(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

// Who may be asked here without a token.
std::vector<std::string> NamesOf(const ListenOptions& options) {
  std::vector<std::string> names = options.names;
  names.push_back(options.address.host);
  std::array<char, 256> machine{};
  if (!IsLoopback(options.address.host) && ::gethostname(machine.data(), machine.size() - 1) == 0 &&
      machine[0] != '\0') {
    names.emplace_back(machine.data());
  }
  return names;
}

bool HasBody(const httplib::Request& request) {
  return request.has_header("Transfer-Encoding") ||
         (request.has_header("Content-Length") &&
          request.get_header_value("Content-Length") != "0");
}

// Uses httplib's routing and answers over our own connections: its reading is unlimited, and with
// its queue a client that holds connections open would lock out all others.
class LimitedServer final : public httplib::Server {
 public:
  explicit LimitedServer(TlsContext context)
      : context_(std::move(context)),
        pool_(HttpListener::kMostConnections, HttpListener::kMostStreams,
              [this](int socket) { Serve(socket); }) {
    new_task_queue = [this] { return new Accepted(pool_); };
  }

  // After it is bound. httplib's own backlog is 5.
  void WidenBacklog() { ::listen(svr_sock_, kBacklog); }
  ConnectionPool& pool() { return pool_; }

 private:
  // httplib gives it a function that ends in process_and_close_socket; that does not block here.
  class Accepted final : public httplib::TaskQueue {
   public:
    explicit Accepted(ConnectionPool& pool) : pool_(pool) {}
    void enqueue(std::function<void()> accepted) override { accepted(); }
    void shutdown() override { pool_.Stop(); }

   private:
    ConnectionPool& pool_;
  };

  bool process_and_close_socket(socket_t socket) override {
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    pool_.Add(socket);
    return true;
  }

  void Serve(int socket) {
    HttpStream stream(socket, context_.get(), HttpStreamLimits(),
                      [this] { return pool_.in_stream(); });
    if (!stream.Handshake()) return;
    bool closed = false;
    process_request(stream, /*close_connection=*/true, closed, [](httplib::Request& request) {
      // Many overlapping ones would make a large answer of a small file.
      request.ranges.clear();
      request.headers.erase("Range");
    });
    if (stream.oversized()) stream.RefuseOversized();
    stream.Close();
  }

  const TlsContext context_;
  ConnectionPool pool_;
};

HttpRequest Convert(const httplib::Request& request) {
  HttpRequest converted;
  for (const auto& [name, value] : request.params) converted.query.emplace(name, value);
  return converted;
}

}  // namespace

StatusOr<ListenAddress> ParseListenAddress(std::string_view text, const ListenAddress& otherwise) {
  ListenAddress address = otherwise;
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.rfind(':');
  if (bracketed && host_end == text.npos) {
    return InvalidArgument("'{}' is not a listen address; expected a ']'", text);
  }
  const std::string_view host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  std::string_view rest = host_end == text.npos ? "" : text.substr(host_end + (bracketed ? 1 : 0));
  if (!host.empty()) address.host = host;
  if (rest.empty()) return address;
  if (rest.front() != ':') {
    return InvalidArgument("'{}' is not a listen address; expected ':' after ']'", text);
  }
  GORILA_ASSIGN_OR_RETURN(address.port, ParsePort(rest.substr(1), text));
  return address;
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string HttpRequest::Get(std::string_view name, std::string_view otherwise) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string(otherwise) : found->second;
}

class HttpListener::Impl {
 public:
  Impl(ListenOptions options, TlsContext context)
      : options_(std::move(options)),
        hosts_(NamesOf(options_)),
        server_(std::make_unique<LimitedServer>(std::move(context))) {
    server_->set_socket_options(&SetSocketOptions);
    server_->set_payload_max_length(0);
    server_->set_default_headers({{"Cache-Control", "no-store"},
                                  {"X-Content-Type-Options", "nosniff"},
                                  {"Referrer-Policy", "no-referrer"},
                                  {"Content-Security-Policy",
                                   "default-src 'self'; img-src 'self' data:; object-src 'none'; "
                                   "frame-ancestors 'none'; base-uri 'none'"}});
    server_->set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          return Admit(request, response);
        });
    server_->set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      response.set_content(fmt::format("{}\n", response.status), "text/plain; charset=utf-8");
    });
  }

  Status Bind() {
    const ListenAddress& address = options_.address;
    errno = 0;
    port_ = address.port;
    if (address.port == 0) port_ = server_->bind_to_any_port(address.host);
    if (address.port == 0 ? port_ > 0 : server_->bind_to_port(address.host, address.port)) {
      server_->WidenBacklog();
      return OkStatus();
    }
    return InvalidArgument("cannot listen on {}:{}: {}", address.host, address.port,
                           errno == 0 ? "no such address here" : std::strerror(errno));
  }

  void Get(const std::string& path, Handler handler) {
    server_->Get(path, [handler = std::move(handler)](const httplib::Request& request,
                                                      httplib::Response& response) {
      const HttpResponse answer = handler(Convert(request));
      response.status = answer.status;
      response.set_content(answer.body, answer.type);
    });
  }

  void Stream(const std::string& path, int most, Streamer streamer) {
    const auto of_path = std::make_shared<std::atomic<int>>(0);
    server_->Get(path, [this, most, of_path, streamer = std::move(streamer)](
                           const httplib::Request& request, httplib::Response& response) {
      // Released when the response is, however it ends.
      const std::shared_ptr<void> place = TakePlace(of_path, most);
      if (place == nullptr) {
        response.status = 503;
        response.set_content("too many viewers\n", "text/plain; charset=utf-8");
        return;
      }
      server_->pool().BeginStream();
      response.set_chunked_content_provider("text/event-stream",
                                            [this, streamer, place, converted = Convert(request)](
                                                std::size_t, httplib::DataSink& data) {
                                              Sink sink(*this, data);
                                              if (sink.Send("open", "{}"))
                                                streamer(converted, sink);
                                              data.done();
                                              return true;
                                            });
    });
  }

  void Start() {
    thread_ = StartThreadOrEnd("HTTP listener", [this] {
      server_->listen_after_bind();
      ended_ = true;
    });
  }

  void Stop() {
    stopping_ = true;
    // Stopping a server before it listens would have no effect.
    while (thread_.joinable() && !server_->is_running() && !ended_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    server_->stop();
    if (thread_.joinable()) thread_.join();
  }

  std::string url() const {
    const std::string& host = options_.address.host;
    const bool ipv6 = host.find(':') != host.npos;
    return fmt::format("{}://{}{}{}:{}/", options_.tls_certificate.empty() ? "http" : "https",
                       ipv6 ? "[" : "", host, ipv6 ? "]" : "", port_);
  }

 private:
  class Sink final : public EventSink {
   public:
    Sink(Impl& impl, httplib::DataSink& data) : impl_(impl), data_(data) {}

    bool Send(std::string_view event, std::string_view data) override {
      const std::string text = fmt::format("event: {}\ndata: {}\n\n", event, data);
      alive_ = alive_ && data_.write(text.data(), text.size());
      return alive_;
    }
    bool open() const override { return alive_ && !impl_.stopping_; }

   private:
    Impl& impl_;
    httplib::DataSink& data_;
    bool alive_ = true;
  };

  // A place among the streams of this path and of the server; null when either is full.
  std::shared_ptr<void> TakePlace(const std::shared_ptr<std::atomic<int>>& of_path, int most) {
    const auto give_back = [this, of_path](void*) {
      of_path->fetch_sub(1);
      streams_.fetch_sub(1);
    };
    const bool room = of_path->fetch_add(1) < most;
    if (streams_.fetch_add(1) < kMostStreams && room) {
      return std::shared_ptr<void>(this, give_back);  // not the owner of anything
    }
    give_back(nullptr);
    return nullptr;
  }

  // Foreign pages do not know the token, so with one any host name is accepted.
  Status CheckNames(const httplib::Request& request) const {
    const std::string host = request.get_header_value("Host");
    if (options_.token.empty()) GORILA_RETURN_IF_ERROR(hosts_.CheckHost(host));
    return hosts_.CheckOrigin(request.get_header_value("Origin"), host);
  }

  httplib::Server::HandlerResponse Admit(const httplib::Request& request,
                                         httplib::Response& response) {
    server_->pool().BeginAnswer();
    const auto refuse = [&response](int status, const std::string& reason) {
      response.status = status;
      response.set_content(reason, "text/plain; charset=utf-8");
      return httplib::Server::HandlerResponse::Handled;
    };
    if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      return refuse(405, "read-only: expected GET or HEAD\n");
    }
    if (HasBody(request)) return refuse(413, "expected a request without a body\n");
    if (const Status status = CheckNames(request); !status.ok()) {
      return refuse(403, std::string(status.message()) + "\n");
    }
    if (options_.token.empty()) return httplib::Server::HandlerResponse::Unhandled;
    if (request.has_param("token") &&
        SameSecret(request.get_param_value("token"), options_.token)) {
      response.set_header(
          "Set-Cookie",
          fmt::format("{}{}; Path=/; HttpOnly; SameSite=Strict{}", kCookie, options_.token,
                      options_.tls_certificate.empty() ? "" : "; Secure"));
      return httplib::Server::HandlerResponse::Unhandled;
    }
    if (SameSecret(request.get_header_value("Authorization"), "Bearer " + options_.token) ||
        SameSecret(TokenCookie(request.get_header_value("Cookie")), options_.token)) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    return refuse(401, "expected the run's token: open the page once with ?token=TOKEN\n");
  }

  const ListenOptions options_;
  const HostCheck hosts_;
  const std::unique_ptr<LimitedServer> server_;
  int port_ = 0;
  Thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};  // the thread does not listen any more
  std::atomic<int> streams_{0};
};

StatusOr<std::unique_ptr<HttpListener>> HttpListener::Bind(const ListenOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckSecurity(options));
  TlsContext context;
  if (!options.tls_certificate.empty()) {
    GORILA_ASSIGN_OR_RETURN(context, MakeTlsContext(options.tls_certificate, options.tls_key));
  }
  auto impl = std::make_unique<Impl>(options, std::move(context));
  GORILA_RETURN_IF_ERROR(impl->Bind());
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(impl)));
}

HttpListener::HttpListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpListener::~HttpListener() { impl_->Stop(); }
void HttpListener::Get(const std::string& path, Handler handler) {
  impl_->Get(path, std::move(handler));
}
void HttpListener::Stream(const std::string& path, int most, Streamer streamer) {
  impl_->Stream(path, most, std::move(streamer));
}
void HttpListener::Start() { impl_->Start(); }
void HttpListener::Stop() { impl_->Stop(); }
std::string HttpListener::url() const { return impl_->url(); }

}  // namespace gorila
