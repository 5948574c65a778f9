#include "gorila/replay/replay_shard.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gorila/replay/transition_rows.h"

namespace gorila {
namespace {

constexpr int kMaxChunkRows = 64;
constexpr std::int64_t kMinChunks = 64;
constexpr std::size_t kMaxStreams = 65536;  // remembered, with rows or without

// Small replays have small chunks, so that dropping one is not dropping much.
int ChunkRows(std::int64_t capacity) {
  return static_cast<int>(std::clamp<std::int64_t>(capacity / kMinChunks, 1, kMaxChunkRows));
}

// One that is about to be written, and as many as a few samples may hold on to.
std::int64_t Chunks(std::int64_t capacity) {
  const std::int64_t chunks = (capacity + ChunkRows(capacity) - 1) / ChunkRows(capacity);
  return chunks + 1 + chunks / 32;
}

// That must be alive at once.
std::int64_t RowsOfOne(const ReplayShardOptions& options) {
  return options.replay.transition.rows_after() + options.observation.stack + 1;
}

// The fewest time steps that a queue must be allowed to hold.
std::int64_t LeastLead(const LocalReplayOptions& options) {
  return FreshInMinibatch(options) * options.transition.steps();
}

// Of compressed frames: enough for the bytes set aside and the last page of each chunk, and for a
// transition and what it stands beside, or what waits for a minibatch, whatever the frames look
// like.
PackedSpace SpaceFor(const ReplayShardOptions& options) {
  const LocalReplayOptions& replay = options.replay;
  if (replay.frames.compression == FrameCompression::kNone) return {};
  const std::size_t frame = options.observation.frame_bytes();
  const std::int64_t chunk_rows = ChunkRows(replay.capacity);
  const std::int64_t chunk_bytes = chunk_rows * PackedFrameBytes(replay.frames, frame);
  const std::int64_t page_bytes = std::clamp<std::int64_t>(chunk_bytes / 32, 64, 4096);
  const std::int64_t worst_chunk_bytes = chunk_rows * static_cast<std::int64_t>(PackedBound(frame));
  const std::int64_t queued = DrawsOnce(replay.selector) ? LeastLead(replay) : 0;
  const std::int64_t least = (RowsOfOne(options) + queued) / chunk_rows + 3;
  const std::int64_t pages = std::max(Chunks(replay.capacity) * (chunk_bytes / page_bytes + 1),
                                      least * (worst_chunk_bytes / page_bytes + 1));
  return {.pages = static_cast<std::size_t>(pages),
          .page_bytes = static_cast<std::size_t>(page_bytes)};
}

Status CheckTimeStep(const TimeStep& step) {
  const auto type = static_cast<std::int32_t>(step.step_type);
  if (type < 0 || type > static_cast<std::int32_t>(StepType::kLast)) {
    return InvalidArgument("replay: step type {}, expected 0 to 2", type);
  }
  if (std::isfinite(step.reward) && step.discount >= 0 && step.discount <= 1) return OkStatus();
  return InvalidArgument(
      "replay: reward {} and discount {}; expected a finite number and one from 0 to 1",
      static_cast<double>(step.reward), static_cast<double>(step.discount));
}

Status OutOfOrder() {
  return InvalidArgument("replay: an episode's rows must run from a first to a last time step");
}

}  // namespace

// Also: what waits in the queue must not fill the memory.
Status CheckInsertLead(const LocalReplayOptions& options) {
  if (!DrawsOnce(options.selector)) return OkStatus();
  const std::int64_t lead = options.rate.insert_lead;
  if (lead >= LeastLead(options) && lead <= options.capacity / 2) return OkStatus();
  return InvalidArgument(
      "replay.insert_lead is {} with replay.selector queue; expected at least {}, {}, and at most "
      "half of replay.capacity, {}",
      lead,
      options.transition.unroll == 0         ? "learner.batch_size"
      : options.selector.replayed_share == 0 ? "learner.batch_size x learner.unroll"
                                             : "learner.unroll for each new unroll of a minibatch",
      LeastLead(options), options.capacity / 2);
}

StatusOr<std::unique_ptr<ReplayShard>> ReplayShard::Make(const ReplayShardOptions& options,
                                                         RandomStream random) {
  const LocalReplayOptions& replay = options.replay;
  const std::int64_t least = RowsOfOne(options);
  if (replay.capacity < least) {
    return InvalidArgument("replay.capacity is {}; expected at least {} ({} {} + stack {} + 1)",
                           replay.capacity, least,
                           replay.transition.unroll > 0 ? "unroll" : "n-step",
                           replay.transition.rows_after(), options.observation.stack);
  }
  if (replay.rate.min_size > replay.capacity && !DrawsOnce(replay.selector)) {
    return InvalidArgument("replay.min_size is {}; expected at most replay.capacity, {}",
                           replay.rate.min_size, replay.capacity);
  }
  GORILA_ASSIGN_OR_RETURN(const SelectorRow* row, FindSelector(replay.selector.name));
  GORILA_RETURN_IF_ERROR(CheckInsertLead(replay));
  const int chunk_rows = ChunkRows(replay.capacity);
  const std::int64_t chunks = Chunks(replay.capacity);
  return std::unique_ptr<ReplayShard>(
      new ReplayShard(options, chunks, chunk_rows,
                      MakeSelector(*row, replay.selector, replay.games,
                                   static_cast<std::size_t>(chunks * chunk_rows)),
                      random));
}

std::int64_t ReplayShard::ExpectedBytes(const ReplayShardOptions& options) {
  const PackedSpace packed = SpaceFor(options);
  const std::int64_t row_bytes =
      (packed.pages > 0 ? ChunkStore::PackedBytesPerRow()
                        : ChunkStore::BytesPerRow(options.observation)) +
      (options.replay.transition.unroll > 0 ? static_cast<std::int64_t>(sizeof(float)) : 0) +
      SelectorBytesPerId(options.replay.selector, options.replay.games);
  const std::int64_t chunks = Chunks(options.replay.capacity);
  return chunks * (ChunkRows(options.replay.capacity) * row_bytes +
                   static_cast<std::int64_t>(sizeof(RowChunk))) +
         static_cast<std::int64_t>(packed.pages * (packed.page_bytes + sizeof(std::uint32_t)));
}

ReplayShard::ReplayShard(const ReplayShardOptions& options, std::int64_t chunks, int chunk_rows,
                         std::unique_ptr<Selector> selector, RandomStream random)
    : options_(options),
      packing_(options.replay.frames.compression == FrameCompression::kNone
                   ? nullptr
                   : std::make_unique<SharedPacking>(options.observation.frame_bytes())),
      store_(options.observation, chunks, chunk_rows, SpaceFor(options),
             options.replay.transition.unroll > 0),
      selector_(std::move(selector)),
      limiter_(options.replay.rate),
      random_(random) {}

StatusOr<InsertReply> ReplayShard::Insert(std::span<const RowRun> runs, Deadline,
                                          InsertLimit limit) {
  const auto check = [&]() -> Status {
    for (const RowRun& run : runs) GORILA_RETURN_IF_ERROR(CheckRun(run));
    const MutexLock lock(mutex_);
    for (const RowRun& run : runs) GORILA_RETURN_IF_ERROR(CheckContinues(run));
    return OkStatus();
  };
  if (const Status status = check(); !status.ok()) {
    const MutexLock lock(mutex_);
    ++counters_.refused_inserts;
    return status;
  }
  InsertReply reply;
  for (const RowRun& run : runs) {
    GORILA_RETURN_IF_ERROR(InsertRun(run, limit, reply));
    if (!reply.waiting.empty()) break;
  }
  return reply;
}

// Checks that need no state of the shard.
Status ReplayShard::CheckRun(const RowRun& run) const {
  const std::size_t rows = run.time_steps.size();
  if (rows == 0 || run.first < 0 || run.stream.actor < 0 || run.stream.stream < 0) {
    return InvalidArgument("replay: {} rows from number {} of stream {} of actor {}", rows,
                           run.first, run.stream.stream, run.stream.actor);
  }
  if (run.game < 0 || run.game >= options_.replay.games) {
    return InvalidArgument("replay: stream {} of actor {} plays game {}, expected 0 to {}",
                           run.stream.stream, run.stream.actor, run.game,
                           options_.replay.games - 1);
  }
  if (!run.values.empty() && run.values.size() != rows) {
    return InvalidArgument("replay: {} rows with the values of {}", rows, run.values.size());
  }
  if (run.actions.size() != rows || run.frames.size() != rows * store_.frame_bytes()) {
    return InvalidArgument("replay: {} rows with {} actions and {} bytes of frames, expected {}",
                           rows, run.actions.size(), run.frames.size(),
                           rows * store_.frame_bytes());
  }
  GORILA_RETURN_IF_ERROR(CheckLogProbabilities(run));
  for (std::size_t i = 0; i < rows; ++i) {
    GORILA_RETURN_IF_ERROR(CheckTimeStep(run.time_steps[i]));
    const bool starts = run.time_steps[i].step_type == StepType::kFirst;
    if (i > 0 && starts != run.time_steps[i - 1].last()) return OutOfOrder();
    if (run.actions[i] < 0 || run.actions[i] >= options_.num_actions) {
      return InvalidArgument("replay: action {}, expected 0 to {}", run.actions[i],
                             options_.num_actions - 1);
    }
  }
  return OkStatus();
}

// They are one for each row where unrolls are drawn, and of no use elsewhere.
Status ReplayShard::CheckLogProbabilities(const RowRun& run) const {
  const std::size_t rows = run.time_steps.size();
  const int unroll = options_.replay.transition.unroll;
  if (run.log_probabilities.size() != (unroll > 0 ? rows : 0)) {
    return InvalidArgument(
        "replay: {} rows with the log-probabilities of {}; expected {}, because this shard serves "
        "{}",
        rows, run.log_probabilities.size(), unroll > 0 ? rows : 0,
        options_.replay.transition.noun());
  }
  for (std::size_t i = 0; i < run.log_probabilities.size(); ++i) {
    const float value = run.log_probabilities[i];
    if (run.time_steps[i].last() || IsLogProbability(value)) continue;
    return InvalidArgument(
        "replay: row {} has the log-probability {}; expected a finite number of at most 0",
        run.first + static_cast<std::int64_t>(i), static_cast<double>(value));
  }
  return OkStatus();
}

// And of its place behind the rows that are there.
Status ReplayShard::CheckContinues(const RowRun& run) const {
  const auto found = streams_.find(run.stream);
  if (found == streams_.end()) return OkStatus();
  const ChunkedStream& stream = *found->second;
  if (run.game != stream.game()) {
    return InvalidArgument("replay: rows of game {} for stream {} of actor {}, which plays game {}",
                           run.game, run.stream.stream, run.stream.actor, stream.game());
  }
  const std::int64_t skipped = stream.end() - run.first;
  const bool joins = skipped >= 0 && skipped < static_cast<std::int64_t>(run.time_steps.size());
  if (!joins || stream.begin() == stream.end()) return OkStatus();
  const StepType next = run.time_steps[static_cast<std::size_t>(skipped)].step_type;
  const bool ended = stream.time_step(stream.end() - 1).last();
  return ended == (next == StepType::kFirst) ? OkStatus() : OutOfOrder();
}

// A little at a time, so nobody waits long for the lock.
Status ReplayShard::InsertRun(const RowRun& run, InsertLimit limit, InsertReply& reply) {
  const auto rows = static_cast<std::int64_t>(run.time_steps.size());
  StoredRows stored;
  for (std::int64_t done = 0; done < rows && reply.waiting.empty();) {
    if (packing_ != nullptr) Pack(run, done, stored);
    const MutexLock lock(mutex_);
    if (closed_) return absl::UnavailableError("the replay shard is ending");
    if (limit == InsertLimit::kKept && !CanInsert()) {
      ++held_inserts_;
      reply.waiting = WhyNoInsert();
      break;
    }
    GORILA_ASSIGN_OR_RETURN(const std::int64_t taken, AppendSome(run, done, stored, limit, reply));
    done += taken;
    if (waiting_samples_ > 0 && CanSample(MinibatchSize())) inserts_changed_.NotifyAll();
  }
  return OkStatus();
}

// Takes rows from number `done` of the run on; how many.
StatusOr<std::int64_t> ReplayShard::AppendSome(const RowRun& run, std::int64_t done,
                                               const StoredRows& stored, InsertLimit limit,
                                               InsertReply& reply) {
  const auto rows = static_cast<std::int64_t>(run.time_steps.size());
  const std::int64_t index = run.first + done;
  GORILA_ASSIGN_OR_RETURN(const std::shared_ptr<ChunkedStream> stream, StreamFor(run, index));
  if (index < stream->end()) {
    const std::int64_t repeated = std::min(stream->end() - index, rows - done);
    reply.repeated += repeated;
    counters_.repeated += repeated;
    return repeated;
  }
  // A retry of the same rows may have come in between.
  GORILA_RETURN_IF_ERROR(CheckContinues(run));
  const std::int64_t end = packing_ == nullptr
                               ? done + RowsAtOnce(run, done)
                               : stored.first + static_cast<std::int64_t>(stored.ends.size());
  std::int64_t taken = 0;
  for (std::int64_t i = done; i < end; ++i, ++taken) {
    const auto row = static_cast<std::size_t>(i);
    const StoredFrame frame = FrameOf(run, stored, i);
    if (!MakeRoom(stream, frame.bytes.size(), limit)) break;
    stream->Append(frame, run.time_steps[row], run.actions[row],
                   run.log_probabilities.empty() ? 0 : run.log_probabilities[row]);
    stream->values().Add(stream->end() - 1, run.values.empty() ? RowValues() : run.values[row]);
    ++rows_;
    VisitCompletedBy(*stream, options_.replay.transition,
                     [&](std::int64_t start) { AddIfComplete(*stream, start); });
    // As in LocalReplay: only rows with an action count as inserted experience.
    if (!run.time_steps[row].last()) limiter_.OnInsert();
  }
  if (taken == 0) {
    reply.waiting = selector_->draws_once() && limit == InsertLimit::kKept
                        ? "the oldest rows wait for learners"
                        : fmt::format("all {} chunks are being read", store_.chunks());
  }
  reply.accepted += taken;
  counters_.accepted += taken;
  return taken;
}

// The stream that row `index` belongs to: the present one of the run's name, or a new one when it
// has none or rows are missing in between.
StatusOr<std::shared_ptr<ChunkedStream>> ReplayShard::StreamFor(const RowRun& run,
                                                                std::int64_t index) {
  const auto found = streams_.find(run.stream);
  if (found != streams_.end() && index <= found->second->end()) return found->second;
  if (found == streams_.end() && streams_.size() >= kMaxStreams) {
    std::erase_if(streams_, [](const auto& entry) { return !entry.second->has_chunks(); });
    if (streams_.size() >= kMaxStreams) {
      return absl::ResourceExhaustedError(fmt::format(
          "replay: {} streams have rows here, expected at most {}", streams_.size(), kMaxStreams));
    }
  }
  ++counters_.streams;
  if (found != streams_.end()) ++counters_.broken_streams;
  auto stream = std::make_shared<ChunkedStream>(run.stream, store_, index, MakeValues(), run.game);
  streams_[run.stream] = stream;
  return stream;
}

// For the stream's next row. False when every chunk is being read or, within the limit, when the
// oldest rows wait for learners; beyond it there may be none left that would draw them.
bool ReplayShard::MakeRoom(const std::shared_ptr<ChunkedStream>& stream, std::size_t frame_bytes,
                           InsertLimit limit) {
  const std::int64_t most =
      std::max<std::int64_t>(options_.replay.capacity / store_.chunk_rows(), 1);
  for (;;) {
    const bool extends = stream->room() > 0;
    const bool has_chunk =
        extends || (static_cast<std::int64_t>(store_.living().size()) < most && store_.has_free());
    if (has_chunk && stream->HasRoomFor(frame_bytes)) {
      if (!extends) store_.Use(stream);
      return true;
    }
    if (store_.living().empty()) return false;
    if (limit == InsertLimit::kKept && OldestIsQueued()) return false;
    EvictOldest();
  }
}

// Whether something that is drawn once, and was not yet, would go with the oldest chunk while
// learners can make a minibatch. If they cannot, inserts and samples would wait for each other.
bool ReplayShard::OldestIsQueued() const {
  if (!selector_->draws_once() || !CanSample(MinibatchSize())) return false;
  const RowChunk& chunk = store_.chunk(store_.living().front());
  const ChunkedStream& stream = *chunk.stream;
  const std::int64_t last = chunk.first + chunk.count - 1;
  const TransitionOptions& options = options_.replay.transition;
  const int stack = options_.observation.stack;
  bool queued = false;
  const auto look = [&](std::int64_t index) {
    queued =
        queued || selector_->IsQueued(stream.Id(index)) ||
        (MayStart(stream, index, options, stack) && !IsComplete(stream, index, options, stack));
  };
  for (std::int64_t index = chunk.first; index < last; ++index) look(index);
  VisitDependents(stream, last, stack, look);
  return queued;
}

// The oldest chunk goes, and with it every transition that starts in it or whose stack begins
// there.
void ReplayShard::EvictOldest() {
  const RowChunk& chunk = store_.chunk(store_.living().front());
  const ChunkedStream& stream = *chunk.stream;
  const auto remove = [&](std::int64_t index) {
    const std::uint32_t id = stream.Id(index);
    if (selector_->Contains(id)) selector_->Remove(id);
  };
  const std::int64_t end = chunk.first + chunk.count;
  for (std::int64_t index = chunk.first; index < end - 1; ++index) remove(index);
  VisitDependents(stream, end - 1, options_.observation.stack, remove);
  rows_ -= chunk.count;
  counters_.evicted += chunk.count;
  store_.DropOldest();
}

void ReplayShard::AddIfComplete(const ChunkedStream& stream, std::int64_t index) {
  if (index < stream.drawn_until() ||
      !IsComplete(stream, index, options_.replay.transition, options_.observation.stack)) {
    return;
  }
  const std::uint32_t id = stream.Id(index);
  if (selector_->Contains(id)) return;
  selector_->InsertOfGame(stream.game(), id);
  const auto error = stream.values().InitialError(stream, index, options_.replay.transition);
  if (error.has_value()) selector_->Update(id, PriorityOfError(options_.replay.selector, *error));
}

Status ReplayShard::UpdatePriorities(std::int64_t generation, std::span<const std::uint64_t> keys,
                                     std::span<const float> td_errors, Deadline) {
  GORILA_RETURN_IF_ERROR(CheckPriorityUpdate(keys, td_errors));
  const auto chunk_rows = static_cast<std::uint64_t>(store_.chunk_rows());
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto slot = store_.FindLiving(static_cast<std::int64_t>(keys[i] / chunk_rows));
    if (generation != options_.generation || !slot.has_value() ||
        !selector_->Contains(IdOf(*slot, static_cast<int>(keys[i] % chunk_rows)))) {
      ++counters_.stale_priorities;
      continue;
    }
    selector_->Update(IdOf(*slot, static_cast<int>(keys[i] % chunk_rows)),
                      PriorityOfError(options_.replay.selector, static_cast<double>(td_errors[i])));
    ++counters_.priorities;
  }
  return OkStatus();
}

