#include "gorila/env/plugin/plugin_environment.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/env/external/finite.h"
#include "gorila/env/external/observation_picture.h"
#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

// How the state of an episode was kept. In checkpoints.
enum class Kept : std::uint8_t { kNothing = 0, kState = 1, kActions = 2, kLost = 3 };

constexpr int kSeeds = std::numeric_limits<std::int32_t>::max();

std::string BytesOf(const Episode& episode) {
  StateWriter writer;
  episode.SaveState(writer);
  return writer.Take();
}

}  // namespace

PluginEnvironment::PluginEnvironment(PluginInstance instance, const RawObservation& raw,
                                     ObservationAdapter adapter, const EnvironmentSpec& spec,
                                     const EnvironmentOptions& options,
                                     std::unique_ptr<DrawSource> draws)
    : instance_(std::move(instance)),
      raw_(raw),
      raw_bytes_(raw_.bytes()),
      adapter_(std::move(adapter)),
      scratch_(static_cast<std::byte*>(
          ::operator new[](raw_bytes_, std::align_val_t{kPluginAlignment}))),
      draws_(std::move(draws)),
      spec_(spec),
      frame_bytes_(spec_.observation.frame_bytes()),
      max_steps_(options.max_episode_steps),
      exact_(options.external.exact),
      log_actions_(!instance_.library().has_state() && instance_.library().repeats_itself()),
      episode_(max_steps_) {
  GORILA_CHECK(draws_ != nullptr);
  const bool draws_nothing = instance_.library().api().render == nullptr;
  if (options.external.pictures && draws_nothing) seen_.resize(frame_bytes_);
}

StatusOr<std::unique_ptr<PluginEnvironment>> PluginEnvironment::Make(
    PluginInstance instance, const EnvironmentRecord& record, const EnvironmentSpec& spec,
    const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  GORILA_ASSIGN_OR_RETURN(
      ObservationAdapter adapter,
      ObservationAdapter::Make(record.observation, WithHint(options.external, record.layout)));
  return std::unique_ptr<PluginEnvironment>(
      new PluginEnvironment(std::move(instance), record.observation, std::move(adapter), spec,
                            options, std::move(draws)));
}

// Where the plug-in writes: at once to its place if nothing has to be converted.
std::byte* PluginEnvironment::RawBuffer(std::span<std::byte> observation) {
  GORILA_CHECK(observation.size() == frame_bytes_, "{} bytes", observation.size());
  const bool aligned = reinterpret_cast<std::uintptr_t>(observation.data()) % kPluginAlignment == 0;
  return aligned && adapter_.plain() ? observation.data() : scratch_.get();
}

Status PluginEnvironment::CheckRaw(const std::byte* raw) const {
  if (raw_.element != ElementType::kFloat32) return OkStatus();
  const std::span<const float> floats(reinterpret_cast<const float*>(raw),
                                      raw_bytes_ / sizeof(float));
  const std::size_t at = FirstNotFinite(floats);
  if (at == floats.size()) [[likely]]
    return OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: observation[{}] is {}; expected finite floats", instance_.library().label(),
                  at, floats[at]));
}

void PluginEnvironment::Deliver(const std::byte* raw, std::span<std::byte> observation) {
  if (raw != observation.data()) adapter_.Convert(Raw(raw), observation);
  if (!seen_.empty()) std::copy(observation.begin(), observation.end(), seen_.begin());
}

StatusOr<TimeStep> PluginEnvironment::Reset(std::span<std::byte> observation) {
  GORILA_RETURN_IF_ERROR(save_failure_);
  const auto seed = static_cast<std::uint64_t>(draws_->Integer(0, kSeeds));
  std::byte* const raw = RawBuffer(observation);
  GORILA_RETURN_IF_ERROR(instance_.Reset(seed, raw));
  GORILA_RETURN_IF_ERROR(CheckRaw(raw));
  if (log_actions_) log_.Begin(seed, Raw(raw));
  Deliver(raw, observation);
  begun_ = true;
  lost_ = false;
  return episode_.Begin();
}

