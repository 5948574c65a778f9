// Which names a page may be asked under.
#ifndef GORILA_DASHBOARD_HOST_CHECK_H_
#define GORILA_DASHBOARD_HOST_CHECK_H_

#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// Against DNS rebinding: a page elsewhere can have its own name lead here, and read what is
// answered to that name. An address as Host comes from no such page, so every address passes, and
// localhost, and `names`.
class HostCheck {
 public:
  explicit HostCheck(std::vector<std::string> names);

  // `host`: of the request's header, with or without a port. Empty passes: no browser leaves it
  // out.
  Status CheckHost(std::string_view host) const;

  // `origin`: the request's header, empty when missing. It must be the same host, or one of `names`
  // (a proxy may use another name than its browsers).
  Status CheckOrigin(std::string_view origin, std::string_view host) const;

 private:
  bool Knows(std::string_view name) const;

  const std::vector<std::string> names_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_HOST_CHECK_H_
