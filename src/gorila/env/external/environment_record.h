// What an environment that is not ours says of itself.
#ifndef GORILA_ENV_EXTERNAL_ENVIRONMENT_RECORD_H_
#define GORILA_ENV_EXTERNAL_ENVIRONMENT_RECORD_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/external/external_options.h"
#include "gorila/env/external/observation_adapter.h"

namespace gorila {

// Kept in a run's configuration, so that networks are made, and reports written, without starting
// the environment; and compared with what it says when it is started again.
struct EnvironmentRecord {
  RawObservation observation;
  PictureLayout layout = PictureLayout::kAuto;  // a hint that ExternalOptions::layout overrides
  std::vector<std::string> action_names;        // index = action
  // Whether the same seed and actions gave the same again, alone and beside another environment. A
  // run is resumed exactly, and a dead worker's episodes continued, only then.
  bool repeats = true;

  bool operator==(const EnvironmentRecord&) const = default;
};

// One line of JSON.
std::string EncodeEnvironmentRecord(const EnvironmentRecord& record);
// InvalidArgument, naming environment.record, if `text` is not a record.
StatusOr<EnvironmentRecord> DecodeEnvironmentRecord(std::string_view text);
// Those of several games as one text, and back: "none" for a game that is built in. Of one game the
// text itself; of "none", "none" for each. Decoding gives InvalidArgument, naming
// environment.record, for another number of games.
std::string JoinRecords(std::span<const std::string> records);
StatusOr<std::vector<std::string>> SplitRecords(std::string_view text, std::size_t games);

// The same for JSON from elsewhere, which may hold more: InvalidArgument that says only what is
// wrong.
StatusOr<EnvironmentRecord> RecordOfJson(std::string_view text);

// InvalidArgument when the environment called `name` says something else than
// ExternalOptions::record
// ("none" fits everything), naming both.
Status CheckRecord(std::string_view name, const EnvironmentRecord& said,
                   const ExternalOptions& options);

// The options with the record's layout if they have none.
ExternalOptions WithHint(const ExternalOptions& options, PictureLayout layout);

// With the conversion of observations that the options choose.
StatusOr<EnvironmentSpec> SpecOfRecord(std::string_view name, const EnvironmentRecord& record,
                                       const ExternalOptions& options);

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_ENVIRONMENT_RECORD_H_
