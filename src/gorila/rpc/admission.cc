#include "gorila/rpc/admission.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gorila::rpc {
namespace {

std::map<std::string, Method, std::less<>> ByName(std::vector<Method> methods) {
  std::map<std::string, Method, std::less<>> by_name;
  for (Method& method : methods) {
    std::string name = method.name;
    by_name.emplace(std::move(name), std::move(method));
  }
  return by_name;
}

}  // namespace

Admission::Admission(const ServerOptions& options, std::vector<Method> methods)
    : options_(options), methods_(ByName(std::move(methods))) {}

StatusOr<const Method*> Admission::Admit(const CallMetadata& call) {
  const auto found = methods_.find(call.method);
  const bool layout_optional = found == methods_.end() || found->second.layout_optional;
  GORILA_RETURN_IF_ERROR(
      CheckIdentity(options_.identity, call.token, call.layout, layout_optional));
  if (found == methods_.end()) {
    return Refused(Refusal::kMethod,
                   absl::UnimplementedError(fmt::format("unknown method '{}'", call.method)));
  }
  const Method& method = found->second;
  GORILA_RETURN_IF_ERROR(CheckRole(call, method));
  GORILA_RETURN_IF_ERROR(CheckDeadline(call.deadline));
  // Last: only calls that are admitted take a place.
  if (present_calls_.fetch_add(1) >= options_.max_calls) {
    present_calls_.fetch_sub(1);
    return Refused(Refusal::kBusy, absl::ResourceExhaustedError(fmt::format(
                                       "{} calls are already in progress", options_.max_calls)));
  }
  return &method;
}

Status Admission::CheckRole(const CallMetadata& call, const Method& method) const {
  if (!options_.tls.has_value()) return OkStatus();
  if (std::find(method.roles.begin(), method.roles.end(), call.role) != method.roles.end()) {
    return OkStatus();
  }
  return Refused(Refusal::kRole, absl::PermissionDeniedError(fmt::format(
                                     "the certificate has role '{}'; {} is for {}", call.role,
                                     method.name, fmt::join(method.roles, ", "))));
}

Status Admission::CheckDeadline(WallTime deadline) const {
  if (deadline <= WallNow() + options_.longest_deadline) return OkStatus();
  return Refused(
      Refusal::kDeadline,
      InvalidArgument(
          "expected a deadline of at most {} s",
          std::chrono::duration_cast<std::chrono::seconds>(options_.longest_deadline).count()));
}

}  // namespace gorila::rpc
