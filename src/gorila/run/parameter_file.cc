#include "gorila/run/parameter_file.h"

#include <algorithm>
#include <cmath>

#include "gorila/base/file.h"

namespace gorila {
namespace {

constexpr char kValuesCrc32[] = "values_crc32";

// The CRC-32 of the floats' bytes in the layout's order, as 8 hexadecimal digits.
std::string ValuesCrc32(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return fmt::format("{:08x}", Crc32({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

Status CheckFiniteTensor(std::string_view name, std::span<const float> values) {
  const auto wrong = std::count_if(values.begin(), values.end(),
                                   [](float value) { return !std::isfinite(value); });
  if (wrong == 0) return OkStatus();
  return DataLoss("tensor '{}' has {} of {} values that are not finite (NaN or infinite)", name,
                  wrong, values.size());
}

}  // namespace

std::vector<NamedTensor> NameTensors(const ParameterLayout& layout, std::span<const float> values,
                                     const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (const ParameterTensor& tensor : layout.tensors) {
    tensors.push_back({prefix + tensor.name,
                       {tensor.shape.begin(), tensor.shape.end()},
                       values.subspan(tensor.offset, tensor.size)});
  }
  return tensors;
}

StatusOr<std::vector<float>> CollectTensors(const ParameterLayout& layout, const Safetensors& file,
                                            const std::string& prefix) {
  std::vector<float> values(layout.size);
  for (const ParameterTensor& wanted : layout.tensors) {
    GORILA_ASSIGN_OR_RETURN(const NamedTensor tensor, file.Find(prefix + wanted.name));
    if (!std::equal(tensor.shape.begin(), tensor.shape.end(), wanted.shape.begin(),
                    wanted.shape.end())) {
      return DataLoss("tensor '{}' has shape [{}], expected [{}]", tensor.name,
                      fmt::join(tensor.shape, ", "), fmt::join(wanted.shape, ", "));
    }
    std::copy(tensor.values.begin(), tensor.values.end(),
              values.begin() + static_cast<std::ptrdiff_t>(wanted.offset));
  }
  return values;
}

StatusOr<std::string> EncodeParameters(const ParameterLayout& layout, std::span<const float> values,
                                       SafetensorsMetadata metadata) {
  metadata[kValuesCrc32] = ValuesCrc32(values);
  return EncodeSafetensors(NameTensors(layout, values, ""), metadata);
}

StatusOr<std::vector<float>> DecodeParameters(const ParameterLayout& layout,
                                              std::string_view bytes) {
  GORILA_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Decode(bytes));
  GORILA_ASSIGN_OR_RETURN(std::vector<float> values, CollectTensors(layout, file, ""));
  const auto crc32 = file.metadata().find(kValuesCrc32);
  if (crc32 != file.metadata().end() && crc32->second != ValuesCrc32(values)) {
    return DataLoss("the tensors' CRC-32 is {}, expected {}", ValuesCrc32(values), crc32->second);
  }
  GORILA_RETURN_IF_ERROR(CheckFinite(layout, values));
  return values;
}

std::string TensorsCrc32(const Safetensors& file) {
  std::size_t size = 0;
  for (const NamedTensor& tensor : file.tensors()) size += tensor.values.size();
  if (size == 0) return ValuesCrc32({});
  // They lie one after another.
  return ValuesCrc32(std::span(file.tensors().front().values.data(), size));
}

Status CheckTensors(const Safetensors& file) {
  const auto crc32 = file.metadata().find(kValuesCrc32);
  if (crc32 != file.metadata().end() && crc32->second != TensorsCrc32(file)) {
    return DataLoss("the tensors' CRC-32 is {}, expected {}", TensorsCrc32(file), crc32->second);
  }
  for (const NamedTensor& tensor : file.tensors()) {
    GORILA_RETURN_IF_ERROR(CheckFiniteTensor(tensor.name, tensor.values));
  }
  return OkStatus();
}

Status CheckFinite(const ParameterLayout& layout, std::span<const float> values) {
  for (const ParameterTensor& tensor : layout.tensors) {
    GORILA_RETURN_IF_ERROR(
        CheckFiniteTensor(tensor.name, values.subspan(tensor.offset, tensor.size)));
  }
  return OkStatus();
}

}  // namespace gorila
