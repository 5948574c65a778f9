// Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), for files of
// other programs' messages of which we write a few fields: no generated code, no library.
#ifndef GORILA_BASE_PROTOBUF_WRITER_H_
#define GORILA_BASE_PROTOBUF_WRITER_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gorila {

// Builds the bytes of one message. `field` is the field's number, 1 or more. Not thread-safe.
class ProtobufWriter {
 public:
  // int32, int64, uint64, bool and enumerations; negative values take ten bytes, as they must.
  void Varint(int field, std::int64_t value) {
    Tag(field, 0);
    AppendVarint(static_cast<std::uint64_t>(value));
  }
  void Double(int field, double value) {
    Tag(field, 1);
    AppendFixed(value);
  }
  void Float(int field, float value) {
    Tag(field, 5);
    AppendFixed(value);
  }
  // string and bytes.
  void Bytes(int field, std::string_view value) {
    Tag(field, 2);
    AppendVarint(value.size());
    bytes_.append(value);
  }
  void Message(int field, const ProtobufWriter& message) { Bytes(field, message.bytes_); }
  // repeated double, packed.
  void Doubles(int field, std::span<const double> values) {
    Bytes(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  static_assert(std::endian::native == std::endian::little, "fixed fields are little-endian");

  void Tag(int field, int wire_type) {
    AppendVarint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire_type));
  }
  void AppendVarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  template <typename T>
  void AppendFixed(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::string bytes_;
};

}  // namespace gorila

#endif  // GORILA_BASE_PROTOBUF_WRITER_H_
