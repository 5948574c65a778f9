// Large numbers on their way: bytes that several slices of a message may share.
#ifndef GORILA_RPC_PAYLOAD_H_
#define GORILA_RPC_PAYLOAD_H_

#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include "gorila/base/status.h"

namespace gorila::rpc {

static_assert(std::endian::native == std::endian::little,
              "payloads are little-endian and travel as they lie in memory");

// A fixed number of bytes, not initialised. Filled by its maker, constant once shared.
class Payload {
 public:
  explicit Payload(std::size_t size) : bytes_(new std::byte[size]), size_(size) {}

  std::span<std::byte> bytes() { return {bytes_.get(), size_}; }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }

  // The same bytes as floats; the size must be a multiple of 4.
  std::span<float> floats() { return {reinterpret_cast<float*>(bytes_.get()), size_ / 4}; }
  std::span<const float> floats() const {
    return {reinterpret_cast<const float*>(bytes_.get()), size_ / 4};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;  // aligned for any fundamental type
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
