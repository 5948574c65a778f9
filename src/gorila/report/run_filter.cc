#include "gorila/report/run_filter.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <ctime>

#include "gorila/base/csv.h"
#include "gorila/base/nearest.h"
#include "gorila/base/whole_number.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"

namespace gorila {
namespace {

constexpr std::array<std::string_view, 12> kColumns = {"run",     "name",   "game",  "seed",
                                                       "state",   "frames", "score", "kind",
                                                       "seconds", "when",   "note",  "tag"};
constexpr std::array<std::string_view, 4> kNumbers = {"seed", "frames", "score", "seconds"};
constexpr std::array<ScoreKind, 3> kKinds = {ScoreKind::kFinal, ScoreKind::kEvaluation,
                                             ScoreKind::kTraining};
// Longer ones first.
constexpr std::array<std::string_view, 8> kOperators = {"!=", "<=", ">=", "==", "=", "<", ">", "~"};

template <typename Names>
bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsKey(std::string_view column) { return column.find('.') != column.npos; }

std::optional<double> NumberOf(std::string_view text) {
  if (const std::optional<std::string> digits = PlainDigits(text)) return ParseNumber(*digits);
  return ParseNumber(text);
}

// A value as configuration files have it, for people to compare with.
std::string WithoutQuotes(std::string text) {
  if (text.size() < 2 || !text.starts_with('"')) return text;
  text = text.substr(1, text.size() - 2);
  std::erase(text, '\\');
  return text;
}

ColumnValue Text(std::string text) {
  return text.empty() ? ColumnValue() : ColumnValue(std::move(text));
}

ColumnValue SettingOf(const RunEntry& run, std::string_view name) {
  const StatusOr<const ConfigKey*> key = FindConfigKey(name);
  if (!key.ok()) return {};
  const std::string text = ValueText((*key)->field, run.config);
  if (const std::optional<double> number = ParseNumber(text)) return *number;
  return WithoutQuotes(text);
}

Status CheckColumn(std::string_view column) {
  if (IsKey(column)) return FindConfigKey(column).status();
  if (Has(kColumns, column)) return OkStatus();
  return InvalidArgument(
      "unknown column '{}'; did you mean {}? ('gorila runs --help' lists them; a setting is "
      "SECTION.KEY)",
      column, NearestNamesText(column, kColumns));
}

bool Compares(std::string_view op, int order) {
  if (op == "=") return order == 0;
  if (op == "!=") return order != 0;
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return order >= 0;
}

// Whether it is the beginning of what TimeText() gives.
bool IsTime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00";
  if (text.empty() || text.size() > kForm.size()) return false;
  return std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
    return form == '0' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == form;
  });
}

template <typename Value>
int Order(const Value& a, const Value& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool Contains(std::string_view text, std::string_view part) {
  return Lower(text).find(Lower(part)) != std::string::npos;
}

// Less than zero where a run comes before another.
int Compare(const ColumnValue& a, const ColumnValue& b) {
  const auto* const x = std::get_if<std::string>(&a);
  const auto* const y = std::get_if<std::string>(&b);
  if (x == nullptr || y == nullptr) return Order(a, b);
  return NaturalLess(*x, *y) ? -1 : NaturalLess(*y, *x) ? 1 : 0;
}

}  // namespace

std::vector<std::string_view> RunColumns() { return {kColumns.begin(), kColumns.end()}; }

std::string TimeText(std::time_t when) {
  std::tm local = {};
  if (::localtime_r(&when, &local) == nullptr) return "";
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
  return {text.data(), size};
}

ColumnValue ValueOf(const RunEntry& run, std::string_view column) {
  if (IsKey(column)) return SettingOf(run, column);
  if (column == "run") return run.directory.string();
  if (column == "name") return Text(run.labels.name);
  if (column == "game") return GamesLabel(run.config.environment.name);
  if (column == "seed") return static_cast<double>(run.config.run.seed);
  if (column == "state") return run.state;
  if (column == "frames") return static_cast<double>(run.frames);
  if (column == "seconds")
    return run.seconds.has_value() ? ColumnValue(*run.seconds) : ColumnValue();
  if (column == "when") return TimeText(run.when);
  if (column == "note") return Text(run.labels.note);
  if (column == "tag") return Text(fmt::format("{}", fmt::join(run.labels.tags, ",")));
  if (!run.score.has_value()) return {};
  if (column == "kind") return std::string(ScoreKindName(run.score->kind));
  // One that is not a number has no order: it is as none.
  return std::isfinite(run.score->value) ? ColumnValue(run.score->value) : ColumnValue();
}

StatusOr<RunFilter> RunFilter::Parse(std::string_view text) {
  RunFilter filter;
  const auto end = std::find_if_not(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  });
  const auto length = static_cast<std::size_t>(end - text.begin());
  filter.column_ = text.substr(0, length);
  text.remove_prefix(length);
  const auto* const op =
      std::find_if(kOperators.begin(), kOperators.end(),
                   [text](std::string_view one) { return text.starts_with(one); });
  if (filter.column_.empty() || op == kOperators.end()) {
    return InvalidArgument(
        "expected COLUMN, one of = != < <= > >= ~, and a value, as in frames>=1M or "
        "learner.n_step=3");
  }
  filter.operator_ = *op == "==" ? "=" : *op;
  filter.value_ = text.substr(op->size());
  GORILA_RETURN_IF_ERROR(CheckColumn(filter.column_));
  GORILA_RETURN_IF_ERROR(filter.CheckValue());
  return filter;
}

