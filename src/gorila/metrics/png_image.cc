#include "gorila/metrics/png_image.h"

#include <png.h>

#include <cstring>

#include "gorila/base/file.h"

namespace gorila {
namespace {

// libpng's simplified interface; frees what libpng allocated on every return.
class PngControl {
 public:
  PngControl() {
    std::memset(&image_, 0, sizeof image_);
    image_.version = PNG_IMAGE_VERSION;
  }
  ~PngControl() { png_image_free(&image_); }
  PngControl(const PngControl&) = delete;
  PngControl& operator=(const PngControl&) = delete;
  png_image* get() { return &image_; }
  png_image* operator->() { return &image_; }

 private:
  png_image image_;
};

}  // namespace

Status CheckImage(const RgbImage& image) {
  if (image.width <= 0 || image.height <= 0) {
    return InvalidArgument("image is {} x {} pixels; expected at least 1 x 1", image.width,
                           image.height);
  }
  const std::size_t expected =
      3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.pixels.size() != expected) {
    return InvalidArgument("image of {} x {} pixels has {} bytes; expected {}", image.width,
                           image.height, image.pixels.size(), expected);
  }
  return OkStatus();
}

StatusOr<std::string> EncodePng(const RgbImage& image) {
  GORILA_RETURN_IF_ERROR(CheckImage(image));
  PngControl control;
  control->width = static_cast<png_uint_32>(image.width);
  control->height = static_cast<png_uint_32>(image.height);
  control->format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*control.get());
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(control.get(), bytes.data(), &size, /*convert_to_8bit=*/0,
                                image.pixels.data(), /*row_stride=*/0, nullptr) == 0) {
    return Unavailable("cannot encode a PNG of {} x {} pixels: {}", image.width, image.height,
                       control->message);
  }
  bytes.resize(size);
  return bytes;
}

StatusOr<RgbImage> DecodePng(std::string_view bytes) {
  PngControl control;
  if (png_image_begin_read_from_memory(control.get(), bytes.data(), bytes.size()) == 0) {
    return DataLoss("not a PNG: {}", control->message);
  }
  control->format = PNG_FORMAT_RGB;
  RgbImage image;
  image.width = static_cast<int>(control->width);
  image.height = static_cast<int>(control->height);
  image.pixels.resize(PNG_IMAGE_SIZE(*control.get()));
  const png_color white = {255, 255, 255};
  if (png_image_finish_read(control.get(), &white, image.pixels.data(), /*row_stride=*/0,
                            nullptr) == 0) {
    return DataLoss("damaged PNG: {}", control->message);
  }
  return image;
}

Status WritePng(const std::filesystem::path& path, const RgbImage& image) {
  GORILA_ASSIGN_OR_RETURN(const std::string bytes, EncodePng(image));
  return WriteFileAtomically(path, bytes);
}

}  // namespace gorila
