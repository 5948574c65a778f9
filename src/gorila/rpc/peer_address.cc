#include "gorila/rpc/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace gorila::rpc {
namespace {

std::string BytesOf(const in_addr& address) {
  return std::string(reinterpret_cast<const char*>(&address), sizeof(address));
}

std::string BytesOf(const in6_addr& address) {
  const std::string bytes(reinterpret_cast<const char*>(&address), sizeof(address));
  return IN6_IS_ADDR_V4MAPPED(&address) ? bytes.substr(12) : bytes;
}

bool RemovePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

PeerAddress PeerAddressOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    return {BytesOf(ipv4.sin_addr), ntohs(ipv4.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address);
    return {BytesOf(ipv6.sin6_addr), ntohs(ipv6.sin6_port)};
  }
  return {};
}

PeerAddress ParsePeerAddress(std::string_view peer) {
  const bool is_ipv4 = RemovePrefix(peer, "ipv4:");
  if (!is_ipv4 && !RemovePrefix(peer, "ipv6:")) return {};
  const std::size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos) return {};
  PeerAddress address;
  const std::string_view digits = peer.substr(colon + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  std::string_view host = peer.substr(0, colon);
  if (!RemovePrefix(host, "[")) RemovePrefix(host, "%5B");
  // The rest is the bracket, or a link's name, which is not part of the address.
  const std::string text(host.substr(0, host.find_first_of("]%")));
  in_addr ipv4{};
  in6_addr ipv6{};
  if (is_ipv4 && ::inet_pton(AF_INET, text.c_str(), &ipv4) == 1) address.host = BytesOf(ipv4);
  if (!is_ipv4 && ::inet_pton(AF_INET6, text.c_str(), &ipv6) == 1) address.host = BytesOf(ipv6);
  return address;
}

}  // namespace gorila::rpc
