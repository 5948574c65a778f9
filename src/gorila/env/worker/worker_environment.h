// Environments in worker processes: gymnasium:..., python:..., plugin-process:...
#ifndef GORILA_ENV_WORKER_WORKER_ENVIRONMENT_H_
#define GORILA_ENV_WORKER_WORKER_ENVIRONMENT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"
#include "gorila/env/external/external_factory.h"
#include "gorila/env/external/external_name.h"
#include "gorila/env/worker/worker.h"

namespace gorila {

// The workers of one factory: an environment takes the first free seat, and another worker is
// started when there is none. Used by one thread at a time.
class WorkerGroup {
 public:
  // Starts the first worker. Errors as Worker::Start's; InvalidArgument where the environment is
  // not what options.external.record says.
  static StatusOr<std::shared_ptr<WorkerGroup>> Start(const WorkerSetup& setup);

  struct Place {
    Worker* worker;
    int seat;
  };
  StatusOr<Place> TakeSeat();
  // Lets every worker begin with what was submitted to it.
  void RingAll();

  const EnvironmentRecord& record() const { return workers_.front()->record(); }
  const EnvironmentDetails& details() const { return workers_.front()->details(); }
  const WorkerSetup& setup() const { return setup_; }

 private:
  explicit WorkerGroup(const WorkerSetup& setup) : setup_(setup) {}

  const WorkerSetup setup_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Seeds: one Integer(0, 2^31 - 1) of its draws for each reset with a seed, drawn when the step
// before it is submitted. SaveState keeps the log of actions (ActionLog), from which RestoreState
// brings the environment back; DataLoss where that does not repeat itself and
// options.external.exact, otherwise the episode is lost.
class WorkerEnvironment final : public Environment {
 public:
  WorkerEnvironment(std::shared_ptr<WorkerGroup> group, const WorkerGroup::Place& place,
                    const EnvironmentSpec& spec, int max_episode_steps,
                    std::unique_ptr<DrawSource> draws);
  ~WorkerEnvironment() override;

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  void Submit(int action) override;
  Status Await() override;
  Status Render(RgbImage& image) override;
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  const ExternalOptions& options() const { return group_->setup().options; }
  std::uint64_t NextSeed();
  bool ReseedIsDue(std::size_t steps) const;

  const std::shared_ptr<WorkerGroup> group_;
  Worker& worker_;
  const int seat_;
  const EnvironmentSpec spec_;
  const std::unique_ptr<DrawSource> draws_;
  Episode episode_;
  std::optional<std::uint64_t> next_seed_;  // drawn, and not used yet
  std::optional<int> submitted_;
  bool done_ = false;            // what was submitted
  RgbImage picture_;             // the last one that it drew
  std::vector<std::byte> seen_;  // the last observation, where pictures are drawn of it
};

// `name`: one of the kinds that have a process. The factory starts the first worker.
StatusOr<std::unique_ptr<ExternalFactory>> MakeWorkerFactory(const ExternalName& name,
                                                             const EnvironmentOptions& options);

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_WORKER_ENVIRONMENT_H_
