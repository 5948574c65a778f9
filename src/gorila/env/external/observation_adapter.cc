#include "gorila/env/external/observation_adapter.h"

#include <algorithm>
#include <cstring>

#include "gorila/env/atari/luminance.h"

namespace gorila {
namespace {

constexpr int kMostSide = 4096;
constexpr std::size_t kMostElements = 16 << 20;
constexpr int kMostPictureChannels = 4;

std::string ShapeText(const RawObservation& raw) {
  return fmt::format("({})", fmt::join(raw.shape, ", "));
}

Status CheckShape(const RawObservation& raw) {
  const bool dimensions = !raw.shape.empty() && raw.shape.size() <= 3;
  if (!dimensions) {
    return InvalidArgument(
        "observations of shape {} have {} dimensions; expected 1 to 3 (a vector, a board, a "
        "picture); Gymnasium's FlattenObservation makes them a vector",
        ShapeText(raw), raw.shape.size());
  }
  for (const int side : raw.shape) {
    const bool vector = raw.shape.size() == 1;
    if (side >= 1 && (vector || side <= kMostSide)) continue;
    return InvalidArgument("observations of shape {}; expected sides from 1 to {}", ShapeText(raw),
                           kMostSide);
  }
  if (raw.elements() <= kMostElements) return OkStatus();
  return InvalidArgument("observations of shape {} have {} numbers; expected at most {}",
                         ShapeText(raw), raw.elements(), kMostElements);
}

}  // namespace

std::size_t RawObservation::elements() const {
  std::size_t product = 1;
  for (const int side : shape) product *= static_cast<std::size_t>(side);
  return product;
}

std::size_t RawObservation::bytes() const {
  return elements() * (element == ElementType::kUint8 ? 1 : sizeof(float));
}

StatusOr<ObservationAdapter::Picture> ObservationAdapter::PictureOf(
    const RawObservation& raw, const ExternalOptions& options) {
  const std::vector<int>& shape = raw.shape;
  if (shape.size() == 1) return Picture{.channels = shape[0]};
  if (shape.size() == 2) return Picture{.height = shape[0], .width = shape[1]};
  const bool first = shape[0] <= kMostPictureChannels;
  const bool last = shape[2] <= kMostPictureChannels;
  if (options.layout == PictureLayout::kAuto && first == last) {
    return InvalidArgument(
        "observations of shape {}: which side is the channels is not clear; set "
        "environment.layout to hwc or chw",
        ShapeText(raw));
  }
  if (options.layout == PictureLayout::kHwc || (options.layout == PictureLayout::kAuto && last)) {
    return Picture{
        .height = shape[0], .width = shape[1], .channels = shape[2], .channels_last = true};
  }
  return Picture{.height = shape[1], .width = shape[2], .channels = shape[0]};
}

StatusOr<ObservationAdapter> ObservationAdapter::Make(const RawObservation& raw,
                                                      const ExternalOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckShape(raw));
  ObservationAdapter adapter;
  GORILA_ASSIGN_OR_RETURN(adapter.picture_, PictureOf(raw, options));
  GORILA_RETURN_IF_ERROR(adapter.Plan(raw, options));
  return adapter;
}

Status ObservationAdapter::Plan(const RawObservation& raw, const ExternalOptions& options) {
  const bool picture = raw.shape.size() >= 2;
  const bool bytes = raw.element == ElementType::kUint8;
  const bool large = picture && bytes && picture_.height > kLargestPlainPicture &&
                     picture_.width > kLargestPlainPicture;
  const bool colours = picture_.channels == 3;
  if (options.grey == Choice::kYes && !(picture && bytes && colours)) {
    return InvalidArgument(
        "environment.grey is yes for observations of shape {}{}; expected pictures of uint8 with 3 "
        "channels",
        ShapeText(raw), bytes ? "" : " of floats");
  }
  grey_ = options.grey == Choice::kYes || (options.grey == Choice::kAuto && large && colours);
  const int smallest = std::min(picture_.height, picture_.width);
  const int size = options.picture_size > 0               ? options.picture_size
                   : large && smallest > kAutoPictureSize ? kAutoPictureSize
                                                          : 0;
  if (size > 0 && !(picture && bytes && size <= smallest)) {
    return InvalidArgument(
        "environment.picture_size is {} for observations of shape {}{}; expected pictures of uint8 "
        "with at least so many pixels a side",
        size, ShapeText(raw), bytes ? "" : " of floats");
  }
  if (size > 0) {
    resizer_.emplace(picture_.height, picture_.width, size, ScreenResize::kArea);
  }
  const int stack = options.picture_stack > 0 ? options.picture_stack
                    : large                   ? kAutoPictureStack
                                              : 1;
  spec_ = {.channels = grey_ ? 1 : picture_.channels,
           .height = size > 0 ? size : picture_.height,
           .width = size > 0 ? size : picture_.width,
           .element = raw.element,
           .scale = bytes && (large || grey_ || size > 0) ? 1.0F / 255 : 1.0F,
           .stack = stack};
  plain_ = !grey_ && !resizer_.has_value() && !(picture_.channels_last && picture_.channels > 1);
  if (resizer_.has_value()) {
    full_.resize(static_cast<std::size_t>(spec_.channels) *
                 static_cast<std::size_t>(picture_.height) *
                 static_cast<std::size_t>(picture_.width));
  }
  return OkStatus();
}

void ObservationAdapter::MakeGrey(std::span<const std::byte> raw,
                                  std::span<std::uint8_t> grey) const {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(raw.data());
  const std::size_t pixels = grey.size();
  const std::size_t apart = picture_.channels_last ? 3 : 1;
  const std::size_t plane = picture_.channels_last ? 1 : pixels;
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* const pixel = bytes + i * apart;
    grey[i] = atari::Luminance({.red = pixel[0], .green = pixel[plane], .blue = pixel[2 * plane]});
  }
}

template <typename T>
void ObservationAdapter::ChannelsFirst(const T* raw, T* planes) const {
  const auto channels = static_cast<std::size_t>(picture_.channels);
  const auto pixels =
      static_cast<std::size_t>(picture_.height) * static_cast<std::size_t>(picture_.width);
  if (!picture_.channels_last) {
    std::copy_n(raw, channels * pixels, planes);
    return;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < pixels; ++i) planes[c * pixels + i] = raw[i * channels + c];
  }
}

void ObservationAdapter::Convert(std::span<const std::byte> raw, std::span<std::byte> observation) {
  if (plain_) {
    std::memcpy(observation.data(), raw.data(), observation.size());
    return;
  }
  if (spec_.element == ElementType::kFloat32) {
    ChannelsFirst(reinterpret_cast<const float*>(raw.data()),
                  reinterpret_cast<float*>(observation.data()));
    return;
  }
  auto* const out = reinterpret_cast<std::uint8_t*>(observation.data());
  const std::span<std::uint8_t> planes =
      resizer_.has_value() ? std::span(full_) : std::span(out, observation.size());
  if (grey_) {
    MakeGrey(raw, planes);
  } else {
    ChannelsFirst(reinterpret_cast<const std::uint8_t*>(raw.data()), planes.data());
  }
  if (!resizer_.has_value()) return;
  const auto from = planes.size() / static_cast<std::size_t>(spec_.channels);
  const auto to = observation.size() / static_cast<std::size_t>(spec_.channels);
  for (std::size_t c = 0; c < static_cast<std::size_t>(spec_.channels); ++c) {
    resizer_->Resize(planes.subspan(c * from, from), {out + c * to, to});
  }
}

}  // namespace gorila
