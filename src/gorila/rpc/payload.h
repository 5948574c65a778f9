// Large numbers on their way: bytes that several slices of a message may share.
#ifndef GORILA_RPC_PAYLOAD_H_
#define GORILA_RPC_PAYLOAD_H_

#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gorila/base/status.h"

namespace gorila::rpc {

static_assert(std::endian::native == std::endian::little,
              "payloads are little-endian and travel as they lie in memory");

// A fixed number of bytes, constant once shared.
class Payload {
 public:
  // Not initialised; filled by its maker.
  explicit Payload(std::size_t size)
      : owned_(new std::byte[size]), data_(owned_.get()), size_(size) {}

  // Refers to `values` and keeps them alive.
  static std::shared_ptr<const Payload> Of(std::shared_ptr<const std::vector<float>> values) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(*values));
    return std::shared_ptr<const Payload>(new Payload(bytes, std::move(values)));
  }
  // Refers to `values`, which must stay as they are until the call has ended: each piece that is
  // sent is a copy, because the transport may hold it for longer.
  static std::shared_ptr<const Payload> Borrow(std::span<const float> values) {
    return std::shared_ptr<const Payload>(new Payload(std::as_bytes(values), nullptr));
  }

  std::span<std::byte> bytes() { return {owned_.get(), size_}; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool borrowed() const { return owned_ == nullptr && owner_ == nullptr; }

  // The same bytes as floats; the size must be a multiple of 4.
  std::span<float> floats() { return {reinterpret_cast<float*>(owned_.get()), size_ / 4}; }
  std::span<const float> floats() const {
    return {reinterpret_cast<const float*>(data_), size_ / 4};
  }

 private:
  Payload(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)), data_(bytes.data()), size_(bytes.size()) {}

  std::unique_ptr<std::byte[]> owned_;  // aligned for any fundamental type
  std::shared_ptr<const void> owner_;
  const std::byte* data_;
  std::size_t size_;
};

// One copy.
inline std::shared_ptr<const Payload> CopyToPayload(std::span<const std::byte> bytes) {
  auto payload = std::make_shared<Payload>(bytes.size());
  if (!bytes.empty()) std::memcpy(payload->bytes().data(), bytes.data(), bytes.size());
  return payload;
}
inline std::shared_ptr<const Payload> CopyToPayload(std::span<const float> values) {
  return CopyToPayload(std::as_bytes(values));
}

}  // namespace gorila::rpc

#endif  // GORILA_RPC_PAYLOAD_H_
