// A run's records in bounded memory.
#ifndef GORILA_DASHBOARD_RECORD_HISTORY_H_
#define GORILA_DASHBOARD_RECORD_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Lines of metrics.jsonl, oldest first. All of them up to `most` of a kind (training records, and
// the others) and up to `most_bytes` of it; beyond that neighbours are merged (merged_record.h),
// those that stand for the fewest records first: the run stays about equally dense, its newest part
// denser, and its means are those of all episodes. The newest four of a kind always stay as they
// are. Not thread-safe.
class RecordHistory {
 public:
  // `most` >= 16.
  RecordHistory(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  void Add(std::string line);  // a JSON object
  void Clear();

  // The same records within smaller limits.
  RecordHistory Thinned(std::size_t most, std::size_t most_bytes) const;

  std::size_t size() const { return records_.size(); }
  std::size_t bytes() const { return training_.bytes + others_.bytes; }
  std::string Json() const;                                            // {"rows":[...]}
  const std::string& last_training() const { return last_training_; }  // empty = none

 private:
  struct Record {
    std::string line;
    std::int64_t merged;  // records of the log that it stands for
    bool training;
  };
  // Of training records, or of the others.
  struct Kind {
    std::size_t records = 0;
    std::size_t bytes = 0;
  };
  Kind& KindOf(bool training) { return training ? training_ : others_; }
  bool IsTooMuch(const Kind& kind) const {
    return kind.records > most_ || kind.bytes > most_bytes_;
  }
  void Limit(bool training);
  bool Merge(bool training);
  void MergeGroup(std::span<const std::size_t> places);
  void DropEmpty();

  std::size_t most_;
  std::size_t most_bytes_;
  std::vector<Record> records_;
  Kind training_, others_;
  std::string last_training_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RECORD_HISTORY_H_
