// JSON from files that may be damaged. Only for this folder's .cc files.
#ifndef GORILA_CHECKPOINT_STRICT_JSON_H_
#define GORILA_CHECKPOINT_STRICT_JSON_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

// Parses one JSON object. Unlike nlohmann::json::parse it takes neither a NUL for the end of the
// text, nor the last of several equal keys, nor more than 8 levels. DataLoss says what is wrong.
StatusOr<nlohmann::json> ParseStrictJson(std::string_view text);

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_STRICT_JSON_H_
