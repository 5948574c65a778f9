#include "gorila/replay/sharded_replay.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "gorila/base/crash_point.h"
#include "gorila/base/runtime.h"

namespace gorila {
namespace {

using std::chrono::milliseconds;

// Between two checks of a wait; doubles.
constexpr milliseconds kFirstPause{4};
constexpr milliseconds kLongestPause{250};
constexpr milliseconds kStopLook{50};
constexpr milliseconds kLongestLook{32};  // between two at the sizes of queues
// Fewer rows are not worth a call of their own when they end an unroll.
constexpr std::size_t kFewRows = 16;

}  // namespace

ShardedReplay::ShardedReplay(const ShardedReplayOptions& options,
                             std::vector<std::unique_ptr<ReplayEndpoint>> shards,
                             RandomStream random)
    : options_(options),
      shards_(std::move(shards)),
      streams_(static_cast<std::size_t>(options.streams)),
      random_(random),
      states_(shards_.size()) {
  GORILA_CHECK(!shards_.empty());
  // Neighbouring streams of all actors together, which play the games in turn, go to neighbouring
  // shards; so that each shard has every game, each round of games begins one shard further on.
  const auto games = static_cast<std::size_t>(options.games);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const std::size_t stream = static_cast<std::size_t>(options.actor) * streams_.size() + i;
    streams_[i].home = (stream / games + stream % games) % shards_.size();
    streams_[i].shard = streams_[i].home;
  }
}

Status ShardedReplay::Insert(int stream_index, const ReplayRow& row) {
  if (stream_index < 0 || static_cast<std::size_t>(stream_index) >= streams_.size()) {
    return InvalidArgument("replay: stream {} is not in 0..{}", stream_index, streams_.size() - 1);
  }
  if (row.frame.size() != options_.frame_bytes) {
    return InvalidArgument("replay: a frame has {} bytes, expected {}", row.frame.size(),
                           options_.frame_bytes);
  }
  Stream& stream = streams_[static_cast<std::size_t>(stream_index)];
  if (row.game < 0 || row.game >= options_.games || (stream.game >= 0 && row.game != stream.game)) {
    return InvalidArgument(
        "replay: a row of game {} of {} in stream {}{}", row.game, options_.games, stream_index,
        stream.game < 0 ? "" : fmt::format(", which plays game {}", stream.game));
  }
  stream.game = row.game;
  // A stream goes home with rows that begin with an episode: none might, if rows were always sent
  // at the same place in their episode.
  const bool begins = row.time_step.step_type == StepType::kFirst;
  if (begins && stream.shard != stream.home && !stream.time_steps.empty()) {
    GORILA_RETURN_IF_ERROR(Send(stream));
  }
  if (stream.time_steps.empty()) stream.first = stream.next;
  stream.time_steps.push_back(row.time_step);
  stream.actions.push_back(row.action);
  if (options_.values) stream.values.push_back(row.values);
  if (options_.unroll > 0) stream.log_probabilities.push_back(row.log_probability);
  stream.frames.insert(stream.frames.end(), row.frame.begin(), row.frame.end());
  ++stream.next;
  {
    const MutexLock lock(mutex_);
    ++counters_.rows;
  }
  return IsDue(stream) ? Send(stream) : OkStatus();
}

// An unroll should not wait for rows of the next: its policy ages.
bool ShardedReplay::IsDue(const Stream& stream) const {
  const std::size_t rows = stream.time_steps.size();
  const std::int64_t newest = stream.next - 1;
  const bool ends_unroll = options_.unroll > 0 && newest > 0 && newest % options_.unroll == 0;
  return rows >= static_cast<std::size_t>(options_.insert_rows) ||
         (ends_unroll && rows >= kFewRows);
}

Status ShardedReplay::Flush() {
  for (Stream& stream : streams_) GORILA_RETURN_IF_ERROR(Send(stream));
  return OkStatus();
}

void ShardedReplay::DropRows(Stream& stream, std::int64_t rows) const {
  stream.time_steps.erase(stream.time_steps.begin(), stream.time_steps.begin() + rows);
  stream.actions.erase(stream.actions.begin(), stream.actions.begin() + rows);
  if (options_.values) stream.values.erase(stream.values.begin(), stream.values.begin() + rows);
  if (options_.unroll > 0) {
    stream.log_probabilities.erase(stream.log_probabilities.begin(),
                                   stream.log_probabilities.begin() + rows);
  }
  const auto bytes = rows * static_cast<std::int64_t>(options_.frame_bytes);
  stream.frames.erase(stream.frames.begin(), stream.frames.begin() + bytes);
  stream.first += rows;
}

