// What the processes of a distributed run have in common.
#ifndef GORILA_LAUNCH_ROLE_OPTIONS_H_
#define GORILA_LAUNCH_ROLE_OPTIONS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/launch/status_board.h"
#include "gorila/rpc/retry.h"
#include "gorila/rpc/security.h"

namespace gorila {

// How a process proves that it belongs to the run.
struct RoleCredentials {
  std::string token;  // empty: the run has none
  std::optional<rpc::TlsIdentity> tls;
};

// Callbacks of the process's owner. Called from several threads.
struct RoleHooks {
  rpc::StopPredicate stop_requested = {};              // asked several times a second
  std::function<void(std::string_view)> message = {};  // one line for people; may be empty
  StatusBoard* board = nullptr;  // where the process shows its figures; may be null

  bool stopped() const { return stop_requested && stop_requested(); }
  void Say(std::string_view text) const {
    if (message) message(text);
  }
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_ROLE_OPTIONS_H_
