#include "gorila/dashboard/parameter_source.h"

#include "gorila/base/file.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/runtime/run_checkpoint.h"

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

  StatusOr<bool> Refresh(std::vector<float>& values) override {
    std::error_code error;
    const fs::path final_network = directory_ / "final.safetensors";
    if (fs::exists(final_network, error)) {
      if (seen_ == final_network) return false;
      GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(final_network));
      return Take(bytes, final_network, "final network", values);
    }
    GORILA_ASSIGN_OR_RETURN(const auto checkpoints, ListCheckpoints(directory_ / "checkpoints"));
    if (checkpoints.empty()) return NotFound("the run has no checkpoint yet");
    if (seen_ == checkpoints.front()) return false;
    const fs::path& newest = checkpoints.front();
    // The file carries a checksum of its own; verifying the whole checkpoint would read its replay.
    GORILA_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(newest / "parameters.safetensors"));
    return Take(bytes, newest,
                fmt::format("checkpoint at {} frames", std::stoll(newest.filename().string())),
                values);
  }

  std::string Describe() const override { return description_; }

 private:
  StatusOr<bool> Take(const std::string& bytes, const fs::path& from, std::string description,
                      std::vector<float>& values) {
    GORILA_ASSIGN_OR_RETURN(values, DecodeParameters(layout_, bytes));
    seen_ = from;
    description_ = std::move(description);
    return true;
  }

  const fs::path directory_;
  const ParameterLayout layout_;
  fs::path seen_;
  std::string description_;
};

}  // namespace

std::unique_ptr<ParameterSource> WatchStore(ParameterStore& store) {
  return std::make_unique<StoreSource>(store);
}

std::unique_ptr<ParameterSource> WatchRunDirectory(const fs::path& directory,
                                                   const ParameterLayout& layout) {
  return std::make_unique<DirectorySource>(directory, layout);
}

}  // namespace gorila
