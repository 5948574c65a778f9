#include "gorila/dashboard/merged_record.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "gorila/base/json.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMerged = "\"merged\":";

// Measured now and then: null, or not there, in the other records.
constexpr const char* kSampled[] = {"gradient_norm", "value_mean", "entropy", "policy_loss",
                                    "baseline_loss"};

double NumberIn(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

// Of `episodes` returns the sum of squared distances from their mean.
double Squares(const Json& record, double episodes) {
  if (episodes == 1) return 0;
  const double deviation = NumberIn(record, "return_standard_deviation");
  return deviation * deviation * (episodes - 1);
}

// Null where it is not finite.
void SetNumber(const char* name, double value, Json& object) {
  object[name] = std::isfinite(value) ? Json(value) : Json();
}

// Of a record, or of a game in it.
void MergeEpisodes(const Json& before, Json& later) {
  const double n1 = NumberIn(before, "return_episodes");
  const double n2 = NumberIn(later, "return_episodes");
  if (!(n1 > 0)) return;
  if (!(n2 > 0)) {
    for (const char* const name :
         {"return_episodes", "return_mean", "return_standard_deviation", "length_mean"}) {
      if (before.contains(name)) later[name] = before[name];
    }
    return;
  }
  const double n = n1 + n2;
  const auto mean = [&](const char* name) {
    return (n1 * NumberIn(before, name) + n2 * NumberIn(later, name)) / n;
  };
  const double distance = NumberIn(later, "return_mean") - NumberIn(before, "return_mean");
  const double squares =
      Squares(before, n1) + Squares(later, n2) + distance * distance * n1 * n2 / n;
  const double return_mean = mean("return_mean");
  const double length_mean = mean("length_mean");
  later["return_episodes"] = static_cast<std::int64_t>(n);
  SetNumber("return_mean", return_mean, later);
  SetNumber("return_standard_deviation", std::sqrt(squares / (n - 1)), later);
  if (later.contains("length_mean")) SetNumber("length_mean", length_mean, later);
}

void AddCounts(const Json& before, Json& later) {
  const auto counts = before.find("staleness_counts");
  const auto sums = later.find("staleness_counts");
  if (counts == before.end() || sums == later.end()) return;
  if (!counts->is_array() || !sums->is_array() || counts->size() != sums->size()) return;
  for (std::size_t i = 0; i < sums->size(); ++i) {
    if (!(*counts)[i].is_number() || !(*sums)[i].is_number()) continue;
    (*sums)[i] = (*sums)[i].get<std::int64_t>() + (*counts)[i].get<std::int64_t>();
  }
}

void MergeInto(const Json& before, Json& later) {
  MergeEpisodes(before, later);
  AddCounts(before, later);
  for (const char* const name : kSampled) {
    if (std::isnan(NumberIn(later, name)) && !std::isnan(NumberIn(before, name))) {
      later[name] = before[name];
    }
  }
  const auto games = later.find("games");
  const auto before_games = before.find("games");
  if (games == later.end() || before_games == before.end()) return;
  if (!games->is_object() || !before_games->is_object()) return;
  for (auto& [name, game] : games->items()) {
    const auto found = before_games->find(name);
    if (found != before_games->end() && found->is_object() && game.is_object()) {
      MergeEpisodes(*found, game);
    }
  }
}

}  // namespace

std::int64_t RecordsIn(std::string_view line) {
  const std::size_t found = line.rfind(kMerged);
  std::int64_t records = 1;
  if (found == line.npos) return records;
  std::from_chars(line.data() + found + kMerged.size(), line.data() + line.size(), records);
  return std::max<std::int64_t>(records, 1);
}

std::string MergedRecord(std::span<const std::string_view> lines) {
  std::int64_t records = 0;
  Json merged;
  for (const std::string_view line : lines) {
    records += RecordsIn(line);
    Json record = ParseJson<Json>(line);
    if (!record.is_object()) continue;
    if (merged.is_object() && Json("training") == record.value("kind", Json())) {
      MergeInto(merged, record);
    }
    merged = std::move(record);
  }
  if (!merged.is_object()) return std::string(lines.back());
  if (records > 1) merged["merged"] = records;
  return DumpAnyJson(merged);
}

}  // namespace gorila
