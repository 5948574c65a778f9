#include "gorila/checkpoint/manifest.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gorila/base/json.h"
#include "gorila/checkpoint/strict_json.h"

namespace gorila {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFormatVersion = 1;

bool IsNamePart(std::string_view part) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !part.empty() && part[0] != '.' && std::all_of(part.begin(), part.end(), allowed);
}

StatusOr<std::uint64_t> ReadInteger(const json& object, const char* field, std::uint64_t max) {
  const auto found = object.find(field);
  if (found == object.end()) return DataLoss("field '{}' is missing", field);
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > max) {
    return DataLoss("field '{}' is not an integer in [0, {}]", field, max);
  }
  return found->get<std::uint64_t>();
}

StatusOr<CheckpointFile> ReadFileRow(const json& row) {
  if (!row.is_object()) return DataLoss("field 'files' has an element that is not an object");
  const auto name = row.find("name");
  if (name == row.end() || !name->is_string()) {
    return DataLoss("field 'files' has an element without the string 'name'");
  }
  CheckpointFile file;
  file.name = name->get<std::string>();
  if (Status status = CheckCheckpointFileName(file.name); !status.ok()) {
    return DataLoss("field 'files': {}", std::string(status.message()));
  }
  const std::string where = fmt::format("file '{}'", file.name);
  const StatusOr<std::uint64_t> size = ReadInteger(row, "size", UINT64_MAX);
  if (!size.ok()) return Annotate(size.status(), where);
  const StatusOr<std::uint64_t> crc32 = ReadInteger(row, "crc32", UINT32_MAX);
  if (!crc32.ok()) return Annotate(crc32.status(), where);
  file.size = *size;
  file.crc32 = static_cast<std::uint32_t>(*crc32);
  return file;
}

StatusOr<Manifest> ReadManifest(const json& object) {
  GORILA_ASSIGN_OR_RETURN(const std::uint64_t version,
                          ReadInteger(object, "format_version", UINT64_MAX));
  if (version != kFormatVersion) {
    return DataLoss("format version {}, this program reads {}", version, kFormatVersion);
  }
  Manifest manifest;
  GORILA_ASSIGN_OR_RETURN(manifest.number, ReadInteger(object, "number", kMaxCheckpointNumber));
  const auto files = object.find("files");
  if (files == object.end() || !files->is_array()) {
    return DataLoss("field 'files' is missing or not an array");
  }
  std::set<std::string> names;
  for (const json& row : *files) {
    GORILA_ASSIGN_OR_RETURN(CheckpointFile file, ReadFileRow(row));
    if (!names.insert(file.name).second) return DataLoss("file '{}' is given twice", file.name);
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

}  // namespace

Status CheckCheckpointFileName(std::string_view name) {
  const std::size_t slash = name.find('/');
  const bool good = slash == name.npos
                        ? IsNamePart(name) && name != kManifestName
                        : IsNamePart(name.substr(0, slash)) && IsNamePart(name.substr(slash + 1));
  if (good) return OkStatus();
  return InvalidArgument(
      "file name '{}': expected 'name' or 'folder/name' of letters, digits, '.', '_' and '-', "
      "neither beginning with '.' nor '{}'",
      name, kManifestName);
}

std::string EncodeManifest(const Manifest& manifest) {
  nlohmann::ordered_json object;
  object["format_version"] = kFormatVersion;
  object["number"] = manifest.number;
  object["files"] = nlohmann::ordered_json::array();
  for (const CheckpointFile& file : manifest.files) {
    object["files"].push_back({{"name", file.name}, {"size", file.size}, {"crc32", file.crc32}});
  }
  return DumpJson(object, 1) + "\n";
}

StatusOr<Manifest> DecodeManifest(std::string_view text) {
  GORILA_ASSIGN_OR_RETURN(const json object, ParseStrictJson(text));
  return ReadManifest(object);
}

}  // namespace gorila
