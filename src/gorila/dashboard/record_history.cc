#include "gorila/dashboard/record_history.h"

#include <algorithm>
#include <utility>

#include "gorila/dashboard/merged_record.h"

namespace gorila {
namespace {

constexpr std::size_t kNewest = 4;

// Of neighbours that stand for so many records each (`merged`) those that become one: where each
// group but the last begins. A group stands for at most `most`.
std::vector<std::size_t> GroupNeighbours(const std::vector<std::int64_t>& merged,
                                         std::int64_t most) {
  std::vector<std::size_t> begins;
  std::int64_t records = 0;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (i == 0 || records + merged[i] > most) {
      begins.push_back(i);
      records = 0;
    }
    records += merged[i];
  }
  return begins;
}

}  // namespace

void RecordHistory::Add(std::string line) {
  const bool training = line.find("\"kind\":\"training\"") != line.npos;
  if (training) last_training_ = line;
  line.shrink_to_fit();
  Kind& kind = KindOf(training);
  ++kind.records;
  kind.bytes += line.size();
  const std::int64_t merged = RecordsIn(line);
  records_.push_back({std::move(line), merged, training});
  Limit(training);
}

void RecordHistory::Clear() {
  records_.clear();
  training_ = others_ = {};
  last_training_.clear();
}

void RecordHistory::Limit(bool training) {
  while (IsTooMuch(KindOf(training)) && Merge(training)) continue;
}

// To about three quarters of the limits or less. False when nothing was left to merge.
bool RecordHistory::Merge(bool training) {
  std::vector<std::size_t> of_kind;  // without the newest
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].training == training) of_kind.push_back(i);
  }
  of_kind.resize(of_kind.size() - std::min(of_kind.size(), kNewest));
  std::vector<std::int64_t> merged;
  merged.reserve(of_kind.size());
  for (const std::size_t i : of_kind) merged.push_back(records_[i].merged);
  const std::size_t target = std::max<std::size_t>(1, std::min(of_kind.size(), most_) * 3 / 4);
  std::vector<std::size_t> begins;
  std::int64_t most = 1;
  do {
    begins = GroupNeighbours(merged, most *= 2);
  } while (begins.size() > target);
  if (begins.size() == of_kind.size()) return false;
  begins.push_back(of_kind.size());
  for (std::size_t group = 0; group + 1 < begins.size(); ++group) {
    const std::size_t count = begins[group + 1] - begins[group];
    if (count > 1) MergeGroup(std::span(of_kind).subspan(begins[group], count));
  }
  DropEmpty();
  return true;
}

// Into the last of them; the others are left without a line.
void RecordHistory::MergeGroup(std::span<const std::size_t> places) {
  std::vector<std::string_view> lines;
  lines.reserve(places.size());
  for (const std::size_t place : places) lines.push_back(records_[place].line);
  std::string line = MergedRecord(lines);
  std::int64_t merged = 0;
  for (const std::size_t place : places) {
    merged += records_[place].merged;
    records_[place].line.clear();
  }
  records_[places.back()].line = std::move(line);
  records_[places.back()].merged = merged;
}

void RecordHistory::DropEmpty() {
  std::erase_if(records_, [](const Record& record) { return record.line.empty(); });
  training_ = others_ = {};
  for (const Record& record : records_) {
    Kind& kind = KindOf(record.training);
    ++kind.records;
    kind.bytes += record.line.size();
  }
}

RecordHistory RecordHistory::Thinned(std::size_t most, std::size_t most_bytes) const {
  RecordHistory thinned = *this;
  thinned.most_ = most;
  thinned.most_bytes_ = most_bytes;
  for (const bool training : {true, false}) thinned.Limit(training);
  return thinned;
}

std::string RecordHistory::Json() const {
  std::string json = "{\"rows\":[";
  for (const Record& record : records_) {
    if (json.back() != '[') json += ',';
    json += record.line;
  }
  return json + "]}";
}

}  // namespace gorila
