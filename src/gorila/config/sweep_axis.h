// What a sweep varies: keys of the configuration with several values each.
#ifndef GORILA_CONFIG_SWEEP_AXIS_H_
#define GORILA_CONFIG_SWEEP_AXIS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/config_keys.h"

namespace gorila {

// Values from low to high, drawn uniformly in their logarithm; 0 < low < high.
struct SweepRange {
  double low = 0;
  double high = 0;
};

struct SweepAxis {
  const ConfigKey* key = nullptr;
  std::vector<std::string>
      values;  // as configuration files have them; empty where there is a range
  std::optional<SweepRange> range = {};

  bool varies() const { return range.has_value() || values.size() > 1; }
};

// The values of "1e-4,3e-4" or "[64,32],[128]": a comma within brackets or quotes belongs to a
// value. InvalidArgument for an empty value, and for a bracket or quote that is left open.
StatusOr<std::vector<std::string>> SplitValues(std::string_view text);

// Of "section.key=VALUE,VALUE,...", or "section.key=LOW..HIGH" of a number. Where a value of the
// key is itself a list with commas (environment.wrappers, run.cpus), several values are each in
// quotes. `base`: what the values are checked against; InvalidArgument, which names the key, for
// one that is not allowed or is there twice.
StatusOr<SweepAxis> ParseSweepAxis(const Config& base, std::string_view set);

}  // namespace gorila

#endif  // GORILA_CONFIG_SWEEP_AXIS_H_
