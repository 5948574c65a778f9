#include "gorila/simulation/replay_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/sharded_replay.h"
#include "gorila/simulation/agents.h"
#include "gorila/simulation/parse.h"

namespace gorila::simulation {

void ReplayOracle::Handled(ProcessId server, ProcessId client, const rpc::CallOptions& call,
                           const rpc::Response* response) {
  if (response == nullptr) return;
  ++calls_of_[client];
  if (call.method == kReplayInsertMethod) {
    CheckInsert(server, client, Parse<v1::InsertRequest>(call.header),
                Parse<v1::InsertResponse>(response->header));
  } else if (call.method == kReplaySampleMethod) {
    CheckSample(server, Parse<v1::SampleResponse>(response->header), *response->payload);
  }
}

void ReplayOracle::LoseState(int shard) {
  std::erase_if(generations_, [shard](const auto& entry) { return entry.first.first == shard; });
}

// The rows of a run that were there already come first.
void ReplayOracle::CheckInsert(ProcessId server, ProcessId client, const v1::InsertRequest& insert,
                               const v1::InsertResponse& response) {
  counters_.accepted += response.accepted();
  counters_.repeated += response.repeated();
  accepted_of_[client] += response.accepted();
  GORILA_CHECK(insert.runs_size() == 1, "{} runs", insert.runs_size());
  const v1::RowRun& run = insert.runs(0);
  const std::int64_t first = run.first() + response.repeated();
  const std::int64_t end = first + response.accepted();
  counters_.held += run.first() + run.rows() - end;
  if (end > run.first() + run.rows()) {
    violated_(fmt::format("replay shard {} took {} rows of {}", shard_of_.at(server),
                          response.accepted() + response.repeated(), run.rows()));
  }
  if (end > first) AddStretch(server, run, first, end);
}

// The first of the rows in [first, end) that is in one of `stretches`; `end` when there is none.
std::int64_t ReplayOracle::FirstOf(const Stretches& stretches, std::int64_t first,
                                   std::int64_t end) {
  const auto after = stretches.upper_bound(first);
  if (after != stretches.begin() && std::prev(after)->second > first) return first;
  return after == stretches.end() ? end : std::min(after->first, end);
}

void ReplayOracle::AddStretch(ProcessId server, const v1::RowRun& run, std::int64_t first,
                              std::int64_t end) {
  std::map<ProcessId, Stretches>& stream = streams_[{run.life(), run.stream()}];
  const int here = shard_of_.at(server);
  for (const auto& [process, stretches] : stream) {
    const int there = shard_of_.at(process);
    if (here == there && process != server) continue;  // it forgot them with its process
    const std::int64_t row = FirstOf(stretches, first, end);
    if (row == end) continue;
    violated_(fmt::format("time step {} of stream {} of life {:x} is in replay shards {} and {}",
                          row, run.stream(), run.life(), there, here));
  }
  Stretches& stretches = stream[server];
  const auto next = stretches.lower_bound(first);
  if (next != stretches.begin() && std::prev(next)->second == first) {
    std::prev(next)->second = end;
  } else {
    stretches[first] = end;
  }
}

void ReplayOracle::CheckSample(ProcessId server, const v1::SampleResponse& response,
                               const rpc::Payload& payload) {
  ++counters_.minibatches;
  const int shard = shard_of_.at(server);
  const auto count = static_cast<std::size_t>(response.transitions());
  const std::size_t bytes = SimulatedObservation().stacked_bytes();
  const std::span<const std::byte> states = payload.bytes().last(2 * count * bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto steps =
        StepsBetween(states.subspan(i * bytes, bytes), states.subspan((count + i) * bytes, bytes));
    if (steps.ok() && *steps <= rules_.n_step) continue;
    violated_(fmt::format("replay shard {}: {}", shard,
                          steps.ok() ? fmt::format("a transition of {} steps", *steps)
                                     : std::string(steps.status().message())));
  }
  const v1::ReplayShardSize& size = response.size();
  const double paid =
      static_cast<double>(std::max<std::int64_t>(size.inserted() - rules_.min_size, 0)) *
      rules_.updates_per_step;
  if (static_cast<double>(size.sampled()) > paid + 1) {
    violated_(fmt::format("replay shard {}: {} minibatches, of {} that {} rows pay for", shard,
                          size.sampled(), paid, size.inserted()));
  }
  const auto [known, is_new] = generations_.try_emplace({shard, size.generation()}, server);
  if (is_new) ++counters_.generations;
  if (known->second != server) {
    violated_(fmt::format("replay shard {}: processes {} and {} both serve generation {}", shard,
                          known->second, server, size.generation()));
  }
}

void ReplayOracle::Reported(ProcessId client, const v1::RoleStatus& status) {
  if (status.role() != "actor") return;
  const auto count = [&status](const char* name) {
    const auto found = status.counters().find(name);
    return found == status.counters().end() ? 0 : found->second;
  };
  const std::int64_t accepted = count("rows_accepted"), lost = count("rows_lost");
  if (std::int64_t& before = lost_of_[client]; lost > before) {
    counters_.lost += lost - std::exchange(before, lost);
  }
  const std::int64_t unsent = count("rows") - accepted - lost;
  // Of each stream as many as are sent together.
  const std::int64_t most = ShardedReplayOptions().insert_rows * kActorEnvironments;
  if (unsent < 0 || unsent > most) {
    violated_(
        fmt::format("actor {}: {} rows, {} accepted and {} lost: {} are on their way; "
                    "expected 0 to {}",
                    status.index(), count("rows"), accepted, lost, unsent, most));
  }
  if (accepted > accepted_of_[client]) {
    violated_(fmt::format("actor {} counts {} rows as accepted, of {} that shards took",
                          status.index(), accepted, accepted_of_[client]));
  }
}

}  // namespace gorila::simulation
