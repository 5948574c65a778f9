// Several environments of one kind, as gorila.h hands them out.
#ifndef GORILA_LIBRARY_ENVIRONMENT_SET_H_
#define GORILA_LIBRARY_ENVIRONMENT_SET_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gorila/agent/frame_stacker.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/env/environment.h"
#include "gorila/env/environment_factory.h"
#include "gorila/library/gorila.h"

// Used by one thread at a time. Pointers and sizes are checked by the functions of gorila.h.
struct gorila_environments {
 public:
  // Of config.environment, each with a random stream of its own derived from `seed`.
  static gorila::StatusOr<std::unique_ptr<gorila_environments>> Make(const gorila::Config& config,
                                                                     int count, std::uint64_t seed,
                                                                     bool autoreset);

  std::size_t count() const { return seats_.size(); }
  const gorila::EnvironmentSpec& spec() const { return spec_; }

  // Where `mask` is not 0; it and `seeds` may be null.
  gorila::Status Reset(const std::uint64_t* seeds, const std::uint8_t* mask,
                       std::span<std::byte> observations);

  struct Stepped {
    std::span<std::byte> observations;
    double* rewards;
    std::uint8_t* terminated;
    std::uint8_t* truncated;
    std::byte* final_observations;  // may be null
  };
  // InvalidArgument, before anything is stepped, for an action that does not exist or an
  // environment whose episode is over.
  gorila::Status Step(std::span<const std::int64_t> actions, const Stepped& stepped);

  gorila::Status Render(std::size_t index, gorila::RgbImage& image) const;

  gorila::StatusOr<std::string> SaveState(std::size_t index) const;
  gorila::Status RestoreState(std::size_t index, std::string_view state,
                              std::span<std::byte> observation);

 private:
  struct Seat {
    std::unique_ptr<gorila::Environment> environment;  // null when it could not be made again
    bool running = false;                              // whether it may be stepped
  };

  gorila_environments(std::unique_ptr<gorila::EnvironmentFactory> factory, bool autoreset)
      : factory_(std::move(factory)), autoreset_(autoreset) {}

  gorila::Status MakeSeat(std::size_t index, gorila::RandomStream stream);
  gorila::Status CheckMade(std::size_t index) const;
  gorila::Status Begin(std::size_t index);
  gorila::Status CheckActions(std::span<const std::int64_t> actions) const;
  gorila::Status StepSeat(std::size_t index, std::int64_t action, const Stepped& stepped);
  void CopyStack(std::size_t index, std::byte* rows) const;
  // Says which one failed, where there are several.
  gorila::Status Named(std::size_t index, const gorila::Status& status) const;

  const std::unique_ptr<gorila::EnvironmentFactory> factory_;
  const bool autoreset_;
  gorila::EnvironmentSpec spec_;
  std::vector<Seat> seats_;
  std::unique_ptr<gorila::FrameStacks> stacks_;
};

#endif  // GORILA_LIBRARY_ENVIRONMENT_SET_H_
