// A shard's frames on their way in and out, without the lock.
#include <algorithm>
#include <cstring>
#include <utility>

#include "gorila/replay/replay_shard.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {
namespace {

constexpr std::size_t kBytesUnderLock = 65536;  // of frames that an insert copies at once

}  // namespace

std::int64_t ReplayShard::RowsAtOnce(const RowRun& run, std::int64_t done) const {
  const auto rows = static_cast<std::int64_t>(run.time_steps.size());
  const auto most =
      static_cast<std::int64_t>(std::max<std::size_t>(1, kBytesUnderLock / store_.frame_bytes()));
  return std::min(rows - done, most);
}

// Makes `stored` the next rows from number `done` on, unless it has that one already.
void ReplayShard::Pack(const RowRun& run, std::int64_t done, StoredRows& stored) {
  if (done < stored.first + static_cast<std::int64_t>(stored.ends.size())) return;
  const FrameDictionary* const dictionary = packing_->dictionary();
  std::unique_ptr<FrameCodec> codec = packing_->Take();
  stored = {.first = done,
            .ends = {},
            .bytes = std::move(stored.bytes),
            .with_dictionary = dictionary != nullptr};
  stored.bytes.clear();
  const std::int64_t count = RowsAtOnce(run, done);
  for (std::int64_t row = done; row < done + count; ++row) {
    const auto frame = run.frames.subspan(static_cast<std::size_t>(row) * store_.frame_bytes(),
                                          store_.frame_bytes());
    packing_->Learn(frame);
    const auto packed = codec->Pack(frame, dictionary);
    stored.bytes.insert(stored.bytes.end(), packed.begin(), packed.end());
    stored.ends.push_back(stored.bytes.size());
  }
  packing_->Give(std::move(codec));
}

StoredFrame ReplayShard::FrameOf(const RowRun& run, const StoredRows& stored,
                                 std::int64_t row) const {
  if (packing_ == nullptr) {
    return {.bytes = run.frames.subspan(static_cast<std::size_t>(row) * store_.frame_bytes(),
                                        store_.frame_bytes())};
  }
  const auto i = static_cast<std::size_t>(row - stored.first);
  const std::size_t begin = i == 0 ? 0 : stored.ends[i - 1];
  return {.bytes = std::span(stored.bytes).subspan(begin, stored.ends[i] - begin),
          .with_dictionary = stored.with_dictionary};
}

void ReplayShard::Copy(const Plan& plan, TransitionBatch& batch) {
  std::unique_ptr<FrameCodec> codec = packing_ == nullptr ? nullptr : packing_->Take();
  if (batch.unroll > 0) {
    CopyUnrolls(plan, codec.get(), batch);
  } else {
    CopyTransitions(plan, codec.get(), batch);
  }
  if (codec != nullptr) packing_->Give(std::move(codec));
}

void ReplayShard::CopyFrame(std::uint32_t id, FrameCodec* codec, std::byte* destination) const {
  if (id == kNoFrame) {
    std::memset(destination, 0, store_.frame_bytes());
  } else {
    store_.CopyFrame(id, codec, packing_ == nullptr ? nullptr : packing_->dictionary(),
                     destination);
  }
}

// A frame of both states of a transition is read once.
void ReplayShard::CopyTransitions(const Plan& plan, FrameCodec* codec,
                                  TransitionBatch& batch) const {
  const std::size_t frame_bytes = store_.frame_bytes();
  const auto stack = static_cast<std::size_t>(options_.observation.stack);
  for (std::size_t i = 0; i < plan.frames.size(); ++i) {
    const std::size_t transition = i / (2 * stack);
    const auto first = plan.frames.begin() + static_cast<std::ptrdiff_t>(transition * 2 * stack);
    const auto last = first + static_cast<std::ptrdiff_t>(stack);
    std::byte* const s_tm1 = &batch.s_tm1[transition * stack * frame_bytes];
    std::byte* const s_t = &batch.s_t[transition * stack * frame_bytes];
    const bool is_s_t = i / stack % 2 == 1;
    std::byte* const destination = (is_s_t ? s_t : s_tm1) + i % stack * frame_bytes;
    const bool has_row = plan.frames[i] != kNoFrame;
    const auto shared = is_s_t && has_row ? std::find(first, last, plan.frames[i]) : last;
    if (shared != last) {
      const auto place = static_cast<std::size_t>(shared - first);
      std::memcpy(destination, s_tm1 + place * frame_bytes, frame_bytes);
    } else {
      CopyFrame(plan.frames[i], codec, destination);
    }
  }
}

void ReplayShard::CopyUnrolls(const Plan& plan, FrameCodec* codec, TransitionBatch& batch) const {
  const int stack = options_.observation.stack;
  const auto length = static_cast<std::size_t>(batch.unroll);
  const std::size_t frames = length + static_cast<std::size_t>(stack);
  const std::size_t state_bytes = options_.observation.stacked_bytes();
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    BuildUnrollStates(
        std::span(batch.a_tm1).subspan(i * length, length), stack, store_.frame_bytes(),
        [&](std::size_t frame, std::byte* destination) {
          CopyFrame(plan.frames[i * frames + frame], codec, destination);
        },
        &batch.s_tm1[i * (length + 1) * state_bytes]);
  }
}

}  // namespace gorila
