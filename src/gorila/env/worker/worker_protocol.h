// What a process that hosts environments (a worker) and this one say to each other. The worker of
// Python environments is python/worker/gorila_worker.py, that of plug-ins plugin_worker.h.
//
// The worker has four files: 3 brings requests, 4 takes answers, 5 is memory that both map, and 6
// ends when this process does. All numbers are little-endian.
//
//   request                                   answer
//   'J', size (u32), JSON: what to make       'J', size, JSON: what it is, or 'E', size, JSON
//   'J', size, JSON: the layout of memory     'J', size, JSON {"ready": true}
//   'S': execute the commands in memory       'S', or 'F', size, JSON: {"seat": what went wrong}
//   'R', seat (u32): a picture                'P', height, width (u32), RGB bytes, or 'E', size,
//   JSON
//
// What to make: protocol, kind (gymnasium, python or plugin), target, kwargs, wrappers, pictures
// (whether 'R' will come). What it is: an EnvironmentRecord, and optionally versions,
// dtype and most_seats (environments that one process can have). An 'E' has {"error": what is
// wrong}.
//
// A worker has seats for several environments. One 'S' executes the commands of all seats that have
// one, in the order of the seats, and clears them. At the end of an episode the worker writes the
// final observation, then resets and writes the first one of the next episode beside it: both come
// in one round trip.
#ifndef GORILA_ENV_WORKER_WORKER_PROTOCOL_H_
#define GORILA_ENV_WORKER_WORKER_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

namespace gorila {

inline constexpr int kWorkerProtocol = 1;

inline constexpr int kWorkerRequests = 3;
inline constexpr int kWorkerAnswers = 4;
inline constexpr int kWorkerMemory = 5;
inline constexpr int kWorkerLifeline = 6;

enum class SeatCommand : std::uint8_t {
  kNone = 0,
  kStep = 1,         // with `action`; a reset that follows takes `seed` where `reseed` is 1
  kResetSeeded = 2,  // with `seed`; writes the place of first observations
  kReset = 3,
  kRemake = 4  // the next command makes the environment anew
};

// What a step or a reset left in `flags`.
inline constexpr std::uint8_t kSeatTerminated = 1;
inline constexpr std::uint8_t kSeatTruncated = 2;
inline constexpr std::uint8_t kSeatFailed = 4;  // an exception: trying again may help
inline constexpr std::uint8_t kSeatBroken = 8;  // the environment breaks its own promises
// Set during the reset that follows an episode's end, so that the parent allows the time of a
// reset.
inline constexpr std::uint8_t kSeatResets = 16;

// Where the arrays are in the memory, in bytes; each begins at a multiple of kAlignment and has an
// element for each seat. Observations are as the environment writes them, `stride` bytes apart.
struct WorkerLayout {
  static constexpr std::size_t kAlignment = 64;

  int seats = 0;
  std::size_t stride = 0;
  std::size_t command = 0;      // uint8
  std::size_t reseed = 0;       // uint8
  std::size_t flags = 0;        // uint8
  std::size_t action = 0;       // int64, from 0
  std::size_t seed = 0;         // uint64
  std::size_t reward = 0;       // float64
  std::size_t observation = 0;  // after a step
  std::size_t first = 0;        // after a reset
  std::size_t size = 0;

  static WorkerLayout Make(int seats, std::size_t observation_bytes);
};

inline WorkerLayout WorkerLayout::Make(int seats, std::size_t observation_bytes) {
  const auto round = [](std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  };
  const auto count = static_cast<std::size_t>(seats);
  WorkerLayout layout{.seats = seats, .stride = round(observation_bytes)};
  std::size_t end = 0;
  const auto place = [&](std::size_t& offset, std::size_t bytes) {
    offset = end;
    end += round(bytes);
  };
  place(layout.command, count);
  place(layout.reseed, count);
  place(layout.flags, count);
  place(layout.action, count * sizeof(std::int64_t));
  place(layout.seed, count * sizeof(std::uint64_t));
  place(layout.reward, count * sizeof(double));
  place(layout.observation, count * layout.stride);
  place(layout.first, count * layout.stride);
  layout.size = end;
  return layout;
}

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_WORKER_PROTOCOL_H_
