// Fills a replay with frames of a game that is played by random actions, and says what it takes:
//
//   replay_fill GAME FRAMES none|zstd [BYTES]     BYTES: replay.compressed_frame_bytes
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/workload.h"
#include "gorila/metrics/resource_usage.h"

namespace gorila {
namespace {

constexpr int kMinibatches = 2000;

double Mebibytes(double bytes) { return bytes / (1 << 20); }

int Fill(std::string_view game, std::int64_t frames, const FrameStorageOptions& storage) {
  const double before = static_cast<double>(ResidentBytes());
  const double start = ThreadSeconds();
  const auto made = MakeGameReplay(game, frames, storage);
  if (!made.ok()) {
    fmt::print(stderr, "replay_fill: {}\n", made.status().ToString());
    return EXIT_FAILURE;
  }
  LocalReplay& replay = **made;
  const double filled = ThreadSeconds();
  const double resident = static_cast<double>(ResidentBytes()) - before;
  TransitionBatch batch;
  std::vector<double> milliseconds;
  for (int i = 0; i < kMinibatches; ++i) {
    const double begin = ThreadSeconds();
    const Status status = replay.Sample(kBenchmarkBatch, batch);
    GORILA_CHECK(status.ok(), "{}", status.ToString());
    milliseconds.push_back(1e3 * (ThreadSeconds() - begin));
  }
  const ReplaySize size = replay.Size();
  fmt::print(
      "{} of {} frames, {:.1f} bytes each; played and inserted in {:.1f} s of processor time\n",
      size.rows, size.capacity,
      static_cast<double>(replay.FrameBytes()) / static_cast<double>(size.rows), filled - start);
  fmt::print("resident: {:.0f} MiB\n", Mebibytes(resident));
  fmt::print("32 transitions: median {:.3f} ms, 90 % within {:.3f} ms of processor time\n",
             Percentile(milliseconds, 0.5), Percentile(milliseconds, 0.9));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace gorila

int main(int argc, char** argv) {
  const std::string_view compression = argc > 3 ? argv[3] : "";
  if (argc < 4 || argc > 5 || (compression != "none" && compression != "zstd")) {
    fmt::print(stderr, "usage: replay_fill GAME FRAMES none|zstd [BYTES]\n");
    return EXIT_FAILURE;
  }
  const bool zstd = compression == "zstd";
  return gorila::Fill(
      argv[1], std::atoll(argv[2]),
      {.compression = zstd ? gorila::FrameCompression::kZstd : gorila::FrameCompression::kNone,
       .compressed_frame_bytes = argc == 5 ? std::atoll(argv[4]) : 0});
}
