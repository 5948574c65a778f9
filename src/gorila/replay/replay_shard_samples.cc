// What a shard serves to learners, and when; and when actors wait for them.
#include <utility>

#include "gorila/replay/replay_shard.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {

// Without a transition to draw no sample can make room. What is drawn once waits until it is.
bool ReplayShard::CanInsert() const {
  if (selector_->draws_once()) {
    return QueuedSteps() < options_.replay.rate.insert_lead;
  }
  return selector_->size() == 0 || limiter_.CanInsert();
}

std::int64_t ReplayShard::QueuedSteps() const {
  return static_cast<std::int64_t>(selector_->queued()) * options_.replay.transition.steps();
}

bool ReplayShard::CanSample(std::size_t size) const {
  if (selector_->draws_once()) {
    return selector_->queued() >= FreshOf(options_.replay.selector, size);
  }
  return selector_->size() > 0 && limiter_.CanSample();
}

std::int64_t ReplayShard::SamplesAllowed() const {
  if (selector_->draws_once()) {
    return static_cast<std::int64_t>(selector_->queued()) / FreshInMinibatch(options_.replay);
  }
  return selector_->size() > 0 ? limiter_.Allowed() : 0;
}

std::string ReplayShard::WhyNoInsert() const {
  if (CanInsert()) return "";
  if (selector_->draws_once()) {
    const TransitionOptions& options = options_.replay.transition;
    return fmt::format("inserts wait for learners: {} {} in the queue{}, replay.insert_lead {}",
                       selector_->queued(), options.noun(),
                       options.unroll > 0 ? fmt::format(", {} time steps", QueuedSteps()) : "",
                       options_.replay.rate.insert_lead);
  }
  return fmt::format(
      "inserts wait for samples: {} time steps inserted, {} minibatches sampled, "
      "replay.insert_lead {}",
      limiter_.inserted(), limiter_.sampled(), options_.replay.rate.insert_lead);
}

std::string ReplayShard::WhyNoSample(std::size_t size) const {
  if (CanSample(size)) return "";
  if (selector_->draws_once()) {
    return fmt::format("samples wait for inserts: {} {} in the queue, {} make a minibatch",
                       selector_->queued(), options_.replay.transition.noun(),
                       FreshOf(options_.replay.selector, size));
  }
  const std::int64_t inserted = limiter_.inserted();
  if (inserted < options_.replay.rate.min_size) {
    return fmt::format("samples wait for inserts: {} of replay.min_size {} time steps", inserted,
                       options_.replay.rate.min_size);
  }
  if (selector_->size() == 0) return "samples wait for inserts: no transition is complete";
  return fmt::format(
      "samples wait for inserts: {} minibatches sampled of {} time steps, replay.updates_per_step "
      "{}",
      limiter_.sampled(), inserted, options_.replay.rate.updates_per_step);
}

StatusOr<ReplayShardSize> ReplayShard::Sample(int size, Deadline deadline, TransitionBatch& batch) {
  const auto wanted = static_cast<std::size_t>(size);
  Plan plan;
  ReplayShardSize now;
  batch.Resize(size, options_.observation.stacked_bytes(), options_.replay.transition.unroll);
  {
    const MutexLock lock(mutex_);
    if (!CanSample(wanted)) ++held_samples_;
    bool in_time = waiting_samples_ < options_.max_waiting_samples;
    ++waiting_samples_;
    while (!closed_ && !CanSample(wanted) && in_time) {
      in_time = inserts_changed_.WaitUntil(mutex_, deadline);
    }
    --waiting_samples_;
    if (closed_) return absl::UnavailableError("the replay shard is ending");
    if (!CanSample(wanted)) return absl::DeadlineExceededError(WhyNoSample(wanted));
    limiter_.OnSample();
    ++counters_.sampled;
    Draw(batch, plan);
    now = SizeNow();
  }
  Copy(plan, batch);
  const MutexLock lock(mutex_);
  for (const std::uint32_t slot : plan.pinned) store_.Unpin(slot);
  return now;
}

// Everything but the frames, which are pinned.
void ReplayShard::Draw(TransitionBatch& batch, Plan& plan) {
  const auto stack = static_cast<std::size_t>(options_.observation.stack);
  const auto unroll = static_cast<std::size_t>(options_.replay.transition.unroll);
  plan.drawn.resize(batch.keys.size());
  plan.frames.reserve(batch.keys.size() * (unroll > 0 ? unroll + stack : 2 * stack));
  selector_->Sample(random_, plan.drawn);
  for (std::size_t i = 0; i < plan.drawn.size(); ++i) {
    const std::uint32_t id = plan.drawn[i].id;
    const RowChunk& chunk = store_.chunk(store_.SlotOf(id));
    const std::int64_t offset = id % static_cast<std::uint32_t>(store_.chunk_rows());
    const std::int64_t start = chunk.first + offset;
    if (unroll > 0) {
      DrawUnroll(*chunk.stream, start, i, batch, plan);
    } else {
      DrawTransition(*chunk.stream, start, i, batch, plan);
    }
    batch.keys[i] = static_cast<std::uint64_t>(chunk.serial * store_.chunk_rows() + offset);
    batch.probabilities[i] = plan.drawn[i].probability;
    batch.games[i] = chunk.stream->game();
  }
}

void ReplayShard::DrawTransition(const ChunkedStream& stream, std::int64_t start, std::size_t i,
                                 TransitionBatch& batch, Plan& plan) {
  const NStepReturn sum = SumRewards(stream, start, options_.replay.transition);
  for (const std::int64_t state : {start, sum.end}) {
    VisitStack(stream, state, options_.observation.stack,
               [&](std::int64_t row) { PlanFrame(stream, row, plan); });
  }
  batch.a_tm1[i] = stream.action(start);
  batch.a_t[i] = ActionAt(stream, sum.end);
  batch.r_t[i] = static_cast<float>(sum.r_t);
  batch.discount_t[i] = static_cast<float>(sum.discount_t);
}

void ReplayShard::DrawUnroll(const ChunkedStream& stream, std::int64_t start, std::size_t i,
                             TransitionBatch& batch, Plan& plan) {
  const int length = options_.replay.transition.unroll;
  VisitStack(stream, start, options_.observation.stack,
             [&](std::int64_t row) { PlanFrame(stream, row, plan); });
  for (std::int64_t row = start + 1; row <= start + length; ++row) PlanFrame(stream, row, plan);
  FillUnroll(stream, start, options_.replay.transition, i, batch);
}

// A chunk is pinned once for neighbours in it.
void ReplayShard::PlanFrame(const ChunkedStream& stream, std::int64_t row, Plan& plan) {
  plan.frames.push_back(row == kNoRow ? kNoFrame : stream.Id(row));
  if (row == kNoRow) return;
  const std::uint32_t slot = store_.SlotOf(plan.frames.back());
  if (!plan.pinned.empty() && plan.pinned.back() == slot) return;
  store_.Pin(slot);
  plan.pinned.push_back(slot);
}

}  // namespace gorila
