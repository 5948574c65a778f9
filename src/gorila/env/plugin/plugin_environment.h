// A plug-in's environment behind our seam.
#ifndef GORILA_ENV_PLUGIN_PLUGIN_ENVIRONMENT_H_
#define GORILA_ENV_PLUGIN_PLUGIN_ENVIRONMENT_H_

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"
#include "gorila/env/external/action_log.h"
#include "gorila/env/external/external_factory.h"
#include "gorila/env/external/observation_adapter.h"
#include "gorila/env/plugin/plugin_library.h"

namespace gorila {

// Draws one Integer at Reset, the episode's seed. Its state is the plug-in's own where it can be
// saved; otherwise the episode's seed and actions, replayed by RestoreState. When the replay shows
// anything else, or there is nothing to replay (GORILA_ENV_NOT_DETERMINISTIC, an episode of more
// than ActionLog::kMostActions), RestoreState gives DataLoss if options.external.exact; otherwise
// the episode is lost: Await and Step say so, and Reset begins another. Not thread-safe.
class PluginEnvironment final : public Environment {
 public:
  // `record` is RecordOf(instance), `spec` SpecOfRecord of it with the options.
  static StatusOr<std::unique_ptr<PluginEnvironment>> Make(PluginInstance instance,
                                                           const EnvironmentRecord& record,
                                                           const EnvironmentSpec& spec,
                                                           const EnvironmentOptions& options,
                                                           std::unique_ptr<DrawSource> draws);

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  Status Await() override;
  Status Render(RgbImage& image) override;
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  struct Free {
    void operator()(std::byte* bytes) const {
      ::operator delete[](bytes, std::align_val_t{kPluginAlignment});
    }
  };

  PluginEnvironment(PluginInstance instance, const RawObservation& raw, ObservationAdapter adapter,
                    const EnvironmentSpec& spec, const EnvironmentOptions& options,
                    std::unique_ptr<DrawSource> draws);
  std::byte* RawBuffer(std::span<std::byte> observation);
  std::span<const std::byte> Raw(const std::byte* raw) const { return {raw, raw_bytes_}; }
  Status CheckRaw(const std::byte* raw) const;
  void Deliver(const std::byte* raw, std::span<std::byte> observation);
  Status RestoreOwnState(StateReader& reader);
  Status RestoreByReplay(StateReader& reader);
  StatusOr<ActionLog> Replay(const ActionLog& log, Episode& episode);
  Status CannotContinue(const std::string& why);

  PluginInstance instance_;
  const RawObservation raw_;
  const std::size_t raw_bytes_;
  ObservationAdapter adapter_;
  const std::unique_ptr<std::byte[], Free> scratch_;  // a raw observation
  const std::unique_ptr<DrawSource> draws_;
  const EnvironmentSpec spec_;
  const std::size_t frame_bytes_;
  const int max_steps_;
  const bool exact_;
  const bool log_actions_;
  Episode episode_;
  ActionLog log_;
  bool begun_ = false;           // the instance has an episode, running or over
  bool lost_ = false;            // the episode that runs could not be restored
  std::vector<std::byte> seen_;  // what Render draws if the plug-in draws nothing
  mutable Status save_failure_;
};

// What a plug-in's environment says of itself.
StatusOr<EnvironmentRecord> RecordOf(const PluginInstance& instance,
                                     const std::string& options_json);

// Of the library at `path`, loaded here; refuses one that needs a process of its own.
StatusOr<std::unique_ptr<ExternalFactory>> MakePluginFactory(std::string_view path,
                                                             const EnvironmentOptions& options);

}  // namespace gorila

#endif  // GORILA_ENV_PLUGIN_PLUGIN_ENVIRONMENT_H_
