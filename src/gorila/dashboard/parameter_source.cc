#include "gorila/dashboard/parameter_source.h"

#include <chrono>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/launch/launch_files.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/parameter_server/remote/shard_snapshots.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/run_network.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

class StoreSource final : public ParameterSource {
 public:
  explicit StoreSource(ParameterStore& store)
      : store_(store), versions_(static_cast<std::size_t>(store.num_shards()), -1) {}

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    values.resize(store_.size());
    return store_.Pull(values, versions_);
  }
  std::string Describe() const override { return "live"; }

 private:
  ParameterStore& store_;
  ShardVersions versions_;
};

class DirectorySource final : public ParameterSource {
 public:
  DirectorySource(fs::path directory, ParameterLayout layout)
      : directory_(std::move(directory)), layout_(std::move(layout)) {}

  bool HasFinalNetwork() const { return FinalNetworkIsNewest(directory_); }

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    if (HasFinalNetwork()) return TakeFile(FinalNetworkFile(directory_), "final network", values);
    GORILA_ASSIGN_OR_RETURN(const auto checkpoints, ListCheckpoints(directory_ / "checkpoints"));
    if (!checkpoints.empty()) return TakeCheckpoint(checkpoints, values);
    const fs::path best = LaunchFiles(directory_).best();
    std::error_code error;
    if (fs::exists(best, error)) return TakeFile(best, "best network so far", values);
    return NotFound("the run has no checkpoint yet");
  }

  std::string Describe() const override { return description_; }

 private:
  // The newest complete one. The file has its own checksum; verifying the whole checkpoint would
  // read its replay memory.
  StatusOr<bool> TakeCheckpoint(const std::vector<fs::path>& checkpoints,
                                std::vector<float>& values) {
    StatusOr<bool> taken = false;
    std::string note;
    for (const fs::path& checkpoint : checkpoints) {
      taken = TakeFile(checkpoint / "parameters.safetensors",
                       fmt::format("checkpoint at {} frames{}",
                                   std::stoll(checkpoint.filename().string()), note),
                       values);
      if (taken.ok()) return taken;
      note = ", newer ones are damaged";
    }
    return taken;
  }

  // Unless it was taken before.
  StatusOr<bool> TakeFile(const fs::path& file, std::string description,
                          std::vector<float>& values) {
    std::error_code error;
    const std::pair seen(file, fs::last_write_time(file, error));
    if (seen == seen_) return false;
    GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFileOf(NetworkFileOf(layout_.size), file));
    GORILA_ASSIGN_OR_RETURN(values, DecodeParameters(layout_, bytes));
    seen_ = seen;
    description_ = std::move(description);
    return true;
  }

  const fs::path directory_;
  const ParameterLayout layout_;
  std::pair<fs::path, fs::file_time_type> seen_;
  std::string description_;
};

// The newest snapshots of all shards, which are not of the same instant.
class SnapshotSource final : public ParameterSource {
 public:
  SnapshotSource(LaunchFiles files, const Config& config, const ParameterLayout& layout)
      : files_(std::move(files)), config_(config), layout_(layout) {}

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    GORILA_ASSIGN_OR_RETURN(const std::vector<fs::path> newest, Newest());
    if (newest == seen_) return false;
    GORILA_ASSIGN_OR_RETURN(RunNetwork network, ReadServerSnapshots(files_.run, config_, layout_));
    values = std::move(network.parameters);
    description_ = fmt::format("snapshots of the parameter servers, {}{}", network.versions,
                               network.warnings.empty() ? "" : "; newer ones are damaged");
    seen_ = newest;
    return true;
  }
  std::string Describe() const override { return description_; }

 private:
  fs::path FolderOf(int shard) const {
    return files_.servers() / ProcessName(Role::kParameterServer, shard);
  }
  StatusOr<std::vector<fs::path>> Newest() const {
    std::vector<fs::path> newest;
    for (int i = 0; i < NumberOfShards(config_); ++i) {
      GORILA_ASSIGN_OR_RETURN(const auto all, ListCheckpoints(ShardSnapshotFolder(FolderOf(i))));
      if (all.empty()) return NotFound("the run has no snapshot of its parameters yet");
      newest.push_back(all.front());
    }
    return newest;
  }

  const LaunchFiles files_;
  const Config& config_;
  const ParameterLayout layout_;
  std::vector<fs::path> seen_;
  std::string description_;
};

