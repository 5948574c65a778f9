#include "gorila/checkpoint/checkpoint_directory.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "gorila/base/crash_point.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryPrefix = ".tmp-";
constexpr std::size_t kNumberDigits = 12;

std::string FolderName(std::uint64_t number) {
  return fmt::format("{:0{}}", number, kNumberDigits);
}

fs::path TemporaryFolder(const fs::path& root, std::uint64_t number) {
  return root / (std::string(kTemporaryPrefix) + FolderName(number));
}

// The number that a folder's name says, if it is a checkpoint's.
std::optional<std::uint64_t> ParseFolderName(const std::string& name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.size() != kNumberDigits || !std::all_of(name.begin(), name.end(), is_digit)) {
    return std::nullopt;
  }
  return std::stoull(name);
}

std::string DescribeCheckpoint(const fs::path& path) {
  return fmt::format("checkpoint '{}'", path.string());
}

// Names of the folders in `root`; none when it is missing.
StatusOr<std::vector<std::string>> ListFolders(const fs::path& root) {
  std::vector<std::string> names;
  const auto entries = ListFolder(root);
  if (absl::IsNotFound(entries.status())) return names;
  GORILA_RETURN_IF_ERROR(entries.status());
  for (const FolderEntry& entry : *entries) {
    if (entry.folder) names.push_back(entry.name);
  }
  return names;
}

// Those of numbers up to `last`.
Status RemoveTemporaryFolders(const fs::path& root, std::uint64_t last) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolders(root));
  for (const std::string& name : names) {
    if (!name.starts_with(kTemporaryPrefix)) continue;
    const auto number = ParseFolderName(name.substr(kTemporaryPrefix.size()));
    if (number.value_or(0) <= last) GORILA_RETURN_IF_ERROR(RemovePathAndBelow(root / name));
  }
  return OkStatus();
}

// Takes their names away before the first file goes, so that no half checkpoint looks whole.
Status RemoveCheckpoints(const fs::path& root, const std::vector<fs::path>& checkpoints,
                         std::uint64_t last_temporary) {
  GORILA_RETURN_IF_ERROR(RemoveTemporaryFolders(root, last_temporary));
  if (checkpoints.empty()) return OkStatus();
  for (const fs::path& path : checkpoints) {
    const fs::path aside = root / (std::string(kTemporaryPrefix) + path.filename().string());
    GORILA_RETURN_IF_ERROR(RenamePath(path, aside));
    CrashPoint("checkpoint set aside");
  }
  GORILA_RETURN_IF_ERROR(SyncFolder(root));
  return RemoveTemporaryFolders(root, last_temporary);
}

Status CheckSize(const CheckpointFile& file, std::uint64_t size) {
  if (size == file.size) return OkStatus();
  return DataLoss("file '{}' has {} bytes, manifest says {}", file.name, size, file.size);
}

Status CheckCrc32(const CheckpointFile& file, std::uint32_t crc32) {
  if (crc32 == file.crc32) return OkStatus();
  return DataLoss("file '{}' has CRC-32 {:08x}, manifest says {:08x}", file.name, crc32,
                  file.crc32);
}

Status VerifyFile(const fs::path& folder, const CheckpointFile& file) {
  const fs::path path = folder / file.name;
  const PathLook look = LookAt(path);
  if (look.kind == PathLook::Kind::kNothing) return DataLoss("file '{}' is missing", file.name);
  if (look.kind != PathLook::Kind::kRegular) {
    return DataLoss("'{}' is not a regular file", file.name);
  }
  GORILA_RETURN_IF_ERROR(CheckSize(file, look.size));
  GORILA_ASSIGN_OR_RETURN(const std::uint32_t crc32, Crc32OfFile(path));
  return CheckCrc32(file, crc32);
}

StatusOr<Manifest> ReadManifestOf(const fs::path& folder) {
  const StatusOr<std::string> text = ReadFileOf(kManifestFile, folder / kManifestName);
  if (absl::IsNotFound(text.status())) return DataLoss("file '{}' is missing", kManifestName);
  if (!text.ok()) return text.status();
  StatusOr<Manifest> manifest = DecodeManifest(*text);
  if (!manifest.ok()) return Annotate(manifest.status(), std::string(kManifestName));
  if (FolderName(manifest->number) != folder.filename()) {
    return DataLoss("{} says number {}, the folder's name is '{}'", kManifestName, manifest->number,
                    folder.filename().string());
  }
  return manifest;
}

