#include "gorila/dashboard/host_check.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace gorila {
namespace {

// "[::1]:80" and "::1" have the name "::1", "a:80" the name "a".
std::string_view NameOf(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == host.npos ? host : host.substr(1, end - 1);
  }
  if (std::count(host.begin(), host.end(), ':') == 1) host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool IsAddress(std::string_view name) {
  const std::string text(name);
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool IsLocalhost(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  if (name.size() < kLocalhost.size()) return false;
  const std::size_t before = name.size() - kLocalhost.size();
  return SameName(name.substr(before), kLocalhost) && (before == 0 || name[before - 1] == '.');
}

}  // namespace

HostCheck::HostCheck(std::vector<std::string> names) : names_(std::move(names)) {}

bool HostCheck::Knows(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(),
                     [name](const std::string& known) { return SameName(name, known); });
}

Status HostCheck::CheckHost(std::string_view host) const {
  const std::string_view name = NameOf(host);
  if (name.empty() || IsAddress(name) || IsLocalhost(name) || Knows(name)) {
    return OkStatus();
  }
  return absl::PermissionDeniedError(
      fmt::format("Host is '{}'; expected an address, localhost or a name given with --allow-host",
                  name.substr(0, 80)));
}

Status HostCheck::CheckOrigin(std::string_view origin, std::string_view host) const {
  if (origin.empty()) return OkStatus();
  const std::size_t scheme = origin.find("://");
  const std::string_view authority =
      scheme == origin.npos ? std::string_view() : origin.substr(scheme + 3);
  if (!authority.empty() && (SameName(authority, host) || Knows(NameOf(authority)))) {
    return OkStatus();
  }
  return absl::PermissionDeniedError(
      fmt::format("Origin is '{}'; expected a page of this server, or of a name given with "
                  "--allow-host",
                  origin.substr(0, 80)));
}

}  // namespace gorila
