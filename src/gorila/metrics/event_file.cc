#include "gorila/metrics/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "gorila/base/crc32c.h"
#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// Fields of tensorboard's messages.
namespace event {
constexpr int kWallTime = 1;
constexpr int kStep = 2;
constexpr int kFileVersion = 3;
constexpr int kSummary = 5;
constexpr int kSessionLog = 7;
}  // namespace event
namespace value {
constexpr int kTag = 1;
constexpr int kSimpleValue = 2;
constexpr int kImage = 4;
constexpr int kHistogram = 5;
}  // namespace value

constexpr int kRgb = 3;  // SummaryImage.colorspace
constexpr int kSessionStart = 1;
constexpr int kMostFiles = 1000000;

// A checksum stored in what it covers would be awkward to check, so it is stored rotated and
// offset.
std::uint32_t MaskedCrc32c(std::string_view bytes) {
  const std::uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

template <typename T>
void AppendBytes(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Length, its checksum, the data, their checksum; integers little-endian.
std::string FrameRecord(const std::string& data) {
  std::string record;
  AppendBytes(record, static_cast<std::uint64_t>(data.size()));
  AppendBytes(record, MaskedCrc32c(record));
  record += data;
  AppendBytes(record, MaskedCrc32c(data));
  return record;
}

struct Histogram {
  double minimum = 0;
  double maximum = 0;
  double sum = 0;
  double squares = 0;
  std::vector<double> limits;
  std::vector<double> counts;
};

ProtobufWriter Encode(const Histogram& histogram) {
  ProtobufWriter message;
  message.Double(1, histogram.minimum);
  message.Double(2, histogram.maximum);
  message.Double(3, std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0));
  message.Double(4, histogram.sum);
  message.Double(5, histogram.squares);
  message.Doubles(6, histogram.limits);
  message.Doubles(7, histogram.counts);
  return message;
}

Status SystemError(const char* action, const fs::path& path, int error) {
  return Unavailable("cannot {} event file '{}': {}", action, path.string(), std::strerror(error));
}

// TensorBoard reads the files of a folder in the order of their names.
fs::path FilePath(const fs::path& folder, int number) {
  return folder / fmt::format("events.out.tfevents.{:010}.gorila", number);
}

}  // namespace

void EventSummary::AddValue(std::string_view tag, int field, const ProtobufWriter& contents) {
  ProtobufWriter message;
  message.Bytes(value::kTag, tag);
  message.Message(field, contents);
  summary_.Message(1, message);
}

void EventSummary::AddScalar(std::string_view tag, double scalar) {
  if (!std::isfinite(scalar)) return;
  ProtobufWriter message;
  message.Bytes(value::kTag, tag);
  message.Float(value::kSimpleValue, static_cast<float>(scalar));
  summary_.Message(1, message);
}

void EventSummary::AddHistogram(std::string_view tag, std::span<const double> samples) {
  constexpr std::size_t kBuckets = 30;
  Histogram histogram;
  std::vector<double> finite;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(finite),
               [](double sample) { return std::isfinite(sample); });
  if (finite.empty()) return;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  histogram.minimum = *least;
  histogram.maximum = *most;
  const double width = (histogram.maximum - histogram.minimum) / kBuckets;
  const std::size_t buckets = width > 0 ? kBuckets : 1;
  for (std::size_t i = 1; i < buckets; ++i) {
    histogram.limits.push_back(histogram.minimum + width * static_cast<double>(i));
  }
  histogram.limits.push_back(histogram.maximum);
  histogram.counts.resize(buckets);
  for (const double sample : finite) {
    const auto at =
        width > 0 ? static_cast<std::size_t>((sample - histogram.minimum) / width) : std::size_t{0};
    ++histogram.counts[std::min(at, buckets - 1)];
    histogram.sum += sample;
    histogram.squares += sample * sample;
  }
  AddValue(tag, value::kHistogram, Encode(histogram));
}

void EventSummary::AddHistogram(std::string_view tag, std::span<const double> limits,
                                std::span<const double> counts) {
  GORILA_CHECK(limits.size() == counts.size(), "{} {}", limits.size(), counts.size());
  Histogram histogram;
  histogram.limits.assign(limits.begin(), limits.end());
  histogram.counts.assign(counts.begin(), counts.end());
  bool any = false;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (counts[i] <= 0) continue;
    const double from = i == 0 ? 0 : limits[i - 1];
    if (!any) histogram.minimum = from;
    any = true;
    histogram.maximum = limits[i];
    const double middle = (from + limits[i]) / 2;
    histogram.sum += counts[i] * middle;
    histogram.squares += counts[i] * middle * middle;
  }
  if (any) AddValue(tag, value::kHistogram, Encode(histogram));
}

void EventSummary::AddImage(std::string_view tag, int width, int height, std::string_view encoded) {
  ProtobufWriter image;
  image.Varint(1, height);
  image.Varint(2, width);
  image.Varint(3, kRgb);
  image.Bytes(4, encoded);
  AddValue(tag, value::kImage, image);
}

StatusOr<EventFile> EventFile::Create(const fs::path& folder, std::int64_t first_step,
                                      bool wall_time) {
  GORILA_RETURN_IF_ERROR(CreateFolders(folder));
  for (int number = 1; number < kMostFiles; ++number) {
    const fs::path path = FilePath(folder, number);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) return SystemError("create", path, errno);
    EventFile events(path, file, wall_time);
    ProtobufWriter version = events.BeginEvent(0);
    version.Bytes(event::kFileVersion, "brain.Event:2");
    GORILA_RETURN_IF_ERROR(events.AppendRecord(version.bytes()));
    ProtobufWriter start = events.BeginEvent(first_step);
    ProtobufWriter session;
    session.Varint(1, kSessionStart);
    start.Message(event::kSessionLog, session);
    GORILA_RETURN_IF_ERROR(events.AppendRecord(start.bytes()));
    return events;
  }
  return Unavailable("'{}' has {} event files already", folder.string(), kMostFiles);
}

EventFile::EventFile(fs::path path, int file, bool wall_time)
    : path_(std::move(path)), file_(file), wall_time_(wall_time) {}

EventFile::EventFile(EventFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      wall_time_(other.wall_time_),
      bytes_(other.bytes_) {}

EventFile::~EventFile() {
  if (file_ >= 0) ::close(file_);
}

ProtobufWriter EventFile::BeginEvent(std::int64_t step) const {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  ProtobufWriter message;
  message.Double(event::kWallTime, wall_time_ ? now.count() : 0);
  message.Varint(event::kStep, step);
  return message;
}

Status EventFile::Append(std::int64_t step, const EventSummary& summary) {
  if (summary.empty()) return OkStatus();
  ProtobufWriter message = BeginEvent(step);
  message.Message(event::kSummary, summary.summary_);
  return AppendRecord(message.bytes());
}

// At the end of the whole records, so that the half one of a failed call is written over.
Status EventFile::AppendRecord(const std::string& data) {
  const std::string record = FrameRecord(data);
  std::size_t written = 0;
  while (written < record.size()) {
    const ssize_t count = ::pwrite(file_, record.data() + written, record.size() - written,
                                   static_cast<off_t>(bytes_ + written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Status error = SystemError("write", path_, errno);
      [[maybe_unused]] const int cut = ::ftruncate(file_, static_cast<off_t>(bytes_));
      return error;
    }
    written += static_cast<std::size_t>(count);
  }
  bytes_ += record.size();
  return OkStatus();
}

}  // namespace gorila