StatusOr<Manifest> VerifiedManifest(const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(Manifest manifest, ReadManifestOf(folder));
  for (const CheckpointFile& file : manifest.files) {
    GORILA_RETURN_IF_ERROR(VerifyFile(folder, file));
  }
  return manifest;
}

}  // namespace

Checkpoint::Checkpoint(fs::path path, std::uint64_t number, std::vector<CheckpointFile> files)
    : path_(std::move(path)), number_(number), files_(std::move(files)) {}

StatusOr<CheckpointFile> Checkpoint::Find(std::string_view name) const {
  for (const CheckpointFile& file : files_) {
    if (file.name == name) return file;
  }
  return NotFound("{}: no file '{}'", DescribeCheckpoint(path_), name);
}

StatusOr<std::string> Checkpoint::Read(std::string_view name) const {
  GORILA_ASSIGN_OR_RETURN(const CheckpointFile file, Find(name));
  // Before it is read: it may be far too large.
  const PathLook look = LookAt(path_ / file.name);
  if (look.kind == PathLook::Kind::kRegular) {
    GORILA_RETURN_IF_ERROR(Annotate(CheckSize(file, look.size), DescribeCheckpoint(path_)));
  }
  StatusOr<std::string> contents = ReadFile(path_ / file.name);
  Status status = contents.status();
  if (status.ok()) status = CheckSize(file, contents->size());
  if (status.ok()) status = CheckCrc32(file, Crc32(*contents));
  if (!status.ok()) return Annotate(status, DescribeCheckpoint(path_));
  return contents;
}

CheckpointWriter::CheckpointWriter(fs::path root, std::uint64_t number)
    : root_(std::move(root)), number_(number), folder_(TemporaryFolder(root_, number_)) {}

StatusOr<std::unique_ptr<CheckpointWriter>> CheckpointWriter::Create(const fs::path& root,
                                                                     std::uint64_t number) {
  if (number > kMaxCheckpointNumber) {
    return InvalidArgument("checkpoint number {}, expected at most {}", number,
                           kMaxCheckpointNumber);
  }
  if (LookAt(root).kind != PathLook::Kind::kFolder) {
    GORILA_RETURN_IF_ERROR(CreateDurableFolders(root));
  }
  const fs::path path = root / FolderName(number);
  if (LookAt(path).kind != PathLook::Kind::kNothing) {
    return absl::AlreadyExistsError(DescribeCheckpoint(path) + " exists already");
  }
  std::unique_ptr<CheckpointWriter> writer(new CheckpointWriter(root, number));
  GORILA_RETURN_IF_ERROR(RemovePathAndBelow(writer->folder_));
  GORILA_RETURN_IF_ERROR(CreateFolders(writer->folder_));
  return writer;
}

CheckpointWriter::~CheckpointWriter() {
  if (renamed_) return;
  // What cannot be removed now goes with the next PruneCheckpoints.
  RemovePathAndBelow(folder_).IgnoreError();
}

Status CheckpointWriter::PrepareName(std::string_view name) {
  GORILA_CHECK(!closed_, "file '{}' added after Commit", name);
  GORILA_RETURN_IF_ERROR(CheckCheckpointFileName(name));
  for (const CheckpointFile& file : files_) {
    if (file.name == name) return InvalidArgument("file name '{}' is given twice", name);
  }
  const std::size_t slash = name.find('/');
  if (slash == name.npos) return OkStatus();
  const fs::path subfolder = folder_ / name.substr(0, slash);
  GORILA_RETURN_IF_ERROR(CreateFolders(subfolder));
  subfolders_.insert(subfolder);
  return OkStatus();
}

Status CheckpointWriter::AddFile(std::string_view name, std::string_view contents) {
  GORILA_RETURN_IF_ERROR(PrepareName(name));
  GORILA_RETURN_IF_ERROR(WriteFileSynced(folder_ / name, contents));
  files_.push_back({std::string(name), contents.size(), Crc32(contents)});
  return OkStatus();
}

