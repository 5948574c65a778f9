#include "gorila/metrics/animated_gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/metrics/png_image.h"

namespace gorila {
namespace {

constexpr std::size_t kMostColours = 256;
constexpr int kLargestSide = 65535;

// Colours in order of appearance, and where each of them is.
class Palette {
 public:
  // Nullopt when `frames` have more colours than a GIF palette holds.
  static std::optional<Palette> Of(std::span<const RgbImage> frames) {
    Palette palette;
    for (const RgbImage& frame : frames) {
      for (std::size_t i = 0; i < frame.pixels.size(); i += 3) {
        if (!palette.Add(&frame.pixels[i])) return std::nullopt;
      }
    }
    return palette;
  }

  // For a picture whose colours are all in the palette.
  std::vector<GifByteType> Indices(const RgbImage& frame) const {
    std::vector<GifByteType> indices;
    indices.reserve(frame.pixels.size() / 3);
    std::uint32_t last = Packed(frame.pixels.data());
    GifByteType index = index_.at(last);
    for (std::size_t i = 0; i < frame.pixels.size(); i += 3) {
      const std::uint32_t colour = Packed(&frame.pixels[i]);
      if (colour != last) index = index_.at(colour);
      last = colour;
      indices.push_back(index);
    }
    return indices;
  }

  const std::vector<GifColorType>& colours() const { return colours_; }

 private:
  static std::uint32_t Packed(const std::uint8_t* pixel) {
    return static_cast<std::uint32_t>(pixel[0]) << 16 | static_cast<std::uint32_t>(pixel[1]) << 8 |
           pixel[2];
  }
  bool Add(const std::uint8_t* pixel) {
    const std::uint32_t colour = Packed(pixel);
    // Neighbours are mostly equal: one comparison instead of a look-up.
    if (!colours_.empty() && colour == last_added_) return true;
    last_added_ = colour;
    if (!index_.try_emplace(colour, static_cast<GifByteType>(colours_.size())).second) return true;
    if (colours_.size() == kMostColours) return false;
    colours_.push_back({pixel[0], pixel[1], pixel[2]});
    return true;
  }

  std::vector<GifColorType> colours_;
  std::unordered_map<std::uint32_t, GifByteType> index_;  // by packed colour
  std::uint32_t last_added_ = 0;
};

// One frame as the file holds it; `palette` empty = the palette of the whole film.
struct IndexedFrame {
  std::vector<GifByteType> pixels;
  std::vector<GifColorType> palette;
};

struct ColorMapDeleter {
  void operator()(ColorMapObject* map) const { GifFreeMapObject(map); }
};
using ColorMap = std::unique_ptr<ColorMapObject, ColorMapDeleter>;

StatusOr<IndexedFrame> Quantise(const RgbImage& frame) {
  const std::size_t pixels = frame.pixels.size() / 3;
  std::array<std::vector<GifByteType>, 3> planes;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    planes[channel].reserve(pixels);
    for (std::size_t i = channel; i < frame.pixels.size(); i += 3) {
      planes[channel].push_back(frame.pixels[i]);
    }
  }
  IndexedFrame result;
  result.pixels.resize(pixels);
  result.palette.resize(kMostColours);
  int colours = static_cast<int>(kMostColours);
  if (GifQuantizeBuffer(static_cast<unsigned>(frame.width), static_cast<unsigned>(frame.height),
                        &colours, planes[0].data(), planes[1].data(), planes[2].data(),
                        result.pixels.data(), result.palette.data()) != GIF_OK) {
    return Unavailable("giflib cannot reduce a frame to {} colours", kMostColours);
  }
  return result;
}

// With a palette of the frame's own, exact when it can be.
StatusOr<IndexedFrame> IndexAlone(const RgbImage& frame) {
  const std::optional<Palette> palette = Palette::Of({&frame, 1});
  if (!palette.has_value()) return Quantise(frame);
  return IndexedFrame{palette->Indices(frame), palette->colours()};
}

// GIF palettes have a power of two of colours, at least two.
ColorMap MakeColorMap(std::vector<GifColorType> colours) {
  colours.resize(std::bit_ceil(std::max<std::size_t>(colours.size(), 2)));
  return ColorMap(GifMakeMapObject(static_cast<int>(colours.size()), colours.data()));
}

int AppendGifBytes(GifFileType* file, const GifByteType* bytes, int count) {
  static_cast<std::string*>(file->UserData)
      ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  return count;
}

// giflib's sequential writer into a string. The first error stays; later calls do nothing.
class GifWriter {
 public:
  GifWriter() : file_(EGifOpen(&bytes_, AppendGifBytes, &error_)) {
    if (file_ != nullptr) EGifSetGifVersion(file_, /*gif89=*/true);
  }
  ~GifWriter() { Close(); }
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  void PutHeader(int width, int height, const ColorMapObject* map) {
    // 8 = bits a primary colour of the source has.
    Do([&] { return EGifPutScreenDesc(file_, width, height, 8, 0, map); });
    // Netscape's extension, which every viewer knows: block 1, repeat 0 times = forever.
    constexpr std::array<GifByteType, 3> kForever = {1, 0, 0};
    Do([&] { return EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE); });
    Do([&] { return EGifPutExtensionBlock(file_, 11, "NETSCAPE2.0"); });
    Do([&] { return EGifPutExtensionBlock(file_, 3, kForever.data()); });
    Do([&] { return EGifPutExtensionTrailer(file_); });
  }

