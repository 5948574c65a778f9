// Saving a replay shard while it works, and restoring it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "gorila/replay/replay_shard.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {
namespace {

// What a state has in place of the priority of one that is drawn once and was.
constexpr float kDrawnPriority = 2;

// Of a state: rows of a chunk, the length of unrolls, and games where there are several; then each
// stream has its own. States without unrolls, or of one game, have 0 there. Negative where the
// games' largest priorities end the state: not in older versions', nor where none was above 1.
constexpr std::int32_t kShapeUnit = 256;
constexpr std::int32_t kGamesUnit = kShapeUnit * 4096;
static_assert(kMostUnrolled < 4096);
std::int32_t ShapeOf(int chunk_rows, const LocalReplayOptions& options) {
  return chunk_rows + kShapeUnit * options.transition.unroll +
         (options.games > 1 ? kGamesUnit * options.games : 0);
}

}  // namespace

// Of one instant, oldest first: whoever takes all pieces up to some point has no stream with a
// hole.
std::vector<ReplayShard::Piece> ReplayShard::NewRows(std::int64_t max_rows, bool& more) const {
  std::vector<Piece> pieces;
  more = false;
  for (const std::uint32_t slot : store_.living()) {
    const RowChunk& chunk = store_.chunk(slot);
    if (chunk.saved == chunk.count) continue;
    more = max_rows <= 0;
    if (more) break;
    pieces.push_back({chunk.serial, chunk.saved, chunk.count});
    max_rows -= chunk.count - chunk.saved;
  }
  return pieces;
}

ReplayShard::SavedRows ReplayShard::SaveNewRows(std::int64_t max_bytes, StateWriter& writer) {
  SavedRows saved;
  std::vector<Piece> pieces;
  {
    const MutexLock lock(mutex_);
    const std::int64_t row_bytes = ChunkStore::BytesPerRow(options_.observation);
    pieces = NewRows(std::max<std::int64_t>(1, max_bytes / row_bytes), saved.more);
  }
  for (const Piece& piece : pieces) {
    if (!SavePiece(piece, writer)) continue;
    saved.rows += piece.end - piece.begin;
    saved.last_serial = piece.serial;
  }
  return saved;
}

// False when the chunk has been dropped meanwhile. Copies without the lock.
bool ReplayShard::SavePiece(const Piece& piece, StateWriter& writer) {
  std::uint32_t slot = 0;
  {
    const MutexLock lock(mutex_);
    const auto living = store_.FindLiving(piece.serial);
    if (!living.has_value()) return false;
    slot = *living;
    store_.Pin(slot);
  }
  std::unique_ptr<FrameCodec> codec = packing_ == nullptr ? nullptr : packing_->Take();
  std::vector<std::byte> frame(store_.frame_bytes());
  writer.Write(piece.serial);
  writer.Write<std::int32_t>(piece.begin);
  writer.Write<std::int32_t>(piece.end - piece.begin);
  for (int offset = piece.begin; offset < piece.end; ++offset) {
    const std::uint32_t id = IdOf(slot, offset);
    writer.Write(store_.time_step(id));
    writer.Write(store_.action(id));
    if (store_.keeps_log_probabilities()) writer.Write(store_.log_probability(id));
    store_.CopyFrame(id, codec.get(), packing_ == nullptr ? nullptr : packing_->dictionary(),
                     frame.data());
    writer.WriteBytes(frame);
  }
  if (codec != nullptr) packing_->Give(std::move(codec));
  const MutexLock lock(mutex_);
  if (store_.chunk(slot).stream != nullptr) store_.chunk(slot).saved = piece.end;
  store_.Unpin(slot);
  return true;
}

std::int64_t ReplayShard::SaveState(StateWriter& writer) const {
  const MutexLock lock(mutex_);
  const auto is_saved = [&](std::uint32_t slot) { return store_.chunk(slot).saved > 0; };
  const std::vector<double> largest = LargestPriorities();
  const std::int32_t shape = ShapeOf(store_.chunk_rows(), options_.replay);
  writer.Write(largest.empty() ? shape : -shape);
  writer.Write(counters_);
  limiter_.SaveState(writer);
  writer.Write(store_.next_serial());
  writer.Write<std::int64_t>(
      std::count_if(store_.living().begin(), store_.living().end(), is_saved));
  for (const std::uint32_t slot : store_.living()) {
    if (!is_saved(slot)) continue;
    const RowChunk& chunk = store_.chunk(slot);
    writer.Write(chunk.serial);
    SaveName(*chunk.stream, writer);
    writer.Write(chunk.first);
    writer.Write<std::int32_t>(chunk.saved);
    for (int offset = 0; offset < chunk.saved; ++offset) {
      writer.Write(SavedPriority(slot, offset));
    }
  }
  SaveBareStreams(writer);
  for (const double priority : largest) writer.Write(priority);
  return store_.living().empty() ? store_.next_serial()
                                 : store_.chunk(store_.living().front()).serial;
}

