// Named float tensors in safetensors files: 8 bytes of little-endian header length, a JSON header,
// then the values (https://huggingface.co/docs/safetensors). PyTorch users load them without us.
#ifndef GORILA_CHECKPOINT_SAFETENSORS_H_
#define GORILA_CHECKPOINT_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// Values are borrowed.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;  // empty for a scalar
  std::span<const float> values;    // row-major; as many as the product of `shape`
};

using SafetensorsMetadata = std::map<std::string, std::string>;

// The bytes of a file with `tensors` in the order given, dtype F32. InvalidArgument (with the
// tensor's name) for a duplicate or reserved name, a shape that does not fit its values, text that
// is not UTF-8 or a header over 16 MiB. Pure; thread-safe.
StatusOr<std::string> EncodeSafetensors(std::span<const NamedTensor> tensors,
                                        const SafetensorsMetadata& metadata = {});

// The contents of one file. Owns its values; const functions are thread-safe.
class Safetensors {
 public:
  // DataLoss (with the tensor and field) for anything but a well-formed file of F32 tensors that
  // cover the data without holes. Memory stays within a small multiple of bytes.size().
  static StatusOr<Safetensors> Decode(std::string_view bytes);

  // In the order in which their values lie. Valid while *this lives and is not moved from.
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  // NotFound when there is none of that name.
  StatusOr<NamedTensor> Find(std::string_view name) const;
  const SafetensorsMetadata& metadata() const { return metadata_; }

  // Move-only: a copy's tensors would refer to the original's values.
  Safetensors(Safetensors&&) = default;
  Safetensors& operator=(Safetensors&&) = default;

 private:
  Safetensors() = default;

  std::vector<float> values_;         // of all tensors
  std::vector<NamedTensor> tensors_;  // refer to values_
  SafetensorsMetadata metadata_;
};

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_SAFETENSORS_H_
