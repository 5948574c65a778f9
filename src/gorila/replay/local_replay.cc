#include "gorila/replay/local_replay.h"

#include <algorithm>
#include <utility>

namespace gorila {
namespace {

// Of a stream: what waits for a minibatch must not be overwritten, even if one environment made all
// of it; transitions in episodes of one step, which have two rows.
std::int64_t QueuedRows(const LocalReplayOptions& options) {
  if (!DrawsOnce(options.selector)) return 0;
  return FreshInMinibatch(options) * std::max(options.transition.unroll, 2);
}

// Of a state's first number: streams, and with several games the number of these.
constexpr std::uint64_t kGamesUnit = std::uint64_t{1} << 32;
std::uint64_t StateGames(const LocalReplayOptions& options) {
  return static_cast<std::uint64_t>(options.games);
}

}  // namespace

StatusOr<std::unique_ptr<LocalReplay>> LocalReplay::Make(const LocalReplayOptions& options,
                                                         const ObservationSpec& observation,
                                                         int streams, RandomStream random) {
  GORILA_CHECK(streams > 0);
  const std::int64_t after = options.transition.rows_after();
  const std::int64_t least = after + observation.stack + 1;
  const std::string_view what = options.transition.unroll > 0 ? "unroll" : "n-step";
  if (options.capacity / streams < least) {
    return InvalidArgument(
        "replay.capacity is {} time steps for {} environments; expected at least {} "
        "({} {} + stack {} + 1 for each)",
        options.capacity, streams, least * streams, what, after, observation.stack);
  }
  if (options.rate.min_size > options.capacity && !DrawsOnce(options.selector)) {
    return InvalidArgument("replay.min_size is {}; expected at most replay.capacity, {}",
                           options.rate.min_size, options.capacity);
  }
  GORILA_ASSIGN_OR_RETURN(const SelectorRow* selector, FindSelector(options.selector.name));
  const std::int64_t queued = QueuedRows(options);
  if (options.capacity / streams < least + queued) {
    return InvalidArgument(
        "replay.capacity is {} time steps for {} environments; expected at least {} with "
        "replay.selector queue ({} for the {} of a minibatch + {} {} + stack {} + 1 for each)",
        options.capacity, streams, (least + queued) * streams, queued, FreshInMinibatch(options),
        what, after, observation.stack);
  }
  const std::int64_t ids = options.capacity / streams * streams;
  return std::unique_ptr<LocalReplay>(new LocalReplay(
      options, observation, streams,
      MakeSelector(*selector, options.selector, options.games, static_cast<std::size_t>(ids)),
      random));
}

std::int64_t LocalReplay::ExpectedBytes(const LocalReplayOptions& options,
                                        const ObservationSpec& observation, int streams) {
  const std::int64_t own_bytes =
      SelectorBytesPerId(options.selector, options.games) +
      (options.transition.unroll > 0 ? static_cast<std::int64_t>(sizeof(float)) : 0);
  if (options.frames.compression == FrameCompression::kNone) {
    return options.capacity *
           (static_cast<std::int64_t>(StreamStore::BytesPerRow(observation)) + own_bytes);
  }
  const auto row_bytes = static_cast<std::int64_t>(StreamStore::PackedBytesPerRow());
  return options.capacity * (row_bytes + own_bytes) +
         streams * PackedBytes(options, observation, streams);
}

std::int64_t LocalReplay::PackedBytes(const LocalReplayOptions& options,
                                      const ObservationSpec& observation, int streams) {
  const std::size_t frame = observation.frame_bytes();
  // One transition fits whatever its frames look like, and what waits for a minibatch.
  const std::int64_t least =
      options.transition.rows_after() + observation.stack + 1 + QueuedRows(options);
  return std::max(options.capacity / streams * PackedFrameBytes(options.frames, frame),
                  least * static_cast<std::int64_t>(PackedBound(frame)));
}

LocalReplay::LocalReplay(const LocalReplayOptions& options, const ObservationSpec& observation,
                         int streams, std::unique_ptr<Selector> selector, RandomStream random)
    : options_(options),
      observation_(observation),
      rows_per_stream_(options.capacity / streams),
      saved_until_(static_cast<std::size_t>(streams), 0),
      selector_(std::move(selector)),
      limiter_(options.rate),
      random_(random) {
  if (options.frames.compression == FrameCompression::kZstd) {
    packer_ = std::make_unique<FramePacker>(observation.frame_bytes());
  }
  if (options.selector.initial_priorities) {
    values_.assign(static_cast<std::size_t>(streams), ValueWindow(options.transition.n_step));
  }
  const bool unrolls = options.transition.unroll > 0;
  streams_.reserve(static_cast<std::size_t>(streams));
  for (int i = 0; i < streams; ++i) {
    if (packer_ == nullptr) {
      streams_.emplace_back(observation, rows_per_stream_, unrolls);
    } else {
      streams_.emplace_back(observation, rows_per_stream_, *packer_,
                            PackedBytes(options, observation, streams), unrolls);
    }
  }
}

std::uint32_t LocalReplay::Id(int stream, std::int64_t index) const {
  return static_cast<std::uint32_t>(stream * rows_per_stream_ + index % rows_per_stream_);
}

Status LocalReplay::Insert(int stream, const ReplayRow& row) {
  if (stream < 0 || static_cast<std::size_t>(stream) >= streams_.size()) {
    return InvalidArgument("replay: stream {} is not in 0..{}", stream, streams_.size() - 1);
  }
  StreamStore& store = streams_[static_cast<std::size_t>(stream)];
  if (row.game < 0 || row.game >= options_.games) {
    return InvalidArgument("replay: game {} is not in 0..{}", row.game, options_.games - 1);
  }
  GORILA_RETURN_IF_ERROR(store.CheckRow(row));
  store.Append(row, [this, stream] { Evict(stream); });
  if (!values_.empty()) values_[static_cast<std::size_t>(stream)].Add(store.end() - 1, row.values);
  Complete(stream);
  // The kLast row is no decision: only rows with an action count as inserted experience.
  if (!row.time_step.last()) limiter_.OnInsert();
  return OkStatus();
}

// The oldest row goes, and with it every transition whose stack of frames begins there.
void LocalReplay::Evict(int stream) {
  StreamStore& store = streams_[static_cast<std::size_t>(stream)];
  VisitDependents(store, store.begin(), observation_.stack, [&](std::int64_t index) {
    const std::uint32_t id = Id(stream, index);
    if (selector_->Contains(id)) selector_->Remove(id);
  });
  store.DropOldest();
}

void LocalReplay::Complete(int stream) {
  VisitCompletedBy(streams_[static_cast<std::size_t>(stream)], options_.transition,
                   [&](std::int64_t index) { AddIfComplete(stream, index); });
}

bool LocalReplay::IsComplete(int stream, std::int64_t index) const {
  return gorila::IsComplete(streams_[static_cast<std::size_t>(stream)], index, options_.transition,
                            observation_.stack);
}

void LocalReplay::AddIfComplete(int stream, std::int64_t index) {
  if (!IsComplete(stream, index)) return;
  const std::uint32_t id = Id(stream, index);
  if (selector_->Contains(id)) return;
  selector_->InsertOfGame(streams_[static_cast<std::size_t>(stream)].game(), id);
  if (values_.empty()) return;
  const auto at = static_cast<std::size_t>(stream);
  const auto error = values_[at].InitialError(streams_[at], index, options_.transition);
  if (error.has_value()) selector_->Update(id, PriorityOfError(options_.selector, *error));
}

bool LocalReplay::CanSample() const {
  if (selector_->draws_once()) {
    return static_cast<std::int64_t>(selector_->queued()) >= FreshInMinibatch(options_);
  }
  return selector_->size() > 0 && limiter_.CanSample();
}

Status LocalReplay::WhyNoSample() const {
  if (selector_->draws_once()) {
    return absl::FailedPreconditionError(
        fmt::format("replay: {} {} in the queue; expected {} for a minibatch", selector_->queued(),
                    options_.transition.noun(), FreshInMinibatch(options_)));
  }
  return absl::FailedPreconditionError(
      fmt::format("replay: {} time steps inserted and {} minibatches sampled; the rate limiter "
                  "asks for at least {} steps and at most {} minibatches a step",
                  limiter_.inserted(), limiter_.sampled(), options_.rate.min_size,
                  options_.rate.updates_per_step));
}

Status LocalReplay::Sample(int size, TransitionBatch& batch) {
  if (!CanSample()) return WhyNoSample();
  GORILA_CHECK(!selector_->draws_once() || size <= options_.selector.minibatch, "{}", size);
  batch.Resize(size, observation_.stacked_bytes(), options_.transition.unroll);
  drawn_.resize(static_cast<std::size_t>(size));
  selector_->Sample(random_, drawn_);
  for (std::size_t i = 0; i < drawn_.size(); ++i) BuildTransition(drawn_[i], i, batch);
  limiter_.OnSample();
  return OkStatus();
}

// The living row with this slot.
std::int64_t LocalReplay::IndexOf(std::uint32_t id) const {
  const StreamStore& store = streams_[static_cast<std::size_t>(id / rows_per_stream_)];
  const std::int64_t slot = id % rows_per_stream_;
  const std::int64_t behind = store.begin() % rows_per_stream_;
  return store.begin() + (slot - behind + rows_per_stream_) % rows_per_stream_;
}

void LocalReplay::BuildTransition(const Selector::Drawn& drawn, std::size_t i,
                                  TransitionBatch& batch) const {
  const std::int64_t stream = drawn.id / rows_per_stream_;
  const StreamStore& store = streams_[static_cast<std::size_t>(stream)];
  const std::int64_t start = IndexOf(drawn.id);
  batch.keys[i] =
      static_cast<std::uint64_t>(start * static_cast<std::int64_t>(streams_.size()) + stream);
  batch.probabilities[i] = drawn.probability;
  batch.games[i] = store.game();
  const std::size_t bytes = observation_.stacked_bytes();
  if (const int length = options_.transition.unroll; length > 0) {
    const std::size_t state = i * static_cast<std::size_t>(length + 1);
    store.CopyUnroll(start, start + length, &batch.s_tm1[state * bytes]);
    return FillUnroll(store, start, options_.transition, i, batch);
  }
  const NStepReturn sum = SumRewards(store, start, options_.transition);
  store.CopyStacks(start, sum.end, &batch.s_tm1[i * bytes], &batch.s_t[i * bytes]);
  batch.a_tm1[i] = store.action(start);
  batch.a_t[i] = ActionAt(store, sum.end);
  batch.r_t[i] = static_cast<float>(sum.r_t);
  batch.discount_t[i] = static_cast<float>(sum.discount_t);
}

Status LocalReplay::UpdatePriorities(const TransitionBatch& sampled,
                                     std::span<const float> td_errors) {
  const std::vector<std::uint64_t>& keys = sampled.keys;
  GORILA_RETURN_IF_ERROR(CheckPriorityUpdate(keys, td_errors));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto stream = static_cast<int>(keys[i] % streams_.size());
    const auto index = static_cast<std::int64_t>(keys[i] / streams_.size());
    const StreamStore& store = streams_[static_cast<std::size_t>(stream)];
    if (index < store.begin() || index >= store.end()) continue;
    const std::uint32_t id = Id(stream, index);
    if (!selector_->Contains(id)) continue;
    selector_->Update(id, PriorityOfError(options_.selector, static_cast<double>(td_errors[i])));
  }
  return OkStatus();
}

