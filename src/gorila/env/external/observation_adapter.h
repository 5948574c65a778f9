// From an observation as somebody's environment writes it to one that the network takes.
#ifndef GORILA_ENV_EXTERNAL_OBSERVATION_ADAPTER_H_
#define GORILA_ENV_EXTERNAL_OBSERVATION_ADAPTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/atari/screen_resizer.h"
#include "gorila/env/environment.h"
#include "gorila/env/external/external_options.h"

namespace gorila {

// An array, row-major, of one to three dimensions.
struct RawObservation {
  std::vector<int> shape;
  ElementType element = ElementType::kUint8;

  std::size_t elements() const;
  std::size_t bytes() const;
  bool operator==(const RawObservation&) const = default;
};

// Vectors become channels. Pictures become channel first and, where the options or `auto` say so,
// grey, square and smaller. A picture's scale is 1/255 where it is uint8 and has more than
// kLargestPlainPicture pixels a side or was made grey or smaller; otherwise 1, as MinAtar's boards.
// Not thread-safe: it has scratch memory.
class ObservationAdapter {
 public:
  // InvalidArgument for what no network could take: no or more than three dimensions, an empty or
  // enormous one, an ambiguous layout, options that do not fit the picture.
  static StatusOr<ObservationAdapter> Make(const RawObservation& raw,
                                           const ExternalOptions& options);

  const ObservationSpec& spec() const { return spec_; }
  // Whether Convert copies bytes as they are.
  bool plain() const { return plain_; }

  // `raw` has the bytes of Make's; `observation` is spec().frame_bytes() long.
  void Convert(std::span<const std::byte> raw, std::span<std::byte> observation);

 private:
  // A picture's sides, as they lie in memory.
  struct Picture {
    int height = 1;
    int width = 1;
    int channels = 1;
    bool channels_last = false;
  };

  ObservationAdapter() = default;
  static StatusOr<Picture> PictureOf(const RawObservation& raw, const ExternalOptions& options);
  Status Plan(const RawObservation& raw, const ExternalOptions& options);
  void MakeGrey(std::span<const std::byte> raw, std::span<std::uint8_t> grey) const;
  template <typename T>
  void ChannelsFirst(const T* raw, T* planes) const;

  Picture picture_;
  bool plain_ = true;  // a copy is enough
  bool grey_ = false;
  std::optional<atari::ScreenResizer> resizer_;
  std::vector<std::uint8_t> full_;  // planes before they are shrunk
  ObservationSpec spec_;
};

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_OBSERVATION_ADAPTER_H_
