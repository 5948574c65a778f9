// What roles report of a run, as shard 0 keeps it without knowing what it means.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_CLIENT_REPORTS_H_
#define GORILA_PARAMETER_SERVER_REMOTE_CLIENT_REPORTS_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/v1/parameter_server.pb.h"

namespace gorila {

// Reports come to the shard because every role knows it; they are kept by whoever coordinates the
// run. Called under the shard's lock: not thread-safe, and nothing in it may block.
class ClientReports {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  virtual ~ClientReports() = default;

  // Takes over what is new; gives the number of the client's episodes taken so far. InvalidArgument
  // for a report that cannot be; then nothing has changed.
  virtual StatusOr<std::int64_t> Report(const v1::ReportRequest& report, TimePoint now) = 0;

  // Environment frames of all clients there ever were.
  virtual std::int64_t run_frames() const = 0;

  // Adds frames of each game, and episodes from number `first` on, as far as they are remembered,
  // with their first number.
  virtual void AddProgress(std::int64_t first, v1::ProgressResponse& response) const = 0;

  // The last report of each client heard of within `forget_after`.
  virtual std::vector<v1::RoleStatus> Clients(TimePoint now,
                                              std::chrono::seconds forget_after) const = 0;

  // How long a client waits from one report to the next, so that all of them together are no burden
  // for the shard.
  virtual std::chrono::milliseconds ReportEvery(TimePoint) {
    return std::chrono::milliseconds(200);
  }

  // Part of the shard's snapshot.
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_CLIENT_REPORTS_H_
