#include "gorila/checkpoint/safetensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>

#include "gorila/base/json.h"
#include "gorila/base/serialise.h"
#include "gorila/checkpoint/strict_json.h"

namespace gorila {
namespace {

using nlohmann::json;

constexpr char kMetadataKey[] = "__metadata__";
// Every byte of header may become tens of bytes of parsed JSON. A tensor's entry takes about 100.
constexpr std::size_t kMaxHeaderSize = std::size_t{16} << 20;

// The product of a shape; false when it does not fit 64 bits or a dimension is negative.
bool CountElements(std::span<const std::int64_t> shape, std::uint64_t& count) {
  count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return false;
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(dimension), &count)) return false;
  }
  return true;
}

StatusOr<std::string> QuoteJson(std::string_view text) {
  try {
    return DumpJson(json(text));
  } catch (const json::exception&) {
    return InvalidArgument("safetensors: name or metadata '{:.200}' is not UTF-8", text);
  }
}

Status CheckTensor(const NamedTensor& tensor) {
  if (tensor.name == kMetadataKey) {
    return InvalidArgument("safetensors: tensor name '{:.200}' is reserved", tensor.name);
  }
  std::uint64_t count = 0;
  if (!CountElements(tensor.shape, count) || count != tensor.values.size()) {
    return InvalidArgument(
        "safetensors: tensor '{:.200}' has {} values, which its shape [{}] is not", tensor.name,
        tensor.values.size(), fmt::join(tensor.shape, ", "));
  }
  return OkStatus();
}

StatusOr<std::string> EncodeMetadata(const SafetensorsMetadata& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    GORILA_ASSIGN_OR_RETURN(const std::string quoted_key, QuoteJson(key));
    GORILA_ASSIGN_OR_RETURN(const std::string quoted_value, QuoteJson(value));
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", quoted_key, quoted_value);
  }
  return fmt::format("\"{}\":{{{}}}", kMetadataKey, text);
}

StatusOr<std::string> EncodeTensorHeader(std::span<const NamedTensor> tensors,
                                         const SafetensorsMetadata& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    GORILA_ASSIGN_OR_RETURN(const std::string encoded, EncodeMetadata(metadata));
    header += encoded;
  }
  std::set<std::string_view> names;
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    GORILA_RETURN_IF_ERROR(CheckTensor(tensor));
    if (!names.insert(tensor.name).second) {
      return InvalidArgument("safetensors: tensor name '{:.200}' is given twice", tensor.name);
    }
    GORILA_ASSIGN_OR_RETURN(const std::string name, QuoteJson(tensor.name));
    const std::size_t end = offset + tensor.values.size_bytes();
    header +=
        fmt::format("{}{}:{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                    header.size() > 1 ? "," : "", name, fmt::join(tensor.shape, ","), offset, end);
    offset = end;
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that a mapped file's values are aligned
  if (header.size() > kMaxHeaderSize) {
    return InvalidArgument("safetensors: header has {} bytes, at most {} are allowed",
                           header.size(), kMaxHeaderSize);
  }
  return header;
}

// Where a tensor's values lie in the data.
struct Extent {
  std::uint64_t begin = 0;  // bytes
  std::uint64_t end = 0;
};

struct Entry {
  NamedTensor tensor;  // without values
  Extent extent;
};

// The non-negative integers of `entry[field]`.
StatusOr<std::vector<std::int64_t>> ReadIntegers(const json& entry, const char* field) {
  const auto found = entry.find(field);
  if (found == entry.end() || !found->is_array()) {
    return DataLoss("field '{}' is missing or not an array", field);
  }
  std::vector<std::int64_t> values;
  for (const json& value : *found) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
      return DataLoss("field '{}' has an element that is not an integer in [0, 2^63)", field);
    }
    values.push_back(value.get<std::int64_t>());
  }
  return values;
}

StatusOr<Extent> ReadExtent(const json& entry, std::uint64_t data_size) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::int64_t> offsets,
                          ReadIntegers(entry, "data_offsets"));
  if (offsets.size() != 2) {
    return DataLoss("field 'data_offsets' has {} elements, expected 2", offsets.size());
  }
  const Extent extent{.begin = static_cast<std::uint64_t>(offsets[0]),
                      .end = static_cast<std::uint64_t>(offsets[1])};
  if (extent.begin > extent.end || extent.end > data_size) {
    return DataLoss("field 'data_offsets' is [{}, {}], outside of {} bytes of data", extent.begin,
                    extent.end, data_size);
  }
  return extent;
}