// A value that no run can have is a mistyped one.
Status RunFilter::CheckValue() {
  if (operator_ == "~") return OkStatus();
  const bool orders = operator_ != "=" && operator_ != "!=";
  number_ = NumberOf(value_);
  if (Has(kNumbers, column_)) {
    return number_.has_value() ? OkStatus() : InvalidArgument("'{}' is not a number", value_);
  }
  if (column_ == "state") {
    if (value_ == "running") value_ = RunStateName(RunState::kTraining);
    const std::vector<std::string_view> states = RunEntryStates();
    if (Has(states, value_)) return OkStatus();
    return InvalidArgument("unknown state '{}'; expected one of {}", value_,
                           fmt::join(states, ", "));
  }
  if (column_ == "kind") {
    std::vector<std::string_view> kinds;
    kinds.reserve(kKinds.size());
    for (const ScoreKind kind : kKinds) kinds.push_back(ScoreKindName(kind));
    if (Has(kinds, value_)) return OkStatus();
    return InvalidArgument("unknown kind '{}'; expected one of {}", value_, fmt::join(kinds, ", "));
  }
  if (column_ == "when") {
    if (IsTime(value_)) return OkStatus();
    return InvalidArgument("'{}' is not a time; expected one as 2026-11-30 or '2026-11-30 14:05'",
                           value_);
  }
  if (!IsKey(column_)) return OkStatus();
  if (orders) {
    return number_.has_value() ? OkStatus() : InvalidArgument("'{}' is not a number", value_);
  }
  Config config;
  GORILA_RETURN_IF_ERROR(SetConfigValue(config, column_, value_));
  const std::string text = ValueText((*FindConfigKey(column_))->field, config);
  number_ = ParseNumber(text);
  value_ = WithoutQuotes(text);
  return OkStatus();
}

bool RunFilter::MatchesText(std::string_view value) const {
  if (operator_ == "~") return Contains(value, value_);
  // A day is all of its minutes.
  if (column_ == "when") value = value.substr(0, value_.size());
  return Compares(operator_, Order(value, std::string_view(value_)));
}

// "breakout" is minatar/breakout and pixel/breakout, "minatar" a run with all games of the list.
bool RunFilter::MatchesGame(const RunEntry& run) const {
  const std::string& name = run.config.environment.name;
  std::vector<std::string> names = GamesOf(run.config);
  for (std::string& game : names) {
    if (operator_ == "~" || game == value_) continue;
    if (game.ends_with("/" + value_) || game.ends_with(":" + value_)) game = value_;
  }
  names.push_back(name);
  names.push_back(GamesLabel(name));
  const auto matches = [&](const std::string& one) { return MatchesText(one); };
  return operator_ == "!=" ? std::all_of(names.begin(), names.end(), matches)
                           : std::any_of(names.begin(), names.end(), matches);
}

bool RunFilter::MatchesTag(const RunEntry& run) const {
  const auto matches = [&](const std::string& tag) { return MatchesText(tag); };
  const std::vector<std::string>& tags = run.labels.tags;
  return operator_ == "!=" ? std::all_of(tags.begin(), tags.end(), matches)
                           : std::any_of(tags.begin(), tags.end(), matches);
}

bool RunFilter::Matches(const RunEntry& run) const {
  if (column_ == "game") return MatchesGame(run);
  if (column_ == "tag") return MatchesTag(run);
  const ColumnValue value = ValueOf(run, column_);
  if (const auto* const number = std::get_if<double>(&value); number != nullptr) {
    if (operator_ == "~") return Contains(fmt::format("{}", *number), value_);
    return number_.has_value() && Compares(operator_, Order(*number, *number_));
  }
  const auto* const text = std::get_if<std::string>(&value);
  if (text == nullptr) return operator_ == "!=";
  return MatchesText(*text);
}

Status SortRuns(std::string_view order, std::vector<RunEntry>& runs) {
  const bool reversed = order.starts_with('-');
  if (reversed) order.remove_prefix(1);
  GORILA_RETURN_IF_ERROR(CheckColumn(order));
  struct Place {
    std::size_t run;
    ColumnValue value;
    std::string game;
    int kind;  // small first
  };
  std::vector<Place> places;
  for (const RunEntry& run : runs) {
    places.push_back({places.size(), ValueOf(run, order), "", 0});
    if (order != "score" || !run.score.has_value()) continue;
    places.back().game = run.config.environment.name;
    places.back().kind = -static_cast<int>(run.score->kind);
  }
  std::stable_sort(places.begin(), places.end(), [reversed](const Place& a, const Place& b) {
    const bool a_has = a.value.index() != 0, b_has = b.value.index() != 0;
    if (a_has != b_has) return a_has;
    if (a.game != b.game) return NaturalLess(a.game, b.game);
    if (a.kind != b.kind) return a.kind < b.kind;
    const int compared = Compare(a.value, b.value);
    return reversed ? compared > 0 : compared < 0;
  });
  std::vector<RunEntry> sorted;
  sorted.reserve(places.size());
  for (const Place& place : places) sorted.push_back(std::move(runs[place.run]));
  runs = std::move(sorted);
  return OkStatus();
}

}  // namespace gorila
