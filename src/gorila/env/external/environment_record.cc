#include "gorila/env/external/environment_record.h"

#include <array>

#include "gorila/base/json.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostActions = 65536;
constexpr std::string_view kNoRecord = "none";

std::string_view ElementName(ElementType element) {
  return element == ElementType::kUint8 ? "uint8" : "float32";
}

constexpr std::array<std::string_view, 3> kLayouts = {"auto", "hwc", "chw"};  // by PictureLayout

std::string_view LayoutName(PictureLayout layout) {
  return kLayouts[static_cast<std::size_t>(layout)];
}

StatusOr<PictureLayout> LayoutOf(std::string_view name) {
  for (const PictureLayout layout :
       {PictureLayout::kAuto, PictureLayout::kHwc, PictureLayout::kChw}) {
    if (LayoutName(layout) == name) return layout;
  }
  return InvalidArgument("layout is '{}'; expected auto, hwc or chw", name);
}

StatusOr<EnvironmentRecord> Decode(const Json& json) {
  EnvironmentRecord record;
  record.observation.shape = json.at("shape").get<std::vector<int>>();
  const std::string element = json.at("element");
  if (element != "uint8" && element != "float32") {
    return InvalidArgument("element is '{}'; expected uint8 or float32", element);
  }
  record.observation.element = element == "uint8" ? ElementType::kUint8 : ElementType::kFloat32;
  const std::string layout = json.value("layout", "auto");
  GORILA_ASSIGN_OR_RETURN(record.layout, LayoutOf(layout));
  record.action_names = json.at("actions").get<std::vector<std::string>>();
  record.repeats = json.at("repeats");
  if (record.action_names.empty() || record.action_names.size() > kMostActions) {
    return InvalidArgument("{} actions; expected 1 to {}", record.action_names.size(),
                           kMostActions);
  }
  return record;
}

std::string Describe(const EnvironmentRecord& record) {
  return fmt::format("observations of shape ({}), {}, and {} actions",
                     fmt::join(record.observation.shape, ", "),
                     ElementName(record.observation.element), record.action_names.size());
}

}  // namespace

std::string EncodeEnvironmentRecord(const EnvironmentRecord& record) {
  Json json = {{"shape", record.observation.shape},
               {"element", ElementName(record.observation.element)},
               {"actions", record.action_names},
               {"repeats", record.repeats}};
  if (record.layout != PictureLayout::kAuto) json["layout"] = LayoutName(record.layout);
  return DumpAnyJson(json);
}

StatusOr<EnvironmentRecord> RecordOfJson(std::string_view text) {
  try {
    return Decode(ParseJsonOrThrow<Json>(text));
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument("{}", error.what());
  }
}

StatusOr<EnvironmentRecord> DecodeEnvironmentRecord(std::string_view text) {
  StatusOr<EnvironmentRecord> record = RecordOfJson(text);
  if (record.ok()) return record;
  return InvalidArgument(
      "environment.record is '{}': {}; expected what gorila train writes, or none", text,
      std::string(record.status().message()));
}

std::string JoinRecords(std::span<const std::string> records) {
  if (records.size() == 1) return records.front();
  Json all = Json::array();
  bool any = false;
  for (const std::string& record : records) {
    any = any || record != kNoRecord;
    all.push_back(record == kNoRecord ? Json() : Json(record));
  }
  return any ? DumpAnyJson(all) : std::string(kNoRecord);
}

StatusOr<std::vector<std::string>> SplitRecords(std::string_view text, std::size_t games) {
  if (games == 1) return std::vector<std::string>{std::string(text)};
  if (text == kNoRecord) return std::vector<std::string>(games, std::string(kNoRecord));
  std::vector<std::string> records;
  try {
    for (const Json& record : ParseJsonOrThrow<Json>(text)) {
      records.push_back(record.is_null() ? std::string(kNoRecord) : record.get<std::string>());
    }
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument("environment.record is '{}': {}; expected what gorila train writes",
                           text, error.what());
  }
  if (records.size() == games) return records;
  return InvalidArgument("environment.record describes {} games; expected {}", records.size(),
                         games);
}

Status CheckRecord(std::string_view name, const EnvironmentRecord& said,
                   const ExternalOptions& options) {
  if (options.record == "none") return OkStatus();
  GORILA_ASSIGN_OR_RETURN(const EnvironmentRecord recorded,
                          DecodeEnvironmentRecord(options.record));
  if (recorded.observation == said.observation && recorded.layout == said.layout &&
      recorded.action_names == said.action_names) {
    return OkStatus();
  }
  return InvalidArgument(
      "environment '{}' has {}; this run began with {}{}: train anew, or bring back the "
      "environment as it was",
      name, Describe(said), Describe(recorded),
      recorded.action_names == said.action_names ? "" : " of other names");
}

ExternalOptions WithHint(const ExternalOptions& options, PictureLayout layout) {
  ExternalOptions with_hint = options;
  if (options.layout == PictureLayout::kAuto) with_hint.layout = layout;
  return with_hint;
}

StatusOr<EnvironmentSpec> SpecOfRecord(std::string_view name, const EnvironmentRecord& record,
                                       const ExternalOptions& options) {
  const StatusOr<ObservationAdapter> adapter =
      ObservationAdapter::Make(record.observation, WithHint(options, record.layout));
  if (!adapter.ok()) {
    return Annotate(adapter.status(), fmt::format("environment '{}'", name));
  }
  return EnvironmentSpec{.name = std::string(name),
                         .observation = adapter->spec(),
                         .action_names = record.action_names};
}

}  // namespace gorila