// Until all rows of the stream were taken, or lost with the shard that they were on their way to.
Status ShardedReplay::Send(Stream& stream) {
  Wait wait = BeginWait();
  while (!stream.time_steps.empty()) {
    const std::size_t shard = Route(stream);
    if (shard == shards_.size()) {
      GORILA_RETURN_IF_ERROR(Pause(wait, "no replay shard answers"));
      continue;
    }
    stream.shard = shard;
    const bool over = Over();
    if (wait.held && !over && StillHeld(shard)) {
      GORILA_RETURN_IF_ERROR(Pause(wait, waiting()));
      continue;
    }
    const RowRun run{.stream = {.actor = options_.actor,
                                .life = options_.life,
                                .stream = static_cast<std::int32_t>(&stream - streams_.data())},
                     .game = stream.game,
                     .first = stream.first,
                     .time_steps = stream.time_steps,
                     .actions = stream.actions,
                     .frames = stream.frames,
                     .values = stream.values,
                     .log_probabilities = stream.log_probabilities};
    const StatusOr<InsertReply> reply = shards_[shard]->Insert(
        {&run, 1}, CallDeadline(), over ? InsertLimit::kLifted : InsertLimit::kKept);
    if (reply.ok()) {
      CrashPoint("rows sent");
      Answered(shard);
      GORILA_RETURN_IF_ERROR(TakeReply(stream, *reply, wait));
      continue;
    }
    if (!IsAway(reply.status())) return reply.status();
    Lose(stream, shard, reply.status());
  }
  return OkStatus();
}

// Rows that were on their way to a shard that did not answer.
void ShardedReplay::Lose(Stream& stream, std::size_t shard, const Status& status) {
  Failed(shard, status);
  const auto lost = static_cast<std::int64_t>(stream.time_steps.size());
  DropRows(stream, lost);
  const MutexLock lock(mutex_);
  counters_.lost += lost;
}

// Whether the shard would not take the rows yet; they are many bytes, so it is asked first. False
// of one that does not answer: then they go elsewhere.
bool ShardedReplay::StillHeld(std::size_t shard) {
  if (!Ask(shard)) return true;
  const MutexLock lock(mutex_);
  return states_[shard].size.inserts_wait;
}

Status ShardedReplay::TakeReply(Stream& stream, const InsertReply& reply, Wait& wait) {
  const std::int64_t taken = std::min(static_cast<std::int64_t>(stream.time_steps.size()),
                                      reply.accepted + reply.repeated);
  DropRows(stream, taken);
  if (taken > 0) wait = BeginWait();
  {
    const MutexLock lock(mutex_);
    counters_.accepted += taken;
    waiting_ = reply.waiting;
    insert_held_ = !reply.waiting.empty();
    if (insert_held_ && !wait.held) ++counters_.insert_waits;
  }
  wait.held = !reply.waiting.empty();
  return wait.held ? Pause(wait, reply.waiting) : OkStatus();
}

bool ShardedReplay::Usable(std::size_t shard) const {
  return !states_[shard].down || SteadyNow() >= states_[shard].retry_at;
}

// Where the stream's rows go now; shards_.size() when no shard can be used. One that was down is
// asked first, so that no rows are lost to find out.
std::size_t ShardedReplay::Route(const Stream& stream) {
  const bool begins = stream.time_steps.front().step_type == StepType::kFirst;
  const std::size_t wanted = begins ? stream.home : stream.shard;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const std::size_t shard = (wanted + i) % shards_.size();
    {
      const MutexLock lock(mutex_);
      if (!states_[shard].down) return shard;
      if (!Usable(shard)) continue;
    }
    if (Ask(shard)) return shard;
  }
  return shards_.size();
}

void ShardedReplay::Answered(std::size_t shard) {
  bool was_down = false;
  {
    const MutexLock lock(mutex_);
    was_down = std::exchange(states_[shard].down, false);
    states_[shard].failures = 0;
  }
  if (was_down && options_.message) {
    options_.message(fmt::format("replay shard {} is back", shard));
  }
}

