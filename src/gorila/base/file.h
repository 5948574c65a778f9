// Files that are never half-written: a reader sees the old contents or the new, whatever is killed
// when. All functions block on the disk and are thread-safe (on different paths).
#ifndef GORILA_BASE_FILE_H_
#define GORILA_BASE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

// The whole of a regular file. NotFound when there is none, InvalidArgument when it is something
// else (a folder, a FIFO, a device: reading might never end), Unavailable when it cannot be read.
StatusOr<std::string> ReadFile(const std::filesystem::path& path);

// Writes aside (`path` + ".tmp"), syncs, renames over `path`, syncs the folder.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);

// Writes and syncs without the rename: for a file inside a folder that is itself renamed into
// place.
Status WriteFileSynced(const std::filesystem::path& path, std::string_view contents);

// Makes names created or renamed in `folder` survive a power cut.
Status SyncFolder(const std::filesystem::path& folder);

// Creates `path` and its parents. OK when it is there already.
Status CreateFolders(const std::filesystem::path& path);

// CRC-32 (IEEE 802.3, zlib's).
std::uint32_t Crc32(std::string_view bytes);

}  // namespace gorila

#endif  // GORILA_BASE_FILE_H_