// The parameter servers' current values. NotFound while they do not answer; retried after some
// seconds.
class ServerSource final : public ParameterSource {
 public:
  ServerSource(LaunchFiles files, const Config& config, const ParameterLayout& layout)
      : files_(std::move(files)), config_(config), layout_(layout) {}

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try_) return NotFound("the parameter servers do not answer");
    StatusOr<bool> pulled = Pull(values);
    if (pulled.ok()) return pulled;
    store_.reset();
    next_try_ = now + kAskAgain;
    return NotFound("the parameter servers do not answer: {}",
                    std::string(pulled.status().message()));
  }
  std::string Describe() const override { return "live"; }

 private:
  static constexpr std::chrono::milliseconds kTimeout{2000};
  static constexpr std::chrono::seconds kAskAgain{5};

  StatusOr<bool> Pull(std::vector<float>& values) {
    if (store_ == nullptr) {
      GORILA_RETURN_IF_ERROR(Connect());
      versions_.assign(static_cast<std::size_t>(store_->num_shards()), -1);
    }
    values.resize(store_->size());
    return store_->Pull(values, versions_);
  }

  Status Connect() {
    RemoteStoreOptions options;
    GORILA_ASSIGN_OR_RETURN(options.endpoints,
                            ReadAddresses(files_, config_, Role::kParameterServer));
    GORILA_ASSIGN_OR_RETURN(RoleCredentials credentials, OperatorCredentials(files_));
    options.tls = std::move(credentials.tls);
    options.token = std::move(credentials.token);
    options.layout = layout_.Fingerprint();
    options.parameters = layout_.size;
    options.timeout = kTimeout;
    options.retry.patience = std::chrono::milliseconds(0);
    GORILA_ASSIGN_OR_RETURN(store_, RemoteParameterStore::Connect(options));
    return OkStatus();
  }

  const LaunchFiles files_;
  const Config& config_;
  const ParameterLayout layout_;
  std::unique_ptr<RemoteParameterStore> store_;  // null: not connected
  ShardVersions versions_;
  std::chrono::steady_clock::time_point next_try_{};
};

// The first of several that has parameters.
class LaunchedSource final : public ParameterSource {
 public:
  LaunchedSource(const fs::path& directory, const Config& config, const ParameterLayout& layout)
      : files_(directory, layout),
        servers_(LaunchFiles(directory), config, layout),
        snapshots_(LaunchFiles(directory), config, layout) {}

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    if (files_.HasFinalNetwork()) return RefreshFrom(files_, values);
    StatusOr<bool> changed = RefreshFrom(servers_, values);
    if (absl::IsNotFound(changed.status())) changed = RefreshFrom(snapshots_, values);
    if (absl::IsNotFound(changed.status())) changed = RefreshFrom(files_, values);
    return changed;
  }
  std::string Describe() const override { return present_ == nullptr ? "" : present_->Describe(); }

 private:
  StatusOr<bool> RefreshFrom(ParameterSource& source, std::vector<float>& values) {
    GORILA_ASSIGN_OR_RETURN(const bool changed, source.Refresh(values));
    if (changed) present_ = &source;
    return changed;
  }

  DirectorySource files_;
  ServerSource servers_;
  SnapshotSource snapshots_;
  ParameterSource* present_ = nullptr;  // whose parameters were given last
};

}  // namespace

std::unique_ptr<ParameterSource> WatchStore(ParameterStore& store) {
  return std::make_unique<StoreSource>(store);
}

std::unique_ptr<ParameterSource> WatchRunDirectory(const fs::path& directory,
                                                   const ParameterLayout& layout) {
  return std::make_unique<DirectorySource>(directory, layout);
}

std::unique_ptr<ParameterSource> WatchLaunchedRun(const fs::path& directory, const Config& config,
                                                  const ParameterLayout& layout) {
  return std::make_unique<LaunchedSource>(directory, config, layout);
}

bool IsLaunchedRun(const fs::path& directory) { return KindOfRun(directory) == RunKind::kLaunched; }

}  // namespace gorila