void ShardedReplay::Failed(std::size_t shard, const Status& status) {
  bool was_down = false;
  {
    const MutexLock lock(mutex_);
    was_down = std::exchange(states_[shard].down, true);
    const int doublings = std::min(states_[shard].failures++, 4);
    states_[shard].retry_at = SteadyNow() + options_.retry * (1 << doublings);
    states_[shard].known = false;
    ++counters_.failures;
  }
  if (!was_down && options_.message) {
    options_.message(
        fmt::format("replay shard {} does not answer: {}", shard, std::string(status.message())));
  }
}

// Whether the shard may answer another time: it is away, restarts, is overloaded, or the connection
// broke, which gRPC sometimes calls an internal or unknown error.
bool ShardedReplay::IsAway(const Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    case absl::StatusCode::kCancelled:
      return !Stopped();  // else by a server that ended
    default:
      return false;
  }
}

ShardedReplay::Wait ShardedReplay::BeginWait() const {
  const MutexLock lock(mutex_);
  return {.give_up = SteadyNow() + options_.patience, .progress = progress_};
}

// A slow run is waited for as long as anything happens in it.
Status ShardedReplay::CheckGoOn(Wait& wait, const std::string& reason) const {
  if (Stopped()) return absl::CancelledError("stopped");
  {
    const MutexLock lock(mutex_);
    if (std::exchange(wait.progress, progress_) != progress_) {
      wait.give_up = SteadyNow() + options_.patience;
    }
  }
  if (SteadyNow() >= wait.give_up) return absl::UnavailableError(reason);
  return OkStatus();
}

// A moment in which nothing can be done; each is longer than the one before.
Status ShardedReplay::Pause(Wait& wait, const std::string& reason) {
  {
    const MutexLock lock(mutex_);
    waiting_ = reason;
  }
  const milliseconds pause =
      std::min({options_.retry, kLongestPause, kFirstPause * (1 << std::min(wait.turns++, 6))});
  const Clock::time_point until = SteadyNow() + pause;
  for (;;) {
    GORILA_RETURN_IF_ERROR(CheckGoOn(wait, reason));
    const auto left = std::chrono::ceil<milliseconds>(until - SteadyNow());
    if (left <= milliseconds(0)) return OkStatus();
    SleepFor(std::min(left, kStopLook));
  }
}

// Its size, and so whether it answers.
bool ShardedReplay::Ask(std::size_t shard) {
  const StatusOr<ReplayShardSize> size = shards_[shard]->GetSize(SteadyNow() + options_.retry);
  if (!size.ok()) {
    Failed(shard, size.status());
    return false;
  }
  Answered(shard);
  const MutexLock lock(mutex_);
  NoteSize(shard, *size);
  return true;
}

void ShardedReplay::NoteSize(std::size_t shard, const ReplayShardSize& size) {
  const ReplayShardSize& before = states_[shard].size;
  if (size.generation != before.generation || size.inserted != before.inserted ||
      size.sampled != before.sampled) {
    ++progress_;
  }
  states_[shard].size = size;
  states_[shard].known = true;
  states_[shard].answered_at = SteadyNow();
}

// Asks those shards whose size is not known, or has not been heard of for a while: one that did not
// let samples pass when it was last heard of may do so now.
void ShardedReplay::LearnSizes() {
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    {
      const MutexLock lock(mutex_);
      const bool fresh = SteadyNow() < states_[shard].answered_at + options_.retry;
      if ((states_[shard].known && fresh) || !Usable(shard)) continue;
    }
    Ask(shard);
  }
}

// Of queues: until one has a minibatch, or none has for so long that the sample may as well wait at
// one of them, which gives the reason.
void ShardedReplay::LookForMinibatch() {
  if (!options_.draws_once || shards_.size() == 1) return;
  const auto until = SteadyNow() + options_.retry;
  milliseconds pause = kFirstPause;
  while (!CanSample() && !Stopped()) {
    ForgetSizes();
    LearnSizes();
    if (CanSample() || SteadyNow() + pause > until) return;
    SleepFor(pause);
    pause = std::min(2 * pause, kLongestLook);
  }
}

void ShardedReplay::ForgetSizes() {
  const MutexLock lock(mutex_);
  for (Shard& state : states_) state.known = false;
}