ReplaySize LocalReplay::Size() const {
  ReplaySize size;
  size.transitions = static_cast<std::int64_t>(selector_->size());
  for (const StreamStore& store : streams_) size.rows += store.end() - store.begin();
  size.capacity = rows_per_stream_ * static_cast<std::int64_t>(streams_.size());
  return size;
}

std::int64_t LocalReplay::FrameBytes() const {
  std::int64_t bytes = 0;
  for (const StreamStore& store : streams_) bytes += store.FrameBytes();
  return bytes;
}

bool LocalReplay::SaveNewRows(std::int64_t max_bytes, StateWriter& writer) {
  const bool any = std::any_of(streams_.begin(), streams_.end(), [&](const StreamStore& store) {
    return saved_until_[static_cast<std::size_t>(&store - streams_.data())] < store.end();
  });
  if (!any) return false;
  const auto row_bytes = static_cast<std::int64_t>(StreamStore::BytesPerRow(observation_));
  const auto streams = static_cast<std::int64_t>(streams_.size());
  const std::int64_t rows = std::max<std::int64_t>(1, max_bytes / row_bytes / streams);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    saved_until_[i] = streams_[i].SaveRows(saved_until_[i], rows, writer);
  }
  return true;
}

// Of one game as before there were several.
void LocalReplay::SaveState(StateWriter& writer) const {
  const bool with_games = options_.games > 1;
  writer.Write(streams_.size() + (with_games ? kGamesUnit * StateGames(options_) : 0));
  for (const StreamStore& store : streams_) {
    writer.Write(store.begin());
    writer.Write(store.end());
    if (with_games) writer.Write<std::int32_t>(store.game());
  }
  selector_->SaveState(writer);
  limiter_.SaveState(writer);
  random_.SaveState(writer);
  for (const ValueWindow& values : values_) values.SaveState(writer);
  if (packer_ == nullptr) return;
  packer_->SaveState(writer);
  for (const StreamStore& store : streams_) store.SavePacking(writer);
}

