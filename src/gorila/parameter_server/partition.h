// How the flat parameter vector is split over the shards (paper section 4.1: disjointly).
#ifndef GORILA_PARAMETER_SERVER_PARTITION_H_
#define GORILA_PARAMETER_SERVER_PARTITION_H_

#include <cstddef>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// Elements begin .. end-1 of the flat vector.
struct Slice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const Slice&) const = default;
};

// `shards` contiguous slices that cover 0..size-1, as equal as whole cache lines (16 floats) allow.
// InvalidArgument when there would be an empty one.
StatusOr<std::vector<Slice>> MakePartition(std::size_t size, int shards);

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_PARTITION_H_
