#include "gorila/export/npz.h"

#include <zip.h>

#include <memory>
#include <vector>

namespace gorila {
namespace {

// Format version 1.0 (NEP 1): magic, header length, a Python literal padded with spaces so that the
// values are aligned to 64 bytes.
std::string EncodeNpy(const ParameterTensor& tensor, std::span<const float> values) {
  std::string shape = fmt::format("{}", fmt::join(tensor.shape, ", "));
  if (tensor.shape.size() == 1) shape += ",";
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", shape);
  constexpr std::size_t kBeforeHeader = 10;
  header.append(63 - (kBeforeHeader + header.size()) % 64, ' ');
  header += '\n';
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy += static_cast<char>(header.size() & 0xff);
  npy += static_cast<char>(header.size() >> 8);
  npy += header;
  npy.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return npy;
}

struct DiscardArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, DiscardArchive>;
using Source = std::unique_ptr<zip_source_t, FreeSource>;

Status ZipError(const char* error) { return Unavailable("cannot make a ZIP archive: {}", error); }

// `contents` must outlive the archive.
Status AddFile(zip_t* archive, const std::string& name, const std::string& contents) {
  Source source(zip_source_buffer(archive, contents.data(), contents.size(), 0));
  if (source == nullptr) return ZipError(zip_strerror(archive));
  const zip_int64_t index = zip_file_add(archive, name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (index < 0) return ZipError(zip_strerror(archive));
  [[maybe_unused]] zip_source_t* const owned = source.release();  // the archive's now
  const auto at = static_cast<zip_uint64_t>(index);
  // 1980-01-01, the earliest that ZIP knows: the same values give the same bytes.
  if (zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, at, 0, (1 << 5) | 1, 0) != 0) {
    return ZipError(zip_strerror(archive));
  }
  return OkStatus();
}

StatusOr<std::string> ReadAll(zip_source_t* source) {
  zip_stat_t stat{};
  if (zip_source_stat(source, &stat) != 0 || zip_source_open(source) != 0) {
    return ZipError(zip_error_strerror(zip_source_error(source)));
  }
  std::string bytes(stat.size, '\0');
  const zip_int64_t read = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (read != static_cast<zip_int64_t>(bytes.size())) return ZipError("short read");
  return bytes;
}

}  // namespace

StatusOr<std::string> EncodeNpz(const ParameterLayout& layout, std::span<const float> values) {
  GORILA_CHECK(values.size() == layout.size, "{} {}", values.size(), layout.size);
  zip_error_t error{};
  Source buffer(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (buffer == nullptr) return ZipError(zip_error_strerror(&error));
  std::vector<std::string> files;  // before the archive, which refers to them
  files.reserve(layout.tensors.size());
  Archive archive(zip_open_from_source(buffer.get(), ZIP_CREATE | ZIP_TRUNCATE, &error));
  if (archive == nullptr) return ZipError(zip_error_strerror(&error));
  zip_source_keep(buffer.get());  // beyond the archive, which owns it now
  for (const ParameterTensor& tensor : layout.tensors) {
    files.push_back(EncodeNpy(tensor, values.subspan(tensor.offset, tensor.size)));
    GORILA_RETURN_IF_ERROR(AddFile(archive.get(), tensor.name + ".npy", files.back()));
  }
  if (zip_close(archive.get()) != 0) return ZipError(zip_strerror(archive.get()));
  [[maybe_unused]] zip_t* const closed = archive.release();
  return ReadAll(buffer.get());
}

}  // namespace gorila
