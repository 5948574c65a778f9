#include "gorila/launch/launch_files.h"

#include <algorithm>
#include <charconv>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/rpc/run_identity.h"
#include "gorila/run/run_directory.h"

namespace gorila {

std::vector<std::filesystem::path> LaunchFiles::AllPending() const {
  constexpr std::string_view kBefore = "pending-";
  constexpr std::string_view kAfter = ".safetensors";
  std::vector<std::pair<std::int64_t, std::filesystem::path>> found;
  const StatusOr<std::vector<FolderEntry>> entries = ListFolder(run);
  if (!entries.ok()) return {};
  for (const auto& [name, folder] : *entries) {
    std::int64_t frames = 0;
    if (name.size() <= kBefore.size()) continue;
    std::from_chars(name.data() + kBefore.size(), name.data() + name.size(), frames);
    if (name == fmt::format("{}{}{}", kBefore, frames, kAfter)) {
      found.emplace_back(frames, run / name);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::filesystem::path> paths;
  paths.reserve(found.size());
  for (auto& [frames, path] : found) paths.push_back(std::move(path));
  return paths;
}

Status MakeLaunchFolders(const LaunchFiles& files) {
  for (const auto& folder : {files.addresses(), files.servers(), files.logs()}) {
    GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  }
  return OkStatus();
}

StatusOr<MadeWith> ReadMadeWith(const LaunchFiles& files, const Config& config) {
  const StatusOr<std::string> text = ReadFileOf(kSettingsFile, files.made_with());
  if (absl::IsNotFound(text.status())) return StateKeys(config, RunKind::kLaunched);
  GORILA_RETURN_IF_ERROR(text.status());
  const auto json = ParseJson<nlohmann::json>(*text);
  MadeWith made_with;
  if (!json.is_object()) return DataLoss("'{}' is not a JSON object", files.made_with().string());
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      return DataLoss("'{}': '{}' is not a string", files.made_with().string(), key);
    }
    made_with.emplace(key, value.get<std::string>());
  }
  // Older files lack it.
  made_with.insert(*StateKeys(config, RunKind::kLaunched).find("learner.algorithm"));
  return made_with;
}

Status WriteMadeWith(const LaunchFiles& files, const Config& config) {
  const nlohmann::json json = StateKeys(config, RunKind::kLaunched);
  return WriteFileAtomically(files.made_with(), DumpJson(json, 2) + "\n");
}

StatusOr<std::vector<rpc::Endpoint>> ReadAddresses(const LaunchFiles& files, const Config& config,
                                                   Role role) {
  std::vector<rpc::Endpoint> endpoints;
  for (int i = 0; i < RowOf(role).count(config); ++i) {
    GORILA_ASSIGN_OR_RETURN(std::string text,
                            ReadFileOf(kNoteFile, files.addresses() / ProcessName(role, i)));
    text.resize(std::min(text.find('\n'), text.size()));
    GORILA_ASSIGN_OR_RETURN(rpc::Endpoint endpoint, rpc::ParseEndpoint(text));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

StatusOr<RoleCredentials> OperatorCredentials(const LaunchFiles& files) {
  RoleCredentials credentials;
  GORILA_ASSIGN_OR_RETURN(credentials.token, rpc::ReadToken(files.token()));
  std::error_code error;
  if (!std::filesystem::exists(files.certificates(), error)) return credentials;
  const std::filesystem::path stem = files.certificates() / kOperatorName;
  GORILA_ASSIGN_OR_RETURN(credentials.tls,
                          rpc::LoadTls({.certificate = stem.string() + ".crt",
                                        .key = stem.string() + ".key",
                                        .authority = files.certificates() / "ca.crt"}));
  return credentials;
}

}  // namespace gorila
