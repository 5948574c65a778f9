#include "gorila/simulation/disk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gorila/simulation/draws.h"

namespace gorila::simulation {
namespace {

namespace fs = std::filesystem;

enum Purpose : std::uint64_t { kFails = 1, kTime, kCut, kTorn };

Status NoSuchPath(const char* action, const fs::path& path) {
  return NotFound("cannot {} '{}': No such file or directory", action, path.string());
}

}  // namespace

class SimulatedDisk::HeldLock final : public LockFile {
 public:
  HeldLock(SimulatedDisk& disk, NodePointer node)
      : disk_(disk), process_(disk.scheduler_.current_process()), node_(std::move(node)) {}
  ~HeldLock() override {
    if (node_->locked_by == process_) node_->locked_by = 0;
  }

  Outcome TryLock() override {
    const bool free = node_->locked_by == 0 || !disk_.scheduler_.IsAlive(node_->locked_by);
    if (!free && node_->locked_by != process_) return Outcome::kBusy;
    node_->locked_by = process_;
    return Outcome::kHeld;
  }
  void Write(std::string_view note) override { node_->bytes = note; }
  std::string Read() const override { return node_->bytes; }

 private:
  SimulatedDisk& disk_;
  const ProcessId process_;
  const NodePointer node_;
};

SimulatedDisk::SimulatedDisk(Scheduler& scheduler, const DiskOptions& options,
                             DiskObserver* observer)
    : scheduler_(scheduler), options_(options), observer_(observer) {
  simulated_files = this;
  simulated_descriptors = this;
}

SimulatedDisk::~SimulatedDisk() {
  simulated_files = nullptr;
  simulated_descriptors = nullptr;
}

SimulatedDisk::Volume& SimulatedDisk::VolumeOf(const fs::path& path) {
  const std::string name = std::next(path.begin())->string();
  Volume& volume = volumes_[name];
  if (volume.root == nullptr) {
    volume.root = std::make_shared<Node>();
    volume.root->folder = true;
  }
  return volume;
}

SimulatedDisk::NodePointer SimulatedDisk::Find(const fs::path& path) {
  NodePointer node = VolumeOf(path).root;
  for (auto part = std::next(path.begin(), 2); part != path.end(); ++part) {
    if (part->empty()) continue;  // "a/b/"
    const auto found = node->names.find(part->string());
    if (!node->folder || found == node->names.end()) return nullptr;
    node = found->second;
  }
  return node;
}

SimulatedDisk::NodePointer SimulatedDisk::ParentOf(const fs::path& path) {
  return Find(path.parent_path());
}

// Changes the names, and remembers that the change is not durable.
void SimulatedDisk::Note(const fs::path& path, Change change) {
  if (change.other_folder != nullptr) change.other_folder->names.erase(change.other_name);
  if (change.to == nullptr) {
    change.folder->names.erase(change.name);
  } else {
    change.folder->names[change.name] = change.to;
  }
  VolumeOf(path).changes.push_back(std::move(change));
}

void SimulatedDisk::MakeDurable(const Change& change) {
  if (change.other_folder != nullptr) {
    change.other_folder->durable_names.erase(change.other_name);
  }
  if (change.to == nullptr) {
    change.folder->durable_names.erase(change.name);
  } else {
    change.folder->durable_names[change.name] = change.to;
  }
}

// Time passes, or the operation fails.
Status SimulatedDisk::Take(double part, const fs::path& path) {
  const std::uint64_t operation = operations_++;
  const double unit = UnitOf(DrawBits({options_.seed, kTime, operation}));
  SleepFor(Seconds(options_.latency * part * (0.5 + unit)));
  if (UnitOf(DrawBits({options_.seed, kFails, operation})) >= options_.fails) return OkStatus();
  ++counters_.failures;
  return Unavailable("cannot write '{}': simulated: no space left on device", path.string());
}

StatusOr<std::string> SimulatedDisk::Read(const fs::path& path) {
  const NodePointer node = Find(path);
  if (node == nullptr) return NoSuchPath("open", path);
  if (node->folder) return InvalidArgument("'{}' is a folder", path.string());
  SleepFor(Seconds(options_.latency / 10));
  if (observer_ != nullptr) observer_->HasRead(scheduler_.current_process(), path);
  return node->bytes;
}

Status SimulatedDisk::WriteSynced(const fs::path& path, std::string_view contents) {
  const NodePointer parent = ParentOf(path);
  if (parent == nullptr) return NoSuchPath("create", path);
  ++counters_.writes;
  NodePointer file = Find(path);
  if (file == nullptr) {
    file = std::make_shared<Node>();
    Note(path, {.folder = parent, .name = path.filename().string(), .to = file});
  }
  file->bytes.clear();
  file->kept = 0;
  file->torn = true;
  GORILA_RETURN_IF_ERROR(Take(0.1, path));
  file->bytes = contents;
  GORILA_RETURN_IF_ERROR(Take(1, path));
  file->durable = file->bytes;
  file->kept = file->bytes.size();
  file->torn = false;
  return OkStatus();
}

// Another process may remove the folder meanwhile, which does not concern this one.
Status SimulatedDisk::SyncFolder(const fs::path& folder) {
  const NodePointer node = Find(folder);
  if (node == nullptr) return NoSuchPath("open folder", folder);
  GORILA_RETURN_IF_ERROR(Take(1, folder));
  ++counters_.syncs;
  Volume& volume = VolumeOf(folder);
  std::vector<Change> others;
  for (Change& change : volume.changes) {
    if (options_.journal || change.folder == node || change.other_folder == node) {
      MakeDurable(change);
    } else {
      others.push_back(std::move(change));
    }
  }
  volume.changes = std::move(others);
  if (observer_ != nullptr) {
    observer_->Synced(scheduler_.current_process(), folder, EntriesOf(*node));
  }
  return OkStatus();
}

Status SimulatedDisk::CreateFolders(const fs::path& path) {
  fs::path made = *path.begin() / *std::next(path.begin());
  VolumeOf(path);
  for (auto part = std::next(path.begin(), 2); part != path.end(); ++part) {
    if (part->empty()) continue;
    const NodePointer parent = Find(made);
    made /= *part;
    if (const auto found = parent->names.find(part->string()); found != parent->names.end()) {
      if (!found->second->folder) {
        return Unavailable("cannot create folder '{}': Not a directory", path.string());
      }
      continue;
    }
    NodePointer folder = std::make_shared<Node>();
    folder->folder = true;
    Note(path, {.folder = parent, .name = part->string(), .to = std::move(folder)});
  }
  return OkStatus();
}

PathLook SimulatedDisk::LookAt(const fs::path& path) {
  const NodePointer node = Find(path);
  if (node == nullptr) return {};
  if (node->folder) return {.kind = PathLook::Kind::kFolder};
  return {.kind = PathLook::Kind::kRegular, .size = node->bytes.size()};
}

StatusOr<std::vector<FolderEntry>> SimulatedDisk::List(const fs::path& folder) {
  const NodePointer node = Find(folder);
  if (node == nullptr || !node->folder) return NoSuchPath("list", folder);
  return EntriesOf(*node);
}

std::vector<FolderEntry> SimulatedDisk::EntriesOf(const Node& folder) {
  std::vector<FolderEntry> entries;
  for (const auto& [name, entry] : folder.names) entries.push_back({name, entry->folder});
  return entries;
}

Status SimulatedDisk::Rename(const fs::path& from, const fs::path& to) {
  SleepFor(Seconds(options_.latency / 10));
  const NodePointer node = Find(from);
  const NodePointer parent = ParentOf(to);
  if (node == nullptr || parent == nullptr) return NoSuchPath("rename", from);
  const NodePointer there = Find(to);
  if (there != nullptr && there->folder && !there->names.empty()) {
    return Unavailable("cannot rename '{}': Directory not empty", from.string());
  }
  Note(to, {.folder = parent,
            .name = to.filename().string(),
            .to = node,
            .other_folder = ParentOf(from),
            .other_name = from.filename().string()});
  return OkStatus();
}

Status SimulatedDisk::Remove(const fs::path& path) {
  const NodePointer node = Find(path);
  if (node == nullptr) return OkStatus();
  // Below first, one after the other, as it is on a real disk.
  const std::map<std::string, NodePointer> below = node->names;
  for (const auto& [name, entry] : below) GORILA_RETURN_IF_ERROR(Remove(path / name));
  SleepFor(Seconds(options_.latency / 20));
  const NodePointer parent = ParentOf(path);
  if (parent == nullptr || Find(path) != node) return OkStatus();  // somebody else was faster
  if (!node->names.empty()) {
    return Unavailable("cannot remove '{}': Directory not empty", path.string());
  }
  Note(path, {.folder = parent, .name = path.filename().string()});
  return OkStatus();
}

Status SimulatedDisk::Link(const fs::path& from, const fs::path& to) {
  const NodePointer node = Find(from);
  const NodePointer parent = ParentOf(to);
  if (node == nullptr || parent == nullptr) return NoSuchPath("link", to);
  Note(to, {.folder = parent, .name = to.filename().string(), .to = node});
  return OkStatus();
}

StatusOr<bool> SimulatedDisk::CreateExclusively(const fs::path& path) {
  GORILA_RETURN_IF_ERROR(Take(0.1, path));
  const NodePointer parent = ParentOf(path);
  if (parent == nullptr) return NoSuchPath("create", path);
  if (Find(path) != nullptr) return false;
  Note(path, {.folder = parent, .name = path.filename().string(), .to = std::make_shared<Node>()});
  return true;
}

StatusOr<std::unique_ptr<LockFile>> SimulatedDisk::OpenLock(const fs::path& path) {
  const NodePointer parent = ParentOf(path);
  if (parent == nullptr) return NoSuchPath("create", path);
  if (Find(path) == nullptr) {
    Note(path,
         {.folder = parent, .name = path.filename().string(), .to = std::make_shared<Node>()});
  }
  return std::make_unique<HeldLock>(*this, Find(path));
}

void SimulatedDisk::CutPower(const std::string& name) {
  const auto found = volumes_.find(name);
  if (found == volumes_.end() || found->second.root == nullptr) return;
  Volume& volume = found->second;
  const std::uint64_t cut = static_cast<std::uint64_t>(++counters_.power_cuts);
  const double point = UnitOf(DrawBits({options_.seed, kCut, cut}));
  const auto kept =
      static_cast<std::size_t>(point * static_cast<double>(volume.changes.size() + 1));
  for (std::size_t i = 0; i < volume.changes.size(); ++i) {
    const bool keep =
        options_.journal ? i < kept : UnitOf(DrawBits({options_.seed, kCut, cut, i})) < point;
    if (keep) {
      MakeDurable(volume.changes[i]);
    } else {
      ++counters_.names_lost;
    }
  }
  volume.changes.clear();
  Restore(volume.root);
}

// As the machine finds it when it starts again.
void SimulatedDisk::Restore(const NodePointer& node) {
  if (node->folder) {
    node->names = node->durable_names;
    for (const auto& [name, entry] : node->names) Restore(entry);
    return;
  }
  node->locked_by = 0;
  if (!node->torn) {
    node->bytes = node->durable;
    return;
  }
  ++counters_.files_torn;
  const std::uint64_t draw =
      DrawBits({options_.seed, kTorn, static_cast<std::uint64_t>(counters_.files_torn)});
  const std::size_t unsynced = node->bytes.size() - node->kept;
  const auto whole =
      node->kept + static_cast<std::size_t>(UnitOf(draw) * static_cast<double>(unsynced + 1));
  // The beginning, and zeros or garbage where the rest was.
  const char rest = draw % 3 == 0 ? '\0' : '#';
  if (draw % 3 == 2) node->bytes.resize(whole);
  std::fill(node->bytes.begin() + static_cast<std::ptrdiff_t>(std::min(whole, node->bytes.size())),
            node->bytes.end(), rest);
  node->durable = node->bytes;
  node->kept = node->bytes.size();
  node->torn = false;
}

}  // namespace gorila::simulation
