#include "gorila/metrics/event_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "gorila/base/crc32c.h"
#include "gorila/base/descriptor.h"
#include "gorila/base/file.h"
#include "gorila/base/runtime.h"
#include "gorila/foreign/tensorboard.pb.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

namespace tensorboard = foreign::tensorboard;

constexpr int kRgb = 3;  // Summary.Image.colorspace
constexpr int kMostFiles = 1000000;

// A checksum stored in what it covers would be awkward to check, so it is stored rotated and
// offset.
std::uint32_t MaskedCrc32c(std::string_view bytes) {
  const std::uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

template <typename T>
void AppendLittleEndian(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Length, its checksum, the data, their checksum; integers little-endian.
std::string FrameRecord(const std::string& data) {
  std::string record;
  AppendLittleEndian(record, static_cast<std::uint64_t>(data.size()));
  AppendLittleEndian(record, MaskedCrc32c(record));
  record += data;
  AppendLittleEndian(record, MaskedCrc32c(data));
  return record;
}

// Adds a bucket of `count` samples whose values are near `middle`.
void AddBucket(double limit, double count, double middle, tensorboard::HistogramProto& histogram) {
  histogram.add_bucket_limit(limit);
  histogram.add_bucket(count);
  histogram.set_num(histogram.num() + count);
  histogram.set_sum(histogram.sum() + count * middle);
  histogram.set_sum_squares(histogram.sum_squares() + count * middle * middle);
}

// TensorBoard reads the files of a folder in the order of their names.
fs::path FilePath(const fs::path& folder, int number) {
  return folder / fmt::format("events.out.tfevents.{:010}.gorila", number);
}

}  // namespace

EventSummary::EventSummary() : summary_(std::make_unique<tensorboard::Summary>()) {}
EventSummary::~EventSummary() = default;

bool EventSummary::empty() const { return summary_->value().empty(); }

tensorboard::Summary::Value& EventSummary::AddValue(std::string_view tag) {
  tensorboard::Summary::Value& value = *summary_->add_value();
  value.set_tag(std::string(tag));
  return value;
}

void EventSummary::AddScalar(std::string_view tag, double scalar) {
  if (std::isfinite(scalar)) AddValue(tag).set_simple_value(static_cast<float>(scalar));
}

void EventSummary::AddHistogram(std::string_view tag, std::span<const double> samples) {
  constexpr std::size_t kBuckets = 30;
  std::vector<double> finite;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(finite),
               [](double sample) { return std::isfinite(sample); });
  if (finite.empty()) return;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  const double width = (*most - *least) / kBuckets;
  const std::size_t buckets = width > 0 ? kBuckets : 1;
  tensorboard::HistogramProto& histogram = *AddValue(tag).mutable_histo();
  histogram.set_min(*least);
  histogram.set_max(*most);
  histogram.set_num(static_cast<double>(finite.size()));
  histogram.mutable_bucket()->Resize(static_cast<int>(buckets), 0);
  for (std::size_t i = 1; i < buckets; ++i) {
    histogram.add_bucket_limit(*least + width * static_cast<double>(i));
  }
  histogram.add_bucket_limit(*most);
  double sum = 0;
  double squares = 0;
  for (const double sample : finite) {
    const auto at =
        width > 0 ? static_cast<std::size_t>((sample - *least) / width) : std::size_t{0};
    ++*histogram.mutable_bucket()->Mutable(static_cast<int>(std::min(at, buckets - 1)));
    sum += sample;
    squares += sample * sample;
  }
  histogram.set_sum(sum);
  histogram.set_sum_squares(squares);
}

void EventSummary::AddHistogram(std::string_view tag, std::span<const double> limits,
                                std::span<const double> counts) {
  GORILA_CHECK(limits.size() == counts.size(), "{} {}", limits.size(), counts.size());
  const auto counted = [](double count) { return count > 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), counted);
  if (first == counts.end()) return;
  const auto from = [&](std::size_t i) { return i == 0 ? 0 : limits[i - 1]; };
  tensorboard::HistogramProto& histogram = *AddValue(tag).mutable_histo();
  histogram.set_min(from(static_cast<std::size_t>(first - counts.begin())));
  for (std::size_t i = 0; i < limits.size(); ++i) {
    AddBucket(limits[i], counts[i], (from(i) + limits[i]) / 2, histogram);
    if (counted(counts[i])) histogram.set_max(limits[i]);
  }
}

void EventSummary::AddImage(std::string_view tag, int width, int height, std::string_view encoded) {
  tensorboard::Summary::Image& image = *AddValue(tag).mutable_image();
  image.set_height(height);
  image.set_width(width);
  image.set_colorspace(kRgb);
  image.set_encoded_image_string(std::string(encoded));
}

StatusOr<EventFile> EventFile::Create(const fs::path& folder, std::int64_t first_step,
                                      bool wall_time) {
  GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  std::uint64_t older_bytes = 0;
  for (int number = 1; number < kMostFiles; ++number) {
    const fs::path path = FilePath(folder, number);
    const int file = OpenDescriptor(path, O_WRONLY | O_CREAT | O_EXCL);
    if (file < 0 && errno == EEXIST) {
      older_bytes += LookAt(path).size;
      continue;
    }
    if (file < 0) {
      return Unavailable("cannot create event file '{}': {}", path.string(), std::strerror(errno));
    }
    EventFile events(AppendFile("event file", path, file, 0), wall_time, older_bytes);
    tensorboard::Event version;
    version.set_file_version("brain.Event:2");
    events.AppendEvent(version);
    tensorboard::Event start;
    start.set_step(first_step);
    start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
    events.AppendEvent(start);
    GORILA_RETURN_IF_ERROR(events.file_.status());
    return events;
  }
  return Unavailable("'{}' already has {} event files; remove old ones", folder.string(),
                     kMostFiles);
}

void EventFile::AppendEvent(tensorboard::Event& event) {
  const std::chrono::duration<double> now = WallNow().time_since_epoch();
  event.set_wall_time(wall_time_ ? now.count() : 0);
  file_.Append(FrameRecord(event.SerializeAsString()));
}

Status EventFile::Append(std::int64_t step, const EventSummary& summary) {
  if (summary.empty()) return OkStatus();
  tensorboard::Event event;
  event.set_step(step);
  *event.mutable_summary() = *summary.summary_;
  AppendEvent(event);
  return OkStatus();
}

}  // namespace gorila
