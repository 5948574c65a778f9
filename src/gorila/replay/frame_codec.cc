#include "gorila/replay/frame_codec.h"

#include <algorithm>
#include <utility>

namespace gorila {
namespace {

// Higher levels make frames hardly smaller and cost twice the time to read back without a
// dictionary (docs/performance.md).
constexpr int kLevel = -1;

// Which frames make the dictionary. The distance is prime, so that it meets all streams in turn.
constexpr std::int64_t kDictionaryDistance = 61;
constexpr std::size_t kMostDictionaryFrames = 8;
constexpr std::size_t kMostDictionaryBytes = 65536;  // stays in a core's cache

// zstd takes a dictionary that begins with its magic number for one of its own format; a frame
// might.
constexpr std::size_t kDictionaryPrefix = 8;

void CheckZstd(std::size_t result) {
  GORILA_CHECK(ZSTD_isError(result) == 0, "zstd: {}", ZSTD_getErrorName(result));
}

}  // namespace

std::size_t PackedBound(std::size_t frame_bytes) { return ZSTD_compressBound(frame_bytes); }

std::int64_t PackedFrameBytes(const FrameStorageOptions& options, std::size_t frame_bytes) {
  const auto frame = static_cast<std::int64_t>(frame_bytes);
  const std::int64_t given = options.compressed_frame_bytes;
  return std::min(given > 0 ? given : frame / 8 + 32,
                  static_cast<std::int64_t>(PackedBound(frame_bytes)));
}

FrameDictionary::FrameDictionary(std::span<const std::byte> frames) {
  std::vector<std::byte> content(kDictionaryPrefix);
  content.insert(content.end(), frames.begin(), frames.end());
  packs_.reset(ZSTD_createCDict(content.data(), content.size(), kLevel));
  unpacks_.reset(ZSTD_createDDict(content.data(), content.size()));
  GORILA_CHECK(packs_ != nullptr && unpacks_ != nullptr, "{} bytes", content.size());
}

DictionaryFrames::DictionaryFrames(std::size_t frame_bytes)
    : frame_bytes_(frame_bytes),
      wanted_(frame_bytes * std::clamp<std::size_t>(kMostDictionaryBytes / frame_bytes, 1,
                                                    kMostDictionaryFrames)) {
  frames_.reserve(wanted_);
}

void DictionaryFrames::Offer(std::span<const std::byte> frame) {
  if (complete()) return;
  if (seen_++ % kDictionaryDistance == 0) frames_.insert(frames_.end(), frame.begin(), frame.end());
}

void DictionaryFrames::SaveState(StateWriter& writer) const {
  writer.Write(seen_);
  writer.WriteSpan<std::byte>(frames_);
}

Status DictionaryFrames::RestoreState(StateReader& reader) {
  std::int64_t seen = 0;
  std::vector<std::byte> frames;
  GORILA_RETURN_IF_ERROR(reader.Read(seen));
  GORILA_RETURN_IF_ERROR(reader.ReadVector(frames));
  const std::int64_t taken =
      seen <= 0 ? 0
                : std::min<std::int64_t>((seen - 1) / kDictionaryDistance + 1,
                                         static_cast<std::int64_t>(wanted_ / frame_bytes_));
  if (seen < 0 || frames.size() != static_cast<std::size_t>(taken) * frame_bytes_) {
    return DataLoss("replay state: {} bytes of dictionary after {} frames, expected {} bytes",
                    frames.size(), seen, taken * static_cast<std::int64_t>(frame_bytes_));
  }
  seen_ = seen;
  frames_.assign(frames.begin(), frames.end());
  return OkStatus();
}

FrameCodec::FrameCodec(std::size_t frame_bytes)
    : frame_bytes_(frame_bytes),
      packs_(ZSTD_createCCtx()),
      unpacks_(ZSTD_createDCtx()),
      packed_(PackedBound(frame_bytes)),
      scratch_(PackedBound(frame_bytes)) {
  GORILA_CHECK(packs_ != nullptr && unpacks_ != nullptr);
  CheckZstd(ZSTD_CCtx_setParameter(packs_.get(), ZSTD_c_compressionLevel, kLevel));
  CheckZstd(ZSTD_CCtx_setParameter(packs_.get(), ZSTD_c_contentSizeFlag, 0));
  CheckZstd(ZSTD_CCtx_setParameter(packs_.get(), ZSTD_c_dictIDFlag, 0));
}

std::span<const std::byte> FrameCodec::Pack(std::span<const std::byte> frame,
                                            const FrameDictionary* dictionary) {
  GORILA_CHECK(frame.size() == frame_bytes_, "{} bytes", frame.size());
  const ZSTD_CDict* const packs = dictionary == nullptr ? nullptr : dictionary->packs_.get();
  CheckZstd(ZSTD_CCtx_refCDict(packs_.get(), packs));
  const std::size_t size =
      ZSTD_compress2(packs_.get(), packed_.data(), packed_.size(), frame.data(), frame.size());
  CheckZstd(size);
  return std::span(packed_).first(size);
}

void FrameCodec::Unpack(std::span<const std::byte> packed, const FrameDictionary* dictionary,
                        std::byte* frame) {
  const std::size_t size =
      dictionary == nullptr
          ? ZSTD_decompressDCtx(unpacks_.get(), frame, frame_bytes_, packed.data(), packed.size())
          : ZSTD_decompress_usingDDict(unpacks_.get(), frame, frame_bytes_, packed.data(),
                                       packed.size(), dictionary->unpacks_.get());
  CheckZstd(size);
  GORILA_CHECK(size == frame_bytes_, "a frame of {} bytes, expected {}", size, frame_bytes_);
}

void FramePacker::Learn(std::span<const std::byte> frame) {
  if (has_dictionary()) return;
  learns_.Offer(frame);
  if (learns_.complete()) dictionary_ = std::make_unique<FrameDictionary>(learns_.frames());
}

Status FramePacker::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(learns_.RestoreState(reader));
  dictionary_.reset();
  if (learns_.complete()) dictionary_ = std::make_unique<FrameDictionary>(learns_.frames());
  return OkStatus();
}

void SharedPacking::Learn(std::span<const std::byte> frame) {
  if (dictionary() != nullptr) return;
  const MutexLock lock(mutex_);
  if (dictionary_ != nullptr) return;
  learns_.Offer(frame);
  if (!learns_.complete()) return;
  dictionary_ = std::make_unique<FrameDictionary>(learns_.frames());
  published_ = dictionary_.get();
}

std::unique_ptr<FrameCodec> SharedPacking::Take() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<FrameCodec> codec = std::move(idle_.back());
      idle_.pop_back();
      return codec;
    }
  }
  return std::make_unique<FrameCodec>(frame_bytes_);
}

void SharedPacking::Give(std::unique_ptr<FrameCodec> codec) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(codec));
}

}  // namespace gorila
