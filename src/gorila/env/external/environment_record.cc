#include "gorila/env/external/environment_record.h"

#include "gorila/base/json.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostActions = 65536;

std::string_view ElementName(ElementType element) {
  return element == ElementType::kUint8 ? "uint8" : "float32";
}

StatusOr<EnvironmentRecord> Decode(const Json& json) {
  EnvironmentRecord record;
  record.observation.shape = json.at("shape").get<std::vector<int>>();
  const std::string element = json.at("element");
  if (element != "uint8" && element != "float32") {
    return InvalidArgument("element is '{}'; expected uint8 or float32", element);
  }
  record.observation.element = element == "uint8" ? ElementType::kUint8 : ElementType::kFloat32;
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

std::vector<std::string> NumberedActions(int count) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

std::string EncodeEnvironmentRecord(const EnvironmentRecord& record) {
  const Json json = {{"shape", record.observation.shape},
                     {"element", ElementName(record.observation.element)},
                     {"actions", record.action_names},
                     {"repeats", record.repeats}};
  return DumpAnyJson(json);
}

StatusOr<EnvironmentRecord> DecodeEnvironmentRecord(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return InvalidArgument(
        "environment.record is '{}': {}; expected what gorila train writes, or none", text, why);
  };
  try {
    StatusOr<EnvironmentRecord> record = Decode(ParseJsonOrThrow<Json>(text));
    if (!record.ok()) return refused(std::string(record.status().message()));
    return record;
  } catch (const nlohmann::json::exception& error) {
    return refused(error.what());
  }
}

Status CheckRecord(std::string_view name, const EnvironmentRecord& said,
                   const ExternalOptions& options) {
  if (options.record == "none") return OkStatus();
  GORILA_ASSIGN_OR_RETURN(const EnvironmentRecord recorded,
                          DecodeEnvironmentRecord(options.record));
  if (recorded.observation == said.observation && recorded.action_names == said.action_names) {
    return OkStatus();
  }
  return InvalidArgument(
      "environment '{}' has {}; this run began with {}{}: train anew, or bring back the "
      "environment as it was",
      name, Describe(said), Describe(recorded),
      recorded.action_names == said.action_names ? "" : " of other names");
}

StatusOr<EnvironmentSpec> SpecOfRecord(std::string_view name, const EnvironmentRecord& record,
                                       const ExternalOptions& options) {
  const StatusOr<ObservationAdapter> adapter =
      ObservationAdapter::Make(record.observation, options);
  if (!adapter.ok()) {
    return Annotate(adapter.status(), fmt::format("environment '{}'", name));
  }
  return EnvironmentSpec{.name = std::string(name),
                         .observation = adapter->spec(),
                         .action_names = record.action_names};
}

}  // namespace gorila
