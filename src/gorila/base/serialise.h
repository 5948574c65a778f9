// Little-endian binary state: what checkpoints keep of environments, random streams and replay.
#ifndef GORILA_BASE_SERIALISE_H_
#define GORILA_BASE_SERIALISE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

static_assert(std::endian::native == std::endian::little,
              "state files are little-endian and written as they lie in memory");

// Appends values to a byte string. Not thread-safe.
class StateWriter {
 public:
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void Write(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  template <typename T>
  void WriteSpan(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Write<std::uint64_t>(values.size());
    if (!values.empty()) {
      bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    }
  }
  // Without a length: the reader must know it.
  void WriteBytes(std::span<const std::byte> bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void WriteString(std::string_view text) { WriteSpan<char>(std::span<const char>(text)); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what StateWriter wrote, in the same order. Every read is bounds-checked: truncated or
// altered input gives DataLoss, never undefined behaviour. Not thread-safe; `bytes` must outlive
// it.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T> Status Read(T& value) {
    if (rest_.size() < sizeof value) return Truncated(sizeof value);
    std::memcpy(static_cast<void*>(&value), rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return OkStatus();
  }
  template <typename T>
  Status ReadVector(std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::uint64_t size = 0;
    GORILA_RETURN_IF_ERROR(Read(size));
    if (size > rest_.size() / sizeof(T)) return Truncated(size * sizeof(T));
    values.resize(size);
    if (size > 0) std::memcpy(values.data(), rest_.data(), size * sizeof(T));
    rest_.remove_prefix(size * sizeof(T));
    return OkStatus();
  }
  // A view of the next `size` bytes, without a copy.
  Status ReadBytes(std::size_t size, std::span<const std::byte>& bytes) {
    if (size > rest_.size()) return Truncated(size);
    bytes = std::as_bytes(std::span<const char>(rest_.data(), size));
    rest_.remove_prefix(size);
    return OkStatus();
  }
  Status ReadString(std::string& text) {
    std::vector<char> characters;
    GORILA_RETURN_IF_ERROR(ReadVector(characters));
    text.assign(characters.begin(), characters.end());
    return OkStatus();
  }
  // DataLoss when bytes are left over.
  Status Finish() const {
    if (rest_.empty()) return OkStatus();
    return DataLoss("state has {} bytes more than expected", rest_.size());
  }
  std::size_t remaining() const { return rest_.size(); }

 private:
  Status Truncated(std::uint64_t wanted) const {
    return DataLoss("state is truncated: {} bytes wanted, {} left", wanted, rest_.size());
  }
  std::string_view rest_;
};

}  // namespace gorila

#endif  // GORILA_BASE_SERIALISE_H_
