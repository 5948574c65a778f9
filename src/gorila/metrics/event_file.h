// TensorBoard's event files, which Weights & Biases and others read too: records with checksums,
// each an Event message (tensorboard/compat/proto/event.proto).
#ifndef GORILA_METRICS_EVENT_FILE_H_
#define GORILA_METRICS_EVENT_FILE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/append_file.h"
#include "gorila/base/status.h"

namespace gorila {

namespace foreign::tensorboard {
class Event;
class Summary;
class Summary_Value;
}  // namespace foreign::tensorboard

// Values of one step, to be written together. Tags are paths, "training/loss". Not thread-safe.
class EventSummary {
 public:
  EventSummary();
  ~EventSummary();
  EventSummary(const EventSummary&) = delete;
  EventSummary& operator=(const EventSummary&) = delete;

  // Values that are not finite are left out: TensorBoard's charts break at them.
  void AddScalar(std::string_view tag, double value);
  // The distribution of `samples` in 30 equal buckets. Samples that are not finite are left out;
  // nothing without any.
  void AddHistogram(std::string_view tag, std::span<const double> samples);
  // Counts made elsewhere: counts[i] samples are from limits[i - 1] (the first from 0) to
  // below limits[i]; as many limits as counts. Nothing when all counts are 0.
  void AddHistogram(std::string_view tag, std::span<const double> limits,
                    std::span<const double> counts);
  // A PNG or animated GIF with its size in pixels.
  void AddImage(std::string_view tag, int width, int height, std::string_view encoded);

  bool empty() const;

 private:
  friend class EventFile;
  foreign::tensorboard::Summary_Value& AddValue(std::string_view tag);
  std::unique_ptr<foreign::tensorboard::Summary> summary_;
};

// Appends to one file. Every record reaches the operating system before a call returns; a killed
// process leaves at most a half record at the end, which readers pass over. Not thread-safe.
class EventFile {
 public:
  // Makes the next file of a run in `folder` (made when there is none): a resumed run writes
  // one after the others, whose names sort in that order. `first_step`: what older files say of it
  // and later steps is superseded. Without `wall_time` all times are 0, so that the files of equal
  // runs are equal.
  static StatusOr<EventFile> Create(const std::filesystem::path& folder, std::int64_t first_step,
                                    bool wall_time);

  // Blocks on the disk; nothing for an empty summary. OK too when the record has to wait for the
  // disk: file() says so.
  Status Append(std::int64_t step, const EventSummary& summary);

  AppendFile& file() { return file_; }

  // Of all the folder's files.
  std::uint64_t folder_bytes() const { return older_bytes_ + file_.bytes(); }

 private:
  EventFile(AppendFile file, bool wall_time, std::uint64_t older_bytes)
      : file_(std::move(file)), wall_time_(wall_time), older_bytes_(older_bytes) {}
  // `event` without its time.
  void AppendEvent(foreign::tensorboard::Event& event);

  AppendFile file_;
  bool wall_time_;
  std::uint64_t older_bytes_;  // of files before this one
};

}  // namespace gorila

#endif  // GORILA_METRICS_EVENT_FILE_H_
