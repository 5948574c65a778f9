#include "gorila/base/json.h"

namespace gorila {

using nlohmann::json;
using nlohmann::ordered_json;

template <typename Json>
Json ParseJson(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

template <typename Json>
Json ParseJsonOrThrow(std::string_view text) {
  return Json::parse(text);
}

bool IsJson(std::string_view text) { return json::accept(text); }

template <typename Json>
std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent);
}

template <typename Json>
std::string DumpAnyJson(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

template json ParseJson<json>(std::string_view text);
template json ParseJsonOrThrow<json>(std::string_view text);
template std::string DumpJson<json>(const json& value, int indent);
template std::string DumpAnyJson<json>(const json& value, int indent);

template ordered_json ParseJson<ordered_json>(std::string_view text);
template ordered_json ParseJsonOrThrow<ordered_json>(std::string_view text);
template std::string DumpJson<ordered_json>(const ordered_json& value, int indent);
template std::string DumpAnyJson<ordered_json>(const ordered_json& value, int indent);

}  // namespace gorila
