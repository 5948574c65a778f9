// TensorBoard's event files, which Weights & Biases and others read too: records with checksums,
// each an Event message (tensorboard/compat/proto/event.proto).
#ifndef GORILA_METRICS_EVENT_FILE_H_
#define GORILA_METRICS_EVENT_FILE_H_

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/protobuf_writer.h"
#include "gorila/base/status.h"

namespace gorila {

// Values of one step, to be written together. Tags are paths, "training/loss". Not thread-safe.
class EventSummary {
 public:
  // Values that are not finite are left out: TensorBoard's charts break at them.
  void AddScalar(std::string_view tag, double value);
  // The distribution of `samples` in 30 equal buckets. Samples that are not finite are left out;
  // nothing without any.
  void AddHistogram(std::string_view tag, std::span<const double> samples);
  // Counts that were made elsewhere: counts[i] samples lie from limits[i - 1] (the first from 0) to
  // below limits[i]; as many limits as counts. Nothing when all counts are 0.
  void AddHistogram(std::string_view tag, std::span<const double> limits,
                    std::span<const double> counts);
  // A PNG or animated GIF with its size in pixels.
  void AddImage(std::string_view tag, int width, int height, std::string_view encoded);

  bool empty() const { return summary_.bytes().empty(); }

 private:
  friend class EventFile;
  void AddValue(std::string_view tag, int field, const ProtobufWriter& value);
  ProtobufWriter summary_;
};

// Appends to one file. Every record reaches the operating system before a call returns; a killed
// process leaves at most a half record at the end, which readers pass over. Not thread-safe.
class EventFile {
 public:
  // Makes the next file of a run in `folder` (made when there is none): a run that goes on writes
  // one after the others, whose names sort in that order. `first_step`: what older files say of it
  // and later steps is superseded. Without `wall_time` all times are 0, so that the files of equal
  // runs are equal.
  static StatusOr<EventFile> Create(const std::filesystem::path& folder, std::int64_t first_step,
                                    bool wall_time);

  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&& other) = delete;
  ~EventFile();

  // Blocks on the disk; nothing for an empty summary. After an error the file ends with the last
  // whole record.
  Status Append(std::int64_t step, const EventSummary& summary);

 private:
  EventFile(std::filesystem::path path, int file, bool wall_time);
  ProtobufWriter BeginEvent(std::int64_t step) const;
  Status AppendRecord(const std::string& event);

  std::filesystem::path path_;
  int file_;
  bool wall_time_;
  std::uint64_t bytes_ = 0;  // whole records
};

}  // namespace gorila

#endif  // GORILA_METRICS_EVENT_FILE_H_