void ReplayShard::SaveName(const ChunkedStream& stream, StateWriter& writer) const {
  writer.Write(stream.name().actor);
  writer.Write(stream.name().life);
  writer.Write(stream.name().stream);
  if (options_.replay.games > 1) writer.Write<std::int32_t>(stream.game());
}

// Also of a state of fewer games, to which others were added at the end.
Status ReplayShard::RestoreName(StateReader& reader, StreamName& name, int& game) const {
  GORILA_RETURN_IF_ERROR(reader.Read(name.actor));
  GORILA_RETURN_IF_ERROR(reader.Read(name.life));
  GORILA_RETURN_IF_ERROR(reader.Read(name.stream));
  game = 0;
  if (restored_games_ > 1) GORILA_RETURN_IF_ERROR(reader.Read(game));
  if (game >= 0 && game < restored_games_) return OkStatus();
  return DataLoss("replay state: a stream of game {}, expected 0 to {}", game, restored_games_ - 1);
}

float ReplayShard::SavedPriority(std::uint32_t slot, int offset) const {
  const std::uint32_t id = IdOf(slot, offset);
  const RowChunk& chunk = store_.chunk(slot);
  const std::int64_t index = chunk.first + offset;
  const bool drawn =
      selector_->draws_once() && !selector_->IsQueued(id) &&
      (index < chunk.stream->drawn_until() ||
       IsComplete(*chunk.stream, index, options_.replay.transition, options_.observation.stack));
  return drawn ? kDrawnPriority : static_cast<float>(selector_->Priority(id));
}

// Streams without a row in the segments: what came before is to be known as repeated.
void ReplayShard::SaveBareStreams(StateWriter& writer) const {
  const auto is_bare = [&](const ChunkedStream& stream) {
    return stream.begin() == stream.end() ||
           store_.chunk(store_.SlotOf(stream.Id(stream.begin()))).saved == 0;
  };
  std::int64_t bare = 0;
  for (const auto& [name, stream] : streams_) bare += is_bare(*stream) ? 1 : 0;
  writer.Write(bare);
  for (const auto& [name, stream] : streams_) {
    if (!is_bare(*stream)) continue;
    SaveName(*stream, writer);
    writer.Write(stream->begin());
  }
}

Status ReplayShard::RestoreBareStreams(StateReader& reader) {
  std::int64_t bare = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(bare));
  for (std::int64_t i = 0; i < bare; ++i) {
    StreamName name;
    int game = 0;
    std::int64_t end = 0;
    GORILA_RETURN_IF_ERROR(RestoreName(reader, name, game));
    GORILA_RETURN_IF_ERROR(reader.Read(end));
    if (end < 0) return DataLoss("replay state: a stream of {} rows", end);
    streams_.emplace(name, std::make_shared<ChunkedStream>(name, store_, end, MakeValues(), game));
  }
  return OkStatus();
}

// Of each game; none where all are what a new selector has.
std::vector<double> ReplayShard::LargestPriorities() const {
  std::vector<double> largest;
  for (int game = 0; game < std::max(options_.replay.games, 1); ++game) {
    largest.push_back(selector_->LargestPriority(game));
  }
  const bool raised = std::any_of(largest.begin(), largest.end(), [](double p) { return p > 1; });
  return raised ? largest : std::vector<double>();
}

// Rows keep their priorities; without this, new ones would get the largest of those only.
Status ReplayShard::RestoreLargestPriorities(StateReader& reader) {
  for (int game = 0; game < restored_games_; ++game) {
    double largest = 0;
    GORILA_RETURN_IF_ERROR(reader.Read(largest));
    if (!std::isfinite(largest) || largest <= 0) {
      return DataLoss("replay state: the largest priority of game {} is {}", game, largest);
    }
    selector_->RaiseLargestPriority(game, largest);
  }
  return OkStatus();
}

void ReplayShard::ForgetSaved() {
  const MutexLock lock(mutex_);
  for (const std::uint32_t slot : store_.living()) store_.chunk(slot).saved = 0;
}

