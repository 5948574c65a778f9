#ifndef GORILA_BASE_JSON_H_
#define GORILA_BASE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// The parser and the serializer of nlohmann/json, compiled once: a source that calls them itself
// compiles them again, for seconds. `Json` is nlohmann::json or nlohmann::ordered_json.
namespace gorila {

// Discarded (`is_discarded()`) when `text` is not JSON.
template <typename Json>
Json ParseJson(std::string_view text);

// Throws `Json::parse_error` when `text` is not JSON.
template <typename Json>
Json ParseJsonOrThrow(std::string_view text);

bool IsJson(std::string_view text);

// On one line when `indent` is negative. Throws `Json::type_error` when a string is not UTF-8.
template <typename Json>
std::string DumpJson(const Json& json, int indent = -1);

// The same, with U+FFFD in place of invalid UTF-8.
template <typename Json>
std::string DumpAnyJson(const Json& json, int indent = -1);

}  // namespace gorila

#endif  // GORILA_BASE_JSON_H_