ReplayShardSize ReplayShard::SizeNow() const {
  return {.generation = options_.generation,
          .transitions = static_cast<std::int64_t>(selector_->size()),
          .rows = rows_,
          .capacity = options_.replay.capacity,
          .mass = selector_->mass(),
          .allowed = SamplesAllowed(),
          .inserted = limiter_.inserted(),
          .sampled = limiter_.sampled(),
          .inserts_wait = !CanInsert()};
}

StatusOr<ReplayShardSize> ReplayShard::GetSize(Deadline) {
  const MutexLock lock(mutex_);
  return SizeNow();
}

ReplayShardStatus ReplayShard::GetStatus() const {
  const MutexLock lock(mutex_);
  return {.size = SizeNow(),
          .counters = counters_,
          .waiting_samples = waiting_samples_,
          .held_inserts = held_inserts_,
          .held_samples = held_samples_,
          .insert_limit = WhyNoInsert(),
          .sample_limit = WhyNoSample(MinibatchSize())};
}

void ReplayShard::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  inserts_changed_.NotifyAll();
}

void ReplayShard::CheckInvariants() const {
  const MutexLock lock(mutex_);
  store_.CheckInvariants();
  selector_->CheckInvariants();
  std::int64_t rows = 0;
  std::size_t complete = 0;
  for (const std::uint32_t slot : store_.living()) {
    const RowChunk& chunk = store_.chunk(slot);
    rows += chunk.count;
    for (int offset = 0; offset < chunk.count; ++offset) {
      const bool selected = selector_->Contains(IdOf(slot, offset));
      const bool complete_row = IsComplete(*chunk.stream, chunk.first + offset,
                                           options_.replay.transition, options_.observation.stack);
      if (selected && options_.replay.games > 1 && !selector_->draws_once()) {
        GORILA_CHECK(selector_->GameOf(IdOf(slot, offset)) == chunk.stream->game());
      }
      GORILA_CHECK(selected ? complete_row : !complete_row || selector_->draws_once());
      if (selected) ++complete;
    }
  }
  GORILA_CHECK(rows == rows_ && rows <= options_.replay.capacity, "{} {}", rows, rows_);
  GORILA_CHECK(complete == selector_->size());
  GORILA_CHECK(counters_.accepted - counters_.evicted == rows_);
}

}  // namespace gorila
