// Parameters as a NumPy .npz file: a ZIP archive of .npy arrays, for numpy.load.
#ifndef GORILA_EXPORT_NPZ_H_
#define GORILA_EXPORT_NPZ_H_

#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

// The bytes of an archive with one float32 array a tensor, by its name and shape, row-major. Not
// compressed, as numpy.savez. `values` are in the layout's order and as many. Unavailable when the
// ZIP library fails (memory). The same values give the same bytes. Thread-safe.
StatusOr<std::string> EncodeNpz(const ParameterLayout& layout, std::span<const float> values);

}  // namespace gorila

#endif  // GORILA_EXPORT_NPZ_H_
