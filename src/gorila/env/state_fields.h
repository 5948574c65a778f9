// Range checks of restored fields: altered bytes must never become an index or overflow a counter.
#ifndef GORILA_ENV_STATE_FIELDS_H_
#define GORILA_ENV_STATE_FIELDS_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

struct FieldRange {
  std::string_view name;
  std::int64_t value;
  std::int64_t low;   // the allowed values are
  std::int64_t high;  // low..high, both included
};

// DataLoss naming the first field that is out of its range.
inline Status CheckFields(std::initializer_list<FieldRange> fields) {
  for (const FieldRange& field : fields) {
    if (field.value < field.low || field.value > field.high) {
      return DataLoss("state field '{}' is {}, expected {} to {}", field.name, field.value,
                      field.low, field.high);
    }
  }
  return OkStatus();
}

}  // namespace gorila

#endif  // GORILA_ENV_STATE_FIELDS_H_
