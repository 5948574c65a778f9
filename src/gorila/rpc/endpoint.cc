#include "gorila/rpc/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace gorila::rpc {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxUnixPath = 107;  // of struct sockaddr_un, without its NUL
constexpr std::size_t kMaxHost = 253;      // of a DNS name

Status MalformedEndpoint(std::string_view text) {
  return InvalidArgument("endpoint is '{}'; expected host:port, [IPv6]:port or unix:/path", text);
}

StatusOr<Endpoint> ParseUnix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  if (path.empty() || path.size() > kMaxUnixPath) {
    return InvalidArgument("endpoint is '{}'; expected a path of 1..{} characters after 'unix:'",
                           text, kMaxUnixPath);
  }
  return Endpoint{.host = std::string(path), .port = 0, .unix_socket = true};
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost && host.front() != '-' &&
         std::all_of(host.begin(), host.end(), &IsHostCharacter);
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

StatusOr<Endpoint> ParseEndpoint(std::string_view text, bool may_be_any_port) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return MalformedEndpoint(text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Endpoint endpoint{.host = std::string(host), .port = -1, .unix_socket = false};
  if (bracketed ? !IsIpv6(endpoint.host) : !IsHost(host)) return MalformedEndpoint(text);
  const std::string_view digits = text.substr(colon + 1);
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, endpoint.port);
  const int lowest = may_be_any_port ? 0 : 1;
  if (error != std::errc() || rest != end || endpoint.port < lowest || endpoint.port > 65535) {
    return InvalidArgument("endpoint is '{}'; expected a port from {} to 65535", text, lowest);
  }
  return endpoint;
}

StatusOr<std::vector<Endpoint>> ParseEndpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    GORILA_ASSIGN_OR_RETURN(Endpoint endpoint, ParseEndpoint(text.substr(begin, end - begin)));
    endpoints.push_back(std::move(endpoint));
    begin = end + 1;
  }
  return endpoints;
}

std::string ToString(const Endpoint& endpoint) {
  if (endpoint.unix_socket) return fmt::format("{}{}", kUnixPrefix, endpoint.host);
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(ipv6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
}

bool IsLoopback(const Endpoint& endpoint) {
  if (endpoint.unix_socket || endpoint.host == "localhost") return true;
  in_addr ipv4{};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &ipv4) == 1) {
    return (ntohl(ipv4.s_addr) >> 24) == 127;
  }
  in6_addr ipv6{};
  return ::inet_pton(AF_INET6, endpoint.host.c_str(), &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

}  // namespace gorila::rpc