Status LocalReplay::RestoreStreams(StateReader& reader) {
  std::uint64_t streams = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(streams));
  const std::uint64_t games = std::max<std::uint64_t>(streams / kGamesUnit, 1);
  streams %= kGamesUnit;
  if (streams != streams_.size()) {
    return DataLoss("replay state has {} streams, expected {}", streams, streams_.size());
  }
  if (games != StateGames(options_)) {
    return DataLoss("replay state has rows of {} games, expected {}", games, options_.games);
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int32_t game = 0;
    GORILA_RETURN_IF_ERROR(reader.Read(begin));
    GORILA_RETURN_IF_ERROR(reader.Read(end));
    if (games > 1) GORILA_RETURN_IF_ERROR(reader.Read(game));
    if (begin < 0 || end < begin || end - begin > rows_per_stream_) {
      return DataLoss("replay state: stream {} has rows {}..{}, expected at most {} of them", i,
                      begin, end, rows_per_stream_);
    }
    if (game < 0 || game >= options_.games) {
      return DataLoss("replay state: stream {} plays game {}, expected 0..{}", i, game,
                      options_.games - 1);
    }
    streams_[i].ResetRange(begin, end, game);
    saved_until_[i] = end;
  }
  return OkStatus();
}

Status LocalReplay::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(RestoreStreams(reader));
  GORILA_RETURN_IF_ERROR(selector_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(limiter_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(random_.RestoreState(reader));
  for (ValueWindow& values : values_) GORILA_RETURN_IF_ERROR(values.RestoreState(reader));
  return RestorePacking(reader);
}

// How rows were packed, so that they take as many bytes again. A state without it is of a replay
// that did not compress, and one that does not compress has no use for it.
Status LocalReplay::RestorePacking(StateReader& reader) {
  if (reader.remaining() == 0) return OkStatus();
  if (packer_ == nullptr) {
    FramePacker unused(observation_.frame_bytes());
    GORILA_RETURN_IF_ERROR(unused.RestoreState(reader));
    std::span<const std::byte> streams;
    return reader.ReadBytes(streams_.size() * sizeof(std::int64_t), streams);
  }
  GORILA_RETURN_IF_ERROR(packer_->RestoreState(reader));
  for (StreamStore& store : streams_) GORILA_RETURN_IF_ERROR(store.RestorePacking(reader));
  return OkStatus();
}

Status LocalReplay::RestoreRows(StateReader& reader) {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto evict = [this, i] { Evict(static_cast<int>(i)); };
    GORILA_RETURN_IF_ERROR(streams_[i].RestoreRows(reader, evict));
  }
  return reader.Finish();
}