Status ReplayShard::RestoreState(StateReader& reader) {
  const MutexLock lock(mutex_);
  GORILA_CHECK(store_.living().empty(), "restored into a shard that was used");
  std::int32_t shape = 0;
  std::int64_t next_serial = 0;
  std::int64_t chunks = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(shape));
  GORILA_RETURN_IF_ERROR(reader.Read(counters_));
  GORILA_RETURN_IF_ERROR(limiter_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Read(next_serial));
  GORILA_RETURN_IF_ERROR(reader.Read(chunks));
  const std::int64_t most = options_.replay.capacity / store_.chunk_rows();
  const bool has_largest = shape < 0;
  if (has_largest) shape = -std::max(shape, -std::numeric_limits<std::int32_t>::max());
  const std::int32_t chunk_rows = shape % kShapeUnit;
  const std::int32_t unroll = shape % kGamesUnit / kShapeUnit;
  restored_games_ = std::max(shape / kGamesUnit, 1);
  if (unroll != options_.replay.transition.unroll) {
    return DataLoss("replay state was made with learner.unroll {} (0: none), expected {}", unroll,
                    options_.replay.transition.unroll);
  }
  if (restored_games_ > options_.replay.games) {
    return DataLoss("replay state has rows of {} games, expected at most {}", restored_games_,
                    options_.replay.games);
  }
  if (chunk_rows != store_.chunk_rows() || chunks < 0 || chunks > std::max<std::int64_t>(most, 1)) {
    return DataLoss("replay state has {} chunks of {} rows, expected at most {} of {}", chunks,
                    chunk_rows, most, store_.chunk_rows());
  }
  restored_priorities_.assign(store_.chunks() * static_cast<std::size_t>(chunk_rows), 0);
  for (std::int64_t i = 0; i < chunks; ++i) GORILA_RETURN_IF_ERROR(RestoreChunk(reader));
  GORILA_RETURN_IF_ERROR(RestoreBareStreams(reader));
  if (has_largest) GORILA_RETURN_IF_ERROR(RestoreLargestPriorities(reader));
  if (next_serial < store_.next_serial()) {
    return DataLoss("replay state: next serial {}, expected at least {}", next_serial,
                    store_.next_serial());
  }
  return reader.Finish();
}

// Chunks keep their order and get new serials without gaps where unsaved ones lay between.
Status ReplayShard::RestoreChunk(StateReader& reader) {
  std::int64_t serial = 0;
  std::int64_t first = 0;
  std::int32_t rows = 0;
  StreamName name;
  int game = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(serial));
  GORILA_RETURN_IF_ERROR(RestoreName(reader, name, game));
  GORILA_RETURN_IF_ERROR(reader.Read(first));
  GORILA_RETURN_IF_ERROR(reader.Read(rows));
  const bool has_any = !store_.living().empty();
  if (rows < 1 || rows > store_.chunk_rows() || first < 0 || serial < 0 ||
      (has_any && serial < store_.next_serial())) {
    return DataLoss("replay state: chunk {} has {} rows from number {}", serial, rows, first);
  }
  if (!has_any) store_.SetNextSerial(serial);
  if (serial != store_.next_serial()) {
    return DataLoss("replay state: chunk {}, expected {}", serial, store_.next_serial());
  }
  auto& stream = streams_[name];
  if (stream == nullptr || stream->end() != first || stream->room() > 0) {
    stream = std::make_shared<ChunkedStream>(name, store_, first, MakeValues(), game);
  }
  if (stream->game() != game) {
    return DataLoss("replay state: chunk {} of game {} in a stream of game {}", serial, game,
                    stream->game());
  }
  const std::uint32_t slot = store_.Use(stream);
  stream->Grow(rows);
  rows_ += rows;
  for (int offset = 0; offset < rows; ++offset) {
    float& priority = restored_priorities_[IdOf(slot, offset)];
    GORILA_RETURN_IF_ERROR(reader.Read(priority));
    if (!std::isfinite(priority) || priority < 0) {
      return DataLoss("replay state: priority {}", static_cast<double>(priority));
    }
  }
  return OkStatus();
}

Status ReplayShard::RestoreRows(StateReader& reader) {
  const MutexLock lock(mutex_);
  while (reader.remaining() > 0) GORILA_RETURN_IF_ERROR(RestorePiece(reader));
  return OkStatus();
}