StatusOr<TimeStep> PluginEnvironment::Step(int action, std::span<std::byte> observation) {
  GORILA_CHECK(action >= 0 && action < spec_.num_actions(), "action {}", action);
  if (lost_ || !save_failure_.ok()) [[unlikely]]
    return Await();
  std::byte* const raw = RawBuffer(observation);
  gorila_env_result result;
  GORILA_RETURN_IF_ERROR(instance_.Step(action, raw, result));
  GORILA_RETURN_IF_ERROR(CheckRaw(raw));
  const TimeStep now = episode_.Advance(static_cast<float>(result.reward), result.terminated != 0,
                                        result.truncated != 0);
  if (log_actions_) log_.Add(action, now, Raw(raw));
  Deliver(raw, observation);
  return now;
}

Status PluginEnvironment::Await() {
  if (lost_) [[unlikely]] {
    return EpisodeLost(
        fmt::format("{}: the episode could not be restored: the plug-in has no "
                    "state_save, and a replay would not give the same",
                    instance_.library().label()));
  }
  return save_failure_;
}

Status PluginEnvironment::Render(RgbImage& image) {
  if (!begun_) {
    return absl::FailedPreconditionError(
        fmt::format("{}: no picture before the first episode", instance_.library().label()));
  }
  if (seen_.empty()) return instance_.Render(image);
  DrawObservation(spec_.observation, seen_, image);
  return OkStatus();
}

void PluginEnvironment::SaveState(StateWriter& writer) const {
  const PluginLibrary& library = instance_.library();
  WriteEnvironmentName(writer, library.name());
  episode_.SaveState(writer);
  draws_->SaveState(writer);
  if (!begun_) {
    writer.Write(lost_ ? Kept::kLost : Kept::kNothing);
  } else if (library.has_state()) {
    StatusOr<std::string> state = instance_.SaveState();
    if (!state.ok()) save_failure_ = state.status();  // the next Step or Reset ends the run
    const std::string bytes = state.value_or("");
    writer.Write(Kept::kState);
    writer.WriteString(bytes);
    writer.Write(Crc32(bytes));
  } else if (log_actions_ && log_.complete()) {
    writer.Write(Kept::kActions);
    log_.SaveState(writer);
  } else {
    writer.Write(Kept::kLost);
  }
}

Status PluginEnvironment::RestoreState(StateReader& reader) {
  begun_ = false;
  lost_ = false;
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, instance_.library().name()));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(draws_->RestoreState(reader));
  Kept kept{};
  GORILA_RETURN_IF_ERROR(reader.Read(kept));
  switch (kept) {
    case Kept::kNothing:
      if (!episode_.running()) return OkStatus();
      return DataLoss("state of '{}' has an episode without its state", instance_.library().name());
    case Kept::kState:
      return RestoreOwnState(reader);
    case Kept::kActions:
      return RestoreByReplay(reader);
    case Kept::kLost:
      if (!episode_.running()) return OkStatus();
      return CannotContinue("its episode is not in the checkpoint");
  }
  return DataLoss("state of '{}' is kept in way {}, expected 0 to 3", instance_.library().name(),
                  static_cast<int>(kept));
}

Status PluginEnvironment::RestoreOwnState(StateReader& reader) {
  std::string state;
  std::uint32_t checksum = 0;
  GORILA_RETURN_IF_ERROR(reader.ReadString(state));
  GORILA_RETURN_IF_ERROR(reader.Read(checksum));
  // A plug-in in our process should not have to look at altered bytes.
  if (checksum != Crc32(state)) {
    return DataLoss("state of '{}' does not match its checksum", instance_.library().name());
  }
  if (!instance_.library().has_state()) {
    return DataLoss("{}: the state was saved by state_save, which it no longer has",
                    instance_.library().label());
  }
  // state_restore may rely on what reset prepares.
  GORILA_RETURN_IF_ERROR(instance_.Reset(0, scratch_.get()));
  GORILA_RETURN_IF_ERROR(instance_.RestoreState(state));
  begun_ = true;
  return OkStatus();
}

Status PluginEnvironment::RestoreByReplay(StateReader& reader) {
  ActionLog log;
  GORILA_RETURN_IF_ERROR(log.RestoreState(reader));
  Episode episode(max_steps_);
  GORILA_RETURN_IF_ERROR(log.CheckActions(0, spec_.num_actions() - 1));
  StatusOr<ActionLog> replayed = Replay(log, episode);
  if (!replayed.ok()) return CannotContinue(std::string(replayed.status().message()));
  if (replayed->checksum() != log.checksum()) return CannotContinue("it showed something else");
  if (BytesOf(episode) != BytesOf(episode_)) {
    return DataLoss("state of '{}': its episode does not have the steps of its actions",
                    instance_.library().name());
  }
  log_ = *std::move(replayed);
  begun_ = true;
  return OkStatus();
}