  void PutFrame(IndexedFrame& frame, int width, int height, int delay_hundredths) {
    const ColorMap map = frame.palette.empty() ? nullptr : MakeColorMap(frame.palette);
    const GraphicsControlBlock control = {.DisposalMode = DISPOSE_DO_NOT,
                                          .UserInputFlag = false,
                                          .DelayTime = delay_hundredths,
                                          .TransparentColor = NO_TRANSPARENT_COLOR};
    std::array<GifByteType, 4> block;
    EGifGCBToExtension(&control, block.data());
    Do([&] {
      return EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, static_cast<int>(block.size()),
                              block.data());
    });
    Do([&] { return EGifPutImageDesc(file_, 0, 0, width, height, false, map.get()); });
    for (int row = 0; row < height; ++row) {
      const std::size_t begin = static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
      Do([&] { return EGifPutLine(file_, &frame.pixels[begin], width); });
    }
  }

  StatusOr<std::string> Finish() {
    Close();
    if (error_ != E_GIF_SUCCEEDED) {
      const char* const message = GifErrorString(error_);
      return Unavailable("giflib cannot encode: {}", message == nullptr ? "unknown" : message);
    }
    return std::move(bytes_);
  }

 private:
  template <typename Call>
  void Do(const Call& call) {
    if (error_ == E_GIF_SUCCEEDED && call() != GIF_OK) error_ = file_->Error;
  }
  void Close() {
    if (file_ == nullptr) return;
    int error = E_GIF_SUCCEEDED;
    EGifCloseFile(file_, &error);
    if (error_ == E_GIF_SUCCEEDED) error_ = error;
    file_ = nullptr;
  }

  std::string bytes_;
  int error_ = E_GIF_SUCCEEDED;
  GifFileType* file_;
};

Status CheckFrames(std::span<const RgbImage> frames, int delay_milliseconds) {
  if (frames.empty())
    return InvalidArgument("an animated GIF has no frames; expected at least one");
  if (delay_milliseconds < 20 || delay_milliseconds > 655350) {
    return InvalidArgument("delay is {} ms; expected 20 to 655350", delay_milliseconds);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    GORILA_RETURN_IF_ERROR(Annotate(CheckImage(frames[i]), fmt::format("frame {}", i)));
    if (frames[i].width != frames[0].width || frames[i].height != frames[0].height) {
      return InvalidArgument("frame {} is {} x {} pixels; expected {} x {} as frame 0", i,
                             frames[i].width, frames[i].height, frames[0].width, frames[0].height);
    }
  }
  if (frames[0].width > kLargestSide || frames[0].height > kLargestSide) {
    return InvalidArgument("frames are {} x {} pixels; expected at most {} a side", frames[0].width,
                           frames[0].height, kLargestSide);
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::string> EncodeAnimatedGif(std::span<const RgbImage> frames, int delay_milliseconds) {
  GORILA_RETURN_IF_ERROR(CheckFrames(frames, delay_milliseconds));
  const int width = frames[0].width;
  const int height = frames[0].height;
  const std::optional<Palette> shared = Palette::Of(frames);
  const ColorMap shared_map = shared.has_value() ? MakeColorMap(shared->colours()) : nullptr;
  GifWriter writer;
  writer.PutHeader(width, height, shared_map.get());
  for (const RgbImage& image : frames) {
    IndexedFrame frame;
    if (shared.has_value()) {
      frame.pixels = shared->Indices(image);
    } else {
      GORILA_ASSIGN_OR_RETURN(frame, IndexAlone(image));
    }
    writer.PutFrame(frame, width, height, (delay_milliseconds + 5) / 10);
  }
  return writer.Finish();
}

Status WriteAnimatedGif(const std::filesystem::path& path, std::span<const RgbImage> frames,
                        int delay_milliseconds) {
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, EncodeAnimatedGif(frames, delay_milliseconds));
  return WriteFileAtomically(path, bytes);
}

}  // namespace gorila