Status CheckpointWriter::LinkFile(std::string_view name, const Checkpoint& older) {
  GORILA_ASSIGN_OR_RETURN(const CheckpointFile file, older.Find(name));
  GORILA_RETURN_IF_ERROR(PrepareName(name));
  const fs::path from = older.path() / file.name;
  if (const PathLook look = LookAt(from); look.kind == PathLook::Kind::kRegular) {
    GORILA_RETURN_IF_ERROR(Annotate(CheckSize(file, look.size), DescribeCheckpoint(older.path())));
  }
  if (!LinkFileTo(from, folder_ / name).ok()) {
    GORILA_ASSIGN_OR_RETURN(const std::string contents, older.Read(name));
    return AddFile(name, contents);
  }
  files_.push_back(file);
  return OkStatus();
}

StatusOr<Checkpoint> CheckpointWriter::Commit() {
  GORILA_CHECK(!closed_, "Commit called twice");
  closed_ = true;
  std::sort(files_.begin(), files_.end(),
            [](const CheckpointFile& a, const CheckpointFile& b) { return a.name < b.name; });
  GORILA_RETURN_IF_ERROR(WriteFileSynced(folder_ / kManifestName,
                                         EncodeManifest({.number = number_, .files = files_})));
  for (const fs::path& subfolder : subfolders_) GORILA_RETURN_IF_ERROR(SyncFolder(subfolder));
  GORILA_RETURN_IF_ERROR(SyncFolder(folder_));
  CrashPoint("checkpoint written");
  const fs::path path = root_ / FolderName(number_);
  GORILA_RETURN_IF_ERROR(RenamePath(folder_, path));
  renamed_ = true;
  CrashPoint("checkpoint renamed");
  GORILA_RETURN_IF_ERROR(SyncFolder(root_));
  return Checkpoint(path, number_, files_);
}

StatusOr<std::vector<fs::path>> ListCheckpoints(const fs::path& root) {
  GORILA_ASSIGN_OR_RETURN(std::vector<std::string> names, ListFolders(root));
  std::sort(names.begin(), names.end(), std::greater<>());
  std::vector<fs::path> paths;
  for (const std::string& name : names) {
    if (ParseFolderName(name)) paths.push_back(root / name);
  }
  return paths;
}

StatusOr<Checkpoint> OpenCheckpoint(const fs::path& path) {
  // "a/b/" has no file name.
  const fs::path folder = path.has_filename() ? path : path.parent_path();
  if (LookAt(folder).kind != PathLook::Kind::kFolder) {
    return NotFound("{}: no such folder", DescribeCheckpoint(folder));
  }
  StatusOr<Manifest> manifest = VerifiedManifest(folder);
  if (!manifest.ok()) return Annotate(manifest.status(), DescribeCheckpoint(folder));
  return Checkpoint(folder, manifest->number, std::move(manifest->files));
}

StatusOr<NewestCheckpoint> NewestCompleteCheckpoint(const fs::path& root) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<fs::path> paths, ListCheckpoints(root));
  std::vector<std::string> warnings;
  for (const fs::path& path : paths) {
    StatusOr<Checkpoint> checkpoint = OpenCheckpoint(path);
    if (checkpoint.ok()) return NewestCheckpoint{*std::move(checkpoint), std::move(warnings)};
    warnings.emplace_back(checkpoint.status().message());
  }
  return NotFound("no complete checkpoint in '{}'{}{}", root.string(), warnings.empty() ? "" : ": ",
                  fmt::join(warnings, "; "));
}

Status PruneCheckpoints(const fs::path& root, std::size_t keep) {
  if (keep < 1) return InvalidArgument("checkpoints to keep is {}, expected at least 1", keep);
  GORILA_ASSIGN_OR_RETURN(std::vector<fs::path> paths, ListCheckpoints(root));
  const std::uint64_t newest =
      paths.empty() ? 0 : *ParseFolderName(paths.front().filename().string());
  paths.erase(paths.begin(),
              paths.begin() + static_cast<std::ptrdiff_t>(std::min(keep, paths.size())));
  return RemoveCheckpoints(root, paths, newest);
}

Status DiscardCheckpointsAfter(const fs::path& root, std::uint64_t number) {
  GORILA_ASSIGN_OR_RETURN(std::vector<fs::path> paths, ListCheckpoints(root));
  std::erase_if(paths, [number](const fs::path& path) {
    return *ParseFolderName(path.filename().string()) <= number;
  });
  return RemoveCheckpoints(root, paths, kMaxCheckpointNumber);
}

}  // namespace gorila
