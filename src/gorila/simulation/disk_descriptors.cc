#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "gorila/simulation/disk.h"

namespace gorila::simulation {
namespace {

// No descriptor of this process, which one that leaks into a simulation might be.
constexpr int kFirstFile = 1'000'000;

int Fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

int SimulatedDisk::Open(const std::filesystem::path& path, int flags) {
  if (Find(path) == nullptr && (flags & O_CREAT) != 0) {
    if (!Take(0.1, path).ok()) return Fail(ENOSPC);
    const NodePointer parent = ParentOf(path);
    if (parent == nullptr) return Fail(ENOENT);
    if (Find(path) == nullptr) {
      Note(path,
           {.folder = parent, .name = path.filename().string(), .to = std::make_shared<Node>()});
      flags &= ~O_EXCL;
    }
  }
  const NodePointer node = Find(path);
  if (node == nullptr) return Fail(ENOENT);
  if ((flags & O_EXCL) != 0) return Fail(EEXIST);
  if (node->folder) return Fail(EISDIR);
  open_files_.push_back({.node = node, .path = path});
  return kFirstFile + static_cast<int>(open_files_.size()) - 1;
}

SimulatedDisk::OpenFile& SimulatedDisk::FileOf(int file) {
  return open_files_[static_cast<std::size_t>(file - kFirstFile)];
}

// One that fails leaves half of what was to be written.
ssize_t SimulatedDisk::WriteAt(int file, std::string_view bytes, std::uint64_t offset) {
  ++counters_.writes;
  Node& node = *FileOf(file).node;
  const bool fails = !Take(0.02, FileOf(file).path).ok();
  const std::string_view written = fails ? bytes.substr(0, bytes.size() / 2) : bytes;
  const auto at = static_cast<std::size_t>(offset);
  node.bytes.resize(std::max(node.bytes.size(), at + written.size()));
  std::copy(written.begin(), written.end(), node.bytes.begin() + static_cast<std::ptrdiff_t>(at));
  node.kept = std::min(node.kept, at);
  node.torn = true;
  return fails ? Fail(ENOSPC) : static_cast<ssize_t>(bytes.size());
}

int SimulatedDisk::Truncate(int file, std::uint64_t bytes) {
  Node& node = *FileOf(file).node;
  if (node.bytes.size() == bytes) return 0;
  node.bytes.resize(static_cast<std::size_t>(bytes));
  node.kept = std::min(node.kept, node.bytes.size());
  node.torn = true;
  return 0;
}

int SimulatedDisk::Sync(int file) {
  if (!Take(1, FileOf(file).path).ok()) return Fail(EIO);
  Node& node = *FileOf(file).node;
  node.durable = node.bytes;
  node.kept = node.bytes.size();
  node.torn = false;
  return 0;
}

int SimulatedDisk::Lock(int file) {
  Node& node = *FileOf(file).node;
  const ProcessId process = scheduler_.current_process();
  const bool free = node.locked_by == 0 || !scheduler_.IsAlive(node.locked_by);
  if (!free && node.locked_by != process) return Fail(EWOULDBLOCK);
  node.locked_by = process;
  return 0;
}

int SimulatedDisk::Close(int file) {
  Node& node = *FileOf(file).node;
  if (node.locked_by == scheduler_.current_process()) node.locked_by = 0;
  return 0;
}

std::map<std::string, std::string> SimulatedDisk::FilesIn(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  const NodePointer node = Find(folder);
  if (node == nullptr) return files;
  for (const auto& [name, entry] : node->names) {
    if (!entry->folder) {
      files[name] = entry->bytes;
      continue;
    }
    for (auto& [below, bytes] : FilesIn(folder / name)) files[name + "/" + below] = bytes;
  }
  return files;
}

}  // namespace gorila::simulation