Status LocalReplay::FinishRestore() {
  for (const StreamStore& store : streams_) GORILA_RETURN_IF_ERROR(store.CheckComplete());
  return CheckSelector();
}

std::vector<LocalReplay::SavedRange> LocalReplay::SavedRanges() const {
  std::vector<SavedRange> ranges;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    ranges.push_back({streams_[i].begin(), saved_until_[i]});
  }
  return ranges;
}

// DataLoss unless exactly the complete transitions can be drawn.
Status LocalReplay::CheckSelector() const {
  std::size_t complete = 0;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const int stream = static_cast<int>(i);
    for (std::int64_t index = streams_[i].begin(); index < streams_[i].end(); ++index) {
      const bool selected = selector_->Contains(Id(stream, index));
      const bool complete_row = IsComplete(stream, index);
      if (selected && options_.games > 1 && !selector_->draws_once() &&
          selector_->GameOf(Id(stream, index)) != streams_[i].game()) {
        return DataLoss("replay state: row {} of stream {} is drawn for another game than {}",
                        index, stream, streams_[i].game());
      }
      // What was drawn once is complete and no longer there.
      if (selected ? !complete_row : complete_row && !selector_->draws_once()) {
        return DataLoss(
            "replay state: row {} of stream {} {} be drawn, against learner.n_step or unroll and "
            "the stack; "
            "expected the settings that the checkpoint was made with, or a whole checkpoint",
            index, stream, selected ? "can" : "cannot");
      }
      if (selected) ++complete;
    }
  }
  if (complete == selector_->size()) return OkStatus();
  return DataLoss("replay: {} transitions can be drawn, expected {}", selector_->size(), complete);
}

void LocalReplay::CheckInvariants() const {
  selector_->CheckInvariants();
  for (const StreamStore& store : streams_) {
    GORILA_CHECK(store.end() - store.begin() <= rows_per_stream_);
  }
  const Status selector = CheckSelector();
  GORILA_CHECK(selector.ok(), "{}", selector.ToString());
}

}  // namespace gorila