StatusOr<Entry> ReadEntry(const std::string& name, const json& entry, std::uint64_t data_size) {
  if (!entry.is_object() || entry.size() != 3) {
    return DataLoss("expected an object of 'dtype', 'shape' and 'data_offsets'");
  }
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || *dtype != "F32") {
    return DataLoss("field 'dtype' is {:.200}, expected \"F32\"",
                    dtype == entry.end() ? "missing" : dtype->dump());
  }
  GORILA_ASSIGN_OR_RETURN(std::vector<std::int64_t> shape, ReadIntegers(entry, "shape"));
  GORILA_ASSIGN_OR_RETURN(const Extent extent, ReadExtent(entry, data_size));
  const std::uint64_t size = extent.end - extent.begin;
  std::uint64_t count = 0;
  if (!CountElements(shape, count) || size % sizeof(float) != 0 || count != size / sizeof(float)) {
    return DataLoss("field 'shape' is [{:.200}], which is not {} bytes of F32",
                    fmt::format("{}", fmt::join(shape, ", ")), size);
  }
  return Entry{.tensor = {.name = name, .shape = std::move(shape), .values = {}}, .extent = extent};
}

StatusOr<SafetensorsMetadata> ReadMetadata(const json& entry) {
  if (!entry.is_object()) return DataLoss("safetensors: '{}' is not an object", kMetadataKey);
  SafetensorsMetadata metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) {
      return DataLoss("safetensors: '{}' key '{:.200}' is not a string", kMetadataKey, key);
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// In the order of their extents, which must follow each other from 0 to `data_size`.
Status SortAndCheckCover(std::vector<Entry>& entries, std::uint64_t data_size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.extent.begin, a.extent.end) < std::pair(b.extent.begin, b.extent.end);
  });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.extent.begin != covered) {
      return DataLoss(
          "safetensors: tensor '{:.200}': field 'data_offsets' begins at {}, but the tensors "
          "before it "
          "end at {}",
          entry.tensor.name, entry.extent.begin, covered);
    }
    covered = entry.extent.end;
  }
  if (covered != data_size) {
    return DataLoss("safetensors: {} bytes of data, but the tensors end at {}", data_size, covered);
  }
  return OkStatus();
}

StatusOr<std::string_view> FindHeader(std::string_view bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size) {
    return DataLoss("safetensors: {} bytes, the header length alone has 8", bytes.size());
  }
  std::memcpy(&size, bytes.data(), sizeof size);
  const std::size_t rest = bytes.size() - sizeof size;
  if (size > std::min(rest, kMaxHeaderSize)) {
    return DataLoss("safetensors: header length {}, at most {} fit and {} are allowed", size, rest,
                    kMaxHeaderSize);
  }
  return bytes.substr(sizeof size, size);
}

}  // namespace

StatusOr<std::string> EncodeSafetensors(std::span<const NamedTensor> tensors,
                                        const SafetensorsMetadata& metadata) {
  GORILA_ASSIGN_OR_RETURN(const std::string header, EncodeTensorHeader(tensors, metadata));
  StateWriter writer;
  writer.WriteString(header);  // a 64-bit length, then the text: just what the format asks for
  std::string bytes = writer.Take();
  for (const NamedTensor& tensor : tensors) {
    if (tensor.values.empty()) continue;
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
  }
  return bytes;
}

StatusOr<Safetensors> Safetensors::Decode(std::string_view bytes) {
  GORILA_ASSIGN_OR_RETURN(const std::string_view header, FindHeader(bytes));
  const std::string_view data = bytes.substr(sizeof(std::uint64_t) + header.size());
  const StatusOr<json> parsed = ParseStrictJson(header);
  if (!parsed.ok()) return Annotate(parsed.status(), "safetensors: header");

  Safetensors file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : parsed->items()) {
    if (name == kMetadataKey) {
      GORILA_ASSIGN_OR_RETURN(file.metadata_, ReadMetadata(value));
      continue;
    }
    StatusOr<Entry> entry = ReadEntry(name, value, data.size());
    if (!entry.ok()) {
      return Annotate(entry.status(), fmt::format("safetensors: tensor '{:.200}'", name));
    }
    entries.push_back(*std::move(entry));
  }
  GORILA_RETURN_IF_ERROR(SortAndCheckCover(entries, data.size()));
  file.values_.resize(data.size() / sizeof(float));
  if (!data.empty()) std::memcpy(file.values_.data(), data.data(), data.size());
  for (Entry& entry : entries) {
    const std::size_t begin = entry.extent.begin / sizeof(float);
    const std::size_t count = entry.extent.end / sizeof(float) - begin;
    entry.tensor.values = std::span<const float>(file.values_).subspan(begin, count);
    file.tensors_.push_back(std::move(entry.tensor));
  }
  return file;
}

StatusOr<NamedTensor> Safetensors::Find(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(),
                   [name](const NamedTensor& tensor) { return tensor.name == name; });
  if (found == tensors_.end()) return NotFound("safetensors: no tensor '{:.200}'", name);
  return *found;
}

}  // namespace gorila
