#include "gorila/rpc/own_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace gorila::rpc {
namespace {

// As bytes: 4 of IPv4, 16 of IPv6; IPv4 within IPv6 as IPv4.
std::optional<std::string> BytesOf(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    const in_addr& v4 = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return std::string(reinterpret_cast<const char*>(&v4), sizeof(v4));
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  const std::string bytes(reinterpret_cast<const char*>(&v6), sizeof(v6));
  return IN6_IS_ADDR_V4MAPPED(&v6) ? bytes.substr(12) : bytes;
}

bool IsOwn(const std::string& bytes) {
  if (bytes.size() == 4 && bytes.front() == 127) return true;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
  for (const ifaddrs* own = list; own != nullptr; own = own->ifa_next) {
    if (BytesOf(own->ifa_addr) == bytes) return true;
  }
  return false;
}

// Whether any of the addresses of `host` is this machine's. Numbers only, or names too.
bool IsOwnHost(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return false;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, &::freeaddrinfo);
  for (const addrinfo* found = list; found != nullptr; found = found->ai_next) {
    const auto bytes = BytesOf(found->ai_addr);
    if (bytes.has_value() && IsOwn(*bytes)) return true;
  }
  return false;
}

// The part of `text` after `prefix`; nothing when it begins otherwise.
std::optional<std::string_view> After(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

bool IsOwnPeer(std::string_view peer) {
  if (peer.starts_with("unix:")) return true;
  if (const auto v4 = After("ipv4:", peer); v4.has_value()) {
    return IsOwnHost(std::string(v4->substr(0, v4->find(':'))), AI_NUMERICHOST);
  }
  using Brackets = std::pair<std::string_view, std::string_view>;
  for (const auto& [begin, end] : {Brackets{"ipv6:[", "]"}, Brackets{"ipv6:%5B", "%5D"}}) {
    const auto v6 = After(begin, peer);
    if (!v6.has_value() || v6->find(end) == std::string_view::npos) continue;
    return IsOwnHost(std::string(v6->substr(0, v6->find(end))), AI_NUMERICHOST);
  }
  return false;
}

bool IsOwnEndpoint(const Endpoint& endpoint) {
  return IsLoopback(endpoint) || IsOwnHost(endpoint.host, 0);
}

}  // namespace gorila::rpc