StatusOr<ActionLog> PluginEnvironment::Replay(const ActionLog& log, Episode& episode) {
  std::byte* const raw = scratch_.get();
  ActionLog replayed;
  GORILA_RETURN_IF_ERROR(instance_.Reset(log.seed(), raw));
  episode.Begin();
  replayed.Begin(log.seed(), Raw(raw));
  for (const std::int32_t action : log.actions()) {
    if (!episode.running()) return DataLoss("its episode ended earlier");
    gorila_env_result result;
    GORILA_RETURN_IF_ERROR(instance_.Step(action, raw, result));
    const TimeStep now = episode.Advance(static_cast<float>(result.reward), result.terminated != 0,
                                         result.truncated != 0);
    replayed.Add(action, now, Raw(raw));
  }
  return replayed;
}

// After a restore whose environment is in another state.
Status PluginEnvironment::CannotContinue(const std::string& why) {
  lost_ = episode_.running();
  if (!exact_) return OkStatus();
  return DataLoss(
      "{} does not repeat itself: when its episode was replayed from the seed and the actions, {}; "
      "a deterministic run cannot be resumed with it unless it has state_save",
      instance_.library().label(), why);
}

StatusOr<EnvironmentRecord> RecordOf(const PluginInstance& instance,
                                     const std::string& options_json) {
  GORILA_ASSIGN_OR_RETURN(const PluginSpec spec, instance.library().Spec(options_json));
  EnvironmentRecord record;
  record.observation = spec.observation;
  record.layout = spec.layout;
  record.repeats = instance.library().repeats_itself();
  for (int action = 0; action < spec.num_actions; ++action) {
    record.action_names.push_back(instance.ActionName(action));
  }
  return record;
}

namespace {

class PluginFactory final : public ExternalFactory {
 public:
  PluginFactory(PluginInstance first, EnvironmentRecord record, EnvironmentSpec spec,
                const EnvironmentOptions& options)
      : library_(first.shared_library()),
        first_(std::move(first)),
        record_(std::move(record)),
        spec_(std::move(spec)),
        options_(options) {}

  const EnvironmentRecord& record() const override { return record_; }
  StatusOr<std::unique_ptr<Environment>> Make(std::unique_ptr<DrawSource> draws) override {
    if (!first_.has_value()) {
      GORILA_ASSIGN_OR_RETURN(first_, PluginInstance::Make(library_, options_.external.kwargs));
    }
    PluginInstance instance = *std::exchange(first_, std::nullopt);
    return PluginEnvironment::Make(std::move(instance), record_, spec_, options_, std::move(draws));
  }

 private:
  const std::shared_ptr<const PluginLibrary> library_;
  std::optional<PluginInstance> first_;  // the one that was asked for names
  const EnvironmentRecord record_;
  const EnvironmentSpec spec_;
  const EnvironmentOptions options_;
};

}  // namespace

StatusOr<std::unique_ptr<ExternalFactory>> MakePluginFactory(std::string_view path,
                                                             const EnvironmentOptions& options) {
  GORILA_ASSIGN_OR_RETURN(auto library, PluginLibrary::Load(path));
  if (library->needs_own_process()) {
    return InvalidArgument(
        "{} needs a process of its own (GORILA_ENV_OWN_PROCESS); use plugin-process:{}",
        library->label(), path);
  }
  const std::string name = fmt::format("plugin:{}", path);
  const ExternalOptions& external = options.external;
  GORILA_ASSIGN_OR_RETURN(PluginInstance instance,
                          PluginInstance::Make(std::move(library), external.kwargs));
  GORILA_ASSIGN_OR_RETURN(EnvironmentRecord record, RecordOf(instance, external.kwargs));
  GORILA_RETURN_IF_ERROR(CheckRecord(name, record, external));
  GORILA_ASSIGN_OR_RETURN(EnvironmentSpec spec, SpecOfRecord(name, record, external));
  return std::make_unique<PluginFactory>(std::move(instance), std::move(record), std::move(spec),
                                         options);
}

}  // namespace gorila
