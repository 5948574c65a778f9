// Frames compressed one by one (zstd), so that any of them can be read without another.
#ifndef GORILA_REPLAY_FRAME_CODEC_H_
#define GORILA_REPLAY_FRAME_CODEC_H_

#include <zstd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/serialise.h"

namespace gorila {

enum class FrameCompression { kNone, kZstd };

// How a replay keeps its frames.
struct FrameStorageOptions {
  FrameCompression compression = FrameCompression::kNone;
  // kZstd: memory set aside for each frame of the capacity, in bytes; 0 = an eighth of a frame and
  // 32. When frames need more on average, the oldest go before the capacity is reached.
  std::int64_t compressed_frame_bytes = 0;
};

// Most bytes of a compressed frame.
std::size_t PackedBound(std::size_t frame_bytes);
// The bytes set aside for each frame under kZstd; at most PackedBound.
std::int64_t PackedFrameBytes(const FrameStorageOptions& options, std::size_t frame_bytes);

// Frames that others are like: they compress to a third or two of what they take without. Not
// changed once made; thread-safe.
class FrameDictionary {
 public:
  explicit FrameDictionary(std::span<const std::byte> frames);

 private:
  friend class FrameCodec;
  struct Free {
    void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
    void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
  };
  std::unique_ptr<ZSTD_CDict, Free> packs_;
  std::unique_ptr<ZSTD_DDict, Free> unpacks_;
};

// Gathers the frames of a dictionary from the first rows that a replay sees, of all its streams.
class DictionaryFrames {
 public:
  explicit DictionaryFrames(std::size_t frame_bytes);

  bool complete() const { return frames_.size() == wanted_; }
  // The frame of the next row.
  void Offer(std::span<const std::byte> frame);
  std::span<const std::byte> frames() const { return frames_; }

  void SaveState(StateWriter& writer) const;
  // DataLoss for a state that cannot be.
  Status RestoreState(StateReader& reader);

 private:
  std::size_t frame_bytes_;
  std::size_t wanted_;  // bytes
  std::int64_t seen_ = 0;
  std::vector<std::byte> frames_;
};

// One thread at a time. Allocates nothing after its first frame with and without a dictionary.
class FrameCodec {
 public:
  explicit FrameCodec(std::size_t frame_bytes);

  // The compressed frame, valid until the next call; the same for the same frame and dictionary
  // (which may be null).
  std::span<const std::byte> Pack(std::span<const std::byte> frame,
                                  const FrameDictionary* dictionary);
  // `packed` must be what Pack made with this dictionary.
  void Unpack(std::span<const std::byte> packed, const FrameDictionary* dictionary,
              std::byte* frame);

  std::size_t frame_bytes() const { return frame_bytes_; }
  // PackedBound bytes for a caller whose packed frame is in pieces.
  std::span<std::byte> scratch() { return scratch_; }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  const std::size_t frame_bytes_;
  std::unique_ptr<ZSTD_CCtx, Free> packs_;
  std::unique_ptr<ZSTD_DCtx, Free> unpacks_;
  std::vector<std::byte> packed_;
  std::vector<std::byte> scratch_;
};

// A codec and the dictionary that it learns from the rows of one replay. One thread at a time.
class FramePacker {
 public:
  explicit FramePacker(std::size_t frame_bytes) : codec_(frame_bytes), learns_(frame_bytes) {}

  bool has_dictionary() const { return dictionary_ != nullptr; }
  // With the dictionary or without; valid until the next call.
  std::span<const std::byte> Pack(std::span<const std::byte> frame, bool with_dictionary) {
    return codec_.Pack(frame, with_dictionary ? dictionary_.get() : nullptr);
  }
  void Unpack(std::span<const std::byte> packed, bool with_dictionary, std::byte* frame) {
    codec_.Unpack(packed, with_dictionary ? dictionary_.get() : nullptr, frame);
  }
  // Sees every row's frame once, after it was packed.
  void Learn(std::span<const std::byte> frame);

  void SaveState(StateWriter& writer) const { learns_.SaveState(writer); }
  Status RestoreState(StateReader& reader);

 private:
  FrameCodec codec_;
  DictionaryFrames learns_;
  std::unique_ptr<const FrameDictionary> dictionary_;
};

// The same for many threads, each of which takes a codec for a while. Thread-safe.
class SharedPacking {
 public:
  explicit SharedPacking(std::size_t frame_bytes)
      : frame_bytes_(frame_bytes), learns_(frame_bytes) {}

  // Null until it is learned, the same ever after.
  const FrameDictionary* dictionary() const { return published_; }
  // As FramePacker::Learn.
  void Learn(std::span<const std::byte> frame) GORILA_EXCLUDES(mutex_);

  // As many codecs are made as were ever in use at once.
  std::unique_ptr<FrameCodec> Take() GORILA_EXCLUDES(mutex_);
  void Give(std::unique_ptr<FrameCodec> codec) GORILA_EXCLUDES(mutex_);

 private:
  const std::size_t frame_bytes_;
  Mutex mutex_;
  DictionaryFrames learns_ GORILA_GUARDED_BY(mutex_);
  std::unique_ptr<const FrameDictionary> dictionary_ GORILA_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<FrameCodec>> idle_ GORILA_GUARDED_BY(mutex_);
  std::atomic<const FrameDictionary*> published_ = nullptr;  // dictionary_, once it is there
};

}  // namespace gorila

#endif  // GORILA_REPLAY_FRAME_CODEC_H_
