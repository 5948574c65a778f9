#include "gorila/checkpoint/strict_json.h"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "gorila/base/json.h"

namespace gorila {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 8;

// Walks over the text without building anything, and stops at the first offence.
class StrictnessChecker : public nlohmann::json_sax<json> {
 public:
  const Status& status() const { return status_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    status_ = DataLoss("key '{}' is given twice", name);
    return false;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    status_ = DataLoss("not JSON from byte {} on", position);
    return false;
  }

 private:
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() <= kMaxDepth) return true;
    status_ = DataLoss("JSON is nested more than {} levels deep", kMaxDepth);
    return false;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  Status status_;
  std::vector<std::set<std::string>> keys_;  // of each open object; empty for an array
};

}  // namespace

StatusOr<json> ParseStrictJson(std::string_view text) {
  if (!text.starts_with('{')) return DataLoss("not a JSON object: does not begin with '{{'");
  if (const std::size_t at = text.find('\0'); at != text.npos) {
    return DataLoss("not JSON: a NUL at byte {}", at);
  }
  StrictnessChecker checker;
  if (!json::sax_parse(text, &checker)) return checker.status();
  return ParseJsonOrThrow<json>(text);
}

}  // namespace gorila