Status ReplayShard::RestorePiece(StateReader& reader) {
  std::int64_t serial = 0;
  std::int32_t begin = 0;
  std::int32_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(serial));
  GORILA_RETURN_IF_ERROR(reader.Read(begin));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  if (begin < 0 || count < 0 || begin > store_.chunk_rows() - count) {
    return DataLoss("replay segment: {} rows from {} of a chunk", count, begin);
  }
  const auto slot = store_.FindLiving(serial);
  for (int offset = begin; offset < begin + count; ++offset) {
    TimeStep time_step;
    std::int32_t action = 0;
    std::span<const std::byte> frame;
    GORILA_RETURN_IF_ERROR(reader.Read(time_step));
    GORILA_RETURN_IF_ERROR(reader.Read(action));
    float log_probability = 0;
    if (store_.keeps_log_probabilities()) {
      GORILA_RETURN_IF_ERROR(reader.Read(log_probability));
    }
    GORILA_RETURN_IF_ERROR(reader.ReadBytes(store_.frame_bytes(), frame));
    // A chunk that died after it was saved or for lack of room, or rows that came after the state.
    if (!slot.has_value() || store_.chunk(*slot).stream == nullptr ||
        offset >= store_.chunk(*slot).count) {
      continue;
    }
    if (offset != store_.chunk(*slot).saved) {
      return DataLoss("replay segment: row {} of chunk {}, expected {}", offset, serial,
                      store_.chunk(*slot).saved);
    }
    if (action < 0 || action >= options_.num_actions) {
      return DataLoss("replay segment: action {}", action);
    }
    if (store_.keeps_log_probabilities() && !time_step.last() &&
        !IsLogProbability(log_probability)) {
      return DataLoss("replay segment: log-probability {}", static_cast<double>(log_probability));
    }
    const std::uint32_t id = IdOf(*slot, offset);
    store_.time_step(id) = time_step;
    store_.action(id) = action;
    if (store_.keeps_log_probabilities()) store_.log_probability(id) = log_probability;
    if (RestoreFrame(id, frame)) ++store_.chunk(*slot).saved;
  }
  return OkStatus();
}

// The oldest chunks make room when the rows came from a shard with more of it; false when the row's
// own did.
bool ReplayShard::RestoreFrame(std::uint32_t id, std::span<const std::byte> frame) {
  if (packing_ == nullptr) {
    store_.StoreFrame(id, {.bytes = frame});
    return true;
  }
  const std::uint32_t slot = store_.SlotOf(id);
  const FrameDictionary* const dictionary = packing_->dictionary();
  std::unique_ptr<FrameCodec> codec = packing_->Take();
  const auto packed = codec->Pack(frame, dictionary);
  while (store_.chunk(slot).stream != nullptr && !store_.HasRoom(slot, packed.size())) {
    EvictOldest();
  }
  const bool lives = store_.chunk(slot).stream != nullptr;
  if (lives) store_.StoreFrame(id, {.bytes = packed, .with_dictionary = dictionary != nullptr});
  packing_->Learn(frame);
  packing_->Give(std::move(codec));
  return lives;
}

// Of one that is drawn once. Without a priority it was not yet complete; or it was drawn, in a
// state of a version that did not tell them apart.
void ReplayShard::RestoreDraw(std::uint32_t slot, int offset) {
  ChunkedStream& stream = *store_.chunk(slot).stream;
  const std::int64_t index = store_.chunk(slot).first + offset;
  const float priority = restored_priorities_[IdOf(slot, offset)];
  if (priority <= 0) return;
  AddIfComplete(stream, index);
  if (priority != kDrawnPriority) return;
  if (selector_->Contains(IdOf(slot, offset))) {
    selector_->MarkDrawn(IdOf(slot, offset));
  } else {
    stream.SetDrawnUntil(index + 1);
  }
}

Status ReplayShard::FinishRestore() {
  const MutexLock lock(mutex_);
  for (const std::uint32_t slot : store_.living()) {
    const RowChunk& chunk = store_.chunk(slot);
    if (chunk.saved != chunk.count) {
      return DataLoss("replay: {} rows of chunk {} restored, {} expected", chunk.saved,
                      chunk.serial, chunk.count);
    }
  }
  for (const std::uint32_t slot : store_.living()) {
    const RowChunk& chunk = store_.chunk(slot);
    for (int offset = 0; offset < chunk.count; ++offset) {
      const std::uint32_t id = IdOf(slot, offset);
      const float priority = restored_priorities_[id];
      if (selector_->draws_once()) {
        RestoreDraw(slot, offset);
        continue;
      }
      AddIfComplete(*chunk.stream, chunk.first + offset);
      if (priority > 0 && selector_->Contains(id)) {
        selector_->Update(id, static_cast<double>(priority));
      }
    }
  }
  restored_priorities_ = {};
  // Rows that came after the state are neither here nor counted.
  counters_.evicted = counters_.accepted - rows_;
  return OkStatus();
}

}  // namespace gorila
