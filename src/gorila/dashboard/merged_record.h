// Several records of a run's log as one.
#ifndef GORILA_DASHBOARD_MERGED_RECORD_H_
#define GORILA_DASHBOARD_MERGED_RECORD_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gorila {

// How many records a line of the log, or of MergedRecord(), stands for.
std::int64_t RecordsIn(std::string_view line);

// Neighbours, oldest first, at least one: lines that are JSON objects. What it says of episodes
// (the returns' number, mean and standard deviation, the mean length, likewise of each game) and
// its counts of staleness are those of all of them; of values that are measured now and then it has
// the newest; the rest is the last one's. "merged" is their number. Evaluations are not merged: the
// last one stands for the others. page/series.js does the same.
std::string MergedRecord(std::span<const std::string_view> lines);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_MERGED_RECORD_H_