// In proportion to mass: among the shards that would let a sample pass, otherwise all that
// answer. shards_.size() when none does.
std::size_t ShardedReplay::ChooseShard() {
  LearnSizes();
  LookForMinibatch();
  const MutexLock lock(mutex_);
  for (const bool allowed_only : {true, false}) {
    double total = 0;
    const auto mass = [&](const Shard& state) {
      if (!state.known || (allowed_only && state.size.allowed <= 0)) return 0.0;
      // One without transitions may be waited at, when there is no other.
      return allowed_only ? state.size.mass : std::max(state.size.mass, 1e-12);
    };
    for (const Shard& state : states_) total += mass(state);
    if (total <= 0) continue;
    double position = random_.Uniform() * total;
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const double width = mass(states_[shard]);
      if (width > 0 && position < width) return shard;
      position -= width;
    }
  }
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (states_[shard].known) return shard;  // what rounding left over
  }
  return shards_.size();
}

bool ShardedReplay::CanSample() const {
  const MutexLock lock(mutex_);
  return std::any_of(states_.begin(), states_.end(), [](const Shard& state) {
    return !state.down && state.known && state.size.allowed > 0;
  });
}

bool ShardedReplay::NoneAllowedSince(Clock::time_point time) const {
  const MutexLock lock(mutex_);
  return std::all_of(states_.begin(), states_.end(), [time](const Shard& state) {
    return (state.down || state.answered_at > time) && state.size.allowed == 0;
  });
}

bool ShardedReplay::insert_held() const {
  const MutexLock lock(mutex_);
  return insert_held_;
}

Status ShardedReplay::Sample(int size, TransitionBatch& batch) {
  Wait wait = BeginWait();
  for (;;) {
    if (Stopped()) return absl::CancelledError("stopped");
    const std::size_t shard = ChooseShard();
    if (shard == shards_.size()) {
      GORILA_RETURN_IF_ERROR(Pause(wait, "no replay shard answers"));
      continue;
    }
    const auto began = SteadyNow();
    const auto deadline = std::min(CallDeadline(), began + options_.retry);
    const StatusOr<ReplayShardSize> now = shards_[shard]->Sample(size, deadline, batch);
    if (now.ok()) {
      Answered(shard);
      const MutexLock lock(mutex_);
      ++counters_.samples;
      waiting_.clear();
      NoteSize(shard, *now);
      batch.shard = shard;
      batch.generation = now->generation;
      return OkStatus();
    }
    if (!IsAway(now.status())) return now.status();
    const std::string reason(now.status().message());
    if (!absl::IsDeadlineExceeded(now.status())) {
      Failed(shard, now.status());
      GORILA_RETURN_IF_ERROR(CheckGoOn(wait, reason));
      continue;
    }
    NoteHeldSample(reason);
    // Where too many wait already a shard answers at once.
    const bool waited = SteadyNow() - began > options_.retry / 2;
    GORILA_RETURN_IF_ERROR(waited ? CheckGoOn(wait, reason) : Pause(wait, reason));
  }
}

// By its rate limiter, or the shard itself: GetSize will tell, and the others' may have changed.
void ShardedReplay::NoteHeldSample(const std::string& reason) {
  const MutexLock lock(mutex_);
  waiting_ = reason;
  ++counters_.sample_waits;
  for (Shard& state : states_) state.known = false;
}

Status ShardedReplay::UpdatePriorities(const TransitionBatch& sampled,
                                       std::span<const float> td_errors) {
  GORILA_RETURN_IF_ERROR(CheckPriorityUpdate(sampled.keys, td_errors));
  if (!options_.prioritized) return OkStatus();
  Status status = shards_[sampled.shard]->UpdatePriorities(sampled.generation, sampled.keys,
                                                           td_errors, CallDeadline());
  if (status.ok() || !IsAway(status)) return status;
  Failed(sampled.shard, status);
  return OkStatus();
}

ReplaySize ShardedReplay::Size() const {
  const MutexLock lock(mutex_);
  ReplaySize size;
  for (const Shard& state : states_) {
    size.transitions += state.size.transitions;
    size.rows += state.size.rows;
    size.capacity += state.size.capacity;
  }
  return size;
}

ShardedReplayCounters ShardedReplay::counters() const {
  const MutexLock lock(mutex_);
  return counters_;
}

std::string ShardedReplay::waiting() const {
  const MutexLock lock(mutex_);
  return waiting_;
}

}  // namespace gorila
