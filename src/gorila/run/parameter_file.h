// The parameters of a network in a file.
#ifndef GORILA_RUN_PARAMETER_FILE_H_
#define GORILA_RUN_PARAMETER_FILE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

// theta (or any vector of its layout) as a safetensors file, tensors named and shaped as in
// `layout`.
StatusOr<std::string> EncodeParameters(const ParameterLayout& layout, std::span<const float> values,
                                       SafetensorsMetadata metadata);
// The flat vector again. DataLoss naming the tensor of another shape or with values that are not
// finite, or when the values are not those of the checksum; NotFound naming one that is missing. A
// file of others needs no checksum.
StatusOr<std::vector<float>> DecodeParameters(const ParameterLayout& layout,
                                              std::string_view bytes);

// DataLoss naming the first tensor with values that are not finite.
Status CheckFinite(const ParameterLayout& layout, std::span<const float> values);

// The CRC-32 of all values of a file of any layout, in their order, as EncodeParameters records it.
std::string TensorsCrc32(const Safetensors& file);
// DataLoss where they are not those of the recorded checksum, if there is one, or, naming a tensor,
// not finite.
Status CheckTensors(const Safetensors& file);

// The parts of both, where a file has several vectors: tensors whose names begin with `prefix`.
std::vector<NamedTensor> NameTensors(const ParameterLayout& layout, std::span<const float> values,
                                     const std::string& prefix);
StatusOr<std::vector<float>> CollectTensors(const ParameterLayout& layout, const Safetensors& file,
                                            const std::string& prefix);

}  // namespace gorila

#endif  // GORILA_RUN_PARAMETER_FILE_H_
