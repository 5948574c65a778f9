// The folder of one training run.
#ifndef GORILA_RUN_RUN_DIRECTORY_H_
#define GORILA_RUN_RUN_DIRECTORY_H_

#include <filesystem>
#include <memory>
#include <string>

#include "gorila/base/status.h"

namespace gorila {

// NotFound for no folder, InvalidArgument for one that is not a run's, saying what it is where that
// can be told, Unavailable for one that may not be read.
Status CheckIsRun(const std::filesystem::path& path);

// What keeps a run's state, and so what resumes it.
enum class RunKind {
  kTrained,      // gorila train: checkpoints/
  kLaunched,     // gorila launch: servers/
  kCoordinated,  // gorila coordinator: servers elsewhere
};

// The kind of the run in the folder.
RunKind KindOfRun(const std::filesystem::path& path);
// The command that resumes the run in the folder.
std::string ResumeCommand(const std::filesystem::path& path);
// InvalidArgument, with the command that resumes it, for a run of another kind.
Status CheckRunKind(const std::filesystem::path& path, RunKind expected);

// Whether the process that holds the run, or was the last to hold it, ran on this machine; false
// when it is not known. A lock of another machine, or another container, is not seen here.
bool HeldHere(const std::filesystem::path& path);

// Held exclusively: two processes never write to one run. Released on destruction or death.
class RunDirectory {
 public:
  // A new or empty folder, or one with nothing but what a killed process left that was making a
  // run. The caller writes config() last: that makes it a run. AlreadyExists when the folder has a
  // run already (or anything else in it), or another process holds it.
  static StatusOr<std::unique_ptr<RunDirectory>> Create(const std::filesystem::path& path);
  // An existing run's. InvalidArgument when it is not a run, AlreadyExists when another process
  // holds it.
  static StatusOr<std::unique_ptr<RunDirectory>> Open(const std::filesystem::path& path);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  // Aborted when the folder no longer exists. Other trouble with the disk may be temporary.
  Status CheckNotRemoved() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path events() const { return path_ / "tensorboard"; }
  // Its presence tells that the run's servers are elsewhere.
  std::filesystem::path coordinated() const { return path_ / "coordinated"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

 private:
  RunDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  static StatusOr<std::unique_ptr<RunDirectory>> Lock(const std::filesystem::path& path);

  const std::filesystem::path path_;
  const int lock_;  // file descriptor
};

}  // namespace gorila

#endif  // GORILA_RUN_RUN_DIRECTORY_H_
