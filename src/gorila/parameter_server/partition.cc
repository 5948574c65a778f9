#include "gorila/parameter_server/partition.h"

#include <algorithm>

namespace gorila {

StatusOr<std::vector<Slice>> MakePartition(std::size_t size, int shards) {
  constexpr std::size_t kLine = 16;
  const std::size_t lines = (size + kLine - 1) / kLine;
  if (shards < 1 || static_cast<std::size_t>(shards) > lines) {
    return InvalidArgument("parameter_server.shards is {}; expected 1..{} for {} parameters",
                           shards, lines, size);
  }
  const auto count = static_cast<std::size_t>(shards);
  std::vector<Slice> slices(count);
  for (std::size_t i = 0; i < count; ++i) {
    slices[i].begin = lines * i / count * kLine;
    slices[i].end = std::min(lines * (i + 1) / count * kLine, size);
  }
  return slices;
}

}  // namespace gorila
