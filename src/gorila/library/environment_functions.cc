// The functions of gorila.h about environments.
#include <cstring>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/env/registry.h"
#include "gorila/library/call.h"
#include "gorila/library/environment_set.h"
#include "gorila/library/gorila.h"
#include "gorila/library/network_handle.h"
#include "gorila/library/settings.h"

using gorila::InvalidArgument;
using gorila::OkStatus;
using gorila::Status;
using gorila::library::Call;

namespace {

constexpr std::int32_t kMostEnvironments = 65536;

Status Make(gorila::Config config, std::span<const char* const> settings, std::int32_t count,
            std::uint64_t seed, std::uint32_t flags, gorila_environments** environments) {
  if (environments == nullptr) return InvalidArgument("environments is NULL");
  if (count < 1 || count > kMostEnvironments) {
    return InvalidArgument("count is {}; expected 1 to {}", count, kMostEnvironments);
  }
  if ((flags & ~std::uint32_t{GORILA_NO_AUTORESET}) != 0) {
    return InvalidArgument("flags is {}; expected 0 or GORILA_NO_AUTORESET", flags);
  }
  GORILA_RETURN_IF_ERROR(gorila::library::ApplyEnvironmentSettings(settings, config));
  GORILA_RETURN_IF_ERROR(gorila::UseRomsVariable(config));
  GORILA_ASSIGN_OR_RETURN(auto made, gorila_environments::Make(config, count, seed,
                                                               (flags & GORILA_NO_AUTORESET) == 0));
  *environments = made.release();
  return OkStatus();
}

Status CheckIndex(const gorila_environments* environments, std::int32_t index) {
  if (environments == nullptr) return InvalidArgument("environments is NULL");
  if (index >= 0 && static_cast<std::size_t>(index) < environments->count()) return OkStatus();
  return InvalidArgument("environment {} of {}", index, environments->count());
}

std::size_t ObservationBytes(const gorila_environments* environments) {
  return environments->spec().observation.stacked_bytes();
}

std::span<std::byte> Observations(const gorila_environments* environments, void* observations,
                                  std::size_t count) {
  return {static_cast<std::byte*>(observations), count * ObservationBytes(environments)};
}

// Into a buffer that may be absent.
Status CopyOut(std::span<const char> bytes, void* buffer, std::size_t capacity) {
  if (buffer == nullptr) return OkStatus();
  if (capacity < bytes.size()) {
    return InvalidArgument("a buffer of {} bytes; it takes {}", capacity, bytes.size());
  }
  std::memcpy(buffer, bytes.data(), bytes.size());
  return OkStatus();
}

}  // namespace

extern "C" {

const char* gorila_environment_name(size_t index) {
  const auto rows = gorila::EnvironmentTable();
  return index < rows.size() ? rows[index].name.data() : nullptr;
}

std::int32_t gorila_environments_make(const char* name, const char* const* settings,
                                      size_t num_settings, std::int32_t count, std::uint64_t seed,
                                      std::uint32_t flags, gorila_environments** environments) {
  return Call([&]() -> Status {
    if (name == nullptr) return InvalidArgument("name is NULL");
    GORILA_ASSIGN_OR_RETURN(const auto texts, gorila::library::SettingsOf(settings, num_settings));
    gorila::Config config;
    config.environment.name = name;
    return Make(std::move(config), texts, count, seed, flags, environments);
  });
}

std::int32_t gorila_environments_of_network(const gorila_network* network,
                                            const char* const* settings, size_t num_settings,
                                            std::int32_t count, std::uint64_t seed,
                                            std::uint32_t flags,
                                            gorila_environments** environments) {
  return Call([&]() -> Status {
    if (network == nullptr) return InvalidArgument("network is NULL");
    GORILA_RETURN_IF_ERROR(network->CheckGame());
    GORILA_ASSIGN_OR_RETURN(const auto texts, gorila::library::SettingsOf(settings, num_settings));
    return Make(network->config(), texts, count, seed, flags, environments);
  });
}

void gorila_environments_free(gorila_environments* environments) { delete environments; }

std::int32_t gorila_environments_spec(const gorila_environments* environments, gorila_spec* spec) {
  return Call([&]() -> Status {
    if (environments == nullptr) return InvalidArgument("environments is NULL");
    return gorila::library::FillSpec(environments->spec().observation,
                                     environments->spec().num_actions(), spec);
  });
}

const char* gorila_environments_action_name(const gorila_environments* environments,
                                            std::int32_t action) {
  const auto& names = environments->spec().action_names;
  if (action < 0 || static_cast<std::size_t>(action) >= names.size()) return nullptr;
  return names[static_cast<std::size_t>(action)].c_str();
}

std::int32_t gorila_environments_reset(gorila_environments* environments,
                                       const std::uint64_t* seeds, const std::uint8_t* mask,
                                       void* observations) {
  return Call([&]() -> Status {
    if (environments == nullptr || observations == nullptr) {
      return InvalidArgument("environments or observations is NULL");
    }
    return environments->Reset(seeds, mask,
                               Observations(environments, observations, environments->count()));
  });
}

std::int32_t gorila_environments_step(gorila_environments* environments,
                                      const std::int64_t* actions, void* observations,
                                      double* rewards, std::uint8_t* terminated,
                                      std::uint8_t* truncated, void* final_observations) {
  return Call([&]() -> Status {
    if (environments == nullptr || actions == nullptr || observations == nullptr ||
        rewards == nullptr || terminated == nullptr || truncated == nullptr) {
      return InvalidArgument("an argument is NULL that must not be");
    }
    return environments->Step(
        {actions, environments->count()},
        {.observations = Observations(environments, observations, environments->count()),
         .rewards = rewards,
         .terminated = terminated,
         .truncated = truncated,
         .final_observations = static_cast<std::byte*>(final_observations)});
  });
}

std::int32_t gorila_environments_render(gorila_environments* environments, std::int32_t index,
                                        std::uint8_t* pixels, size_t bytes, std::int32_t* height,
                                        std::int32_t* width) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckIndex(environments, index));
    if (height == nullptr || width == nullptr) return InvalidArgument("height or width is NULL");
    gorila::RgbImage image;
    GORILA_RETURN_IF_ERROR(environments->Render(static_cast<std::size_t>(index), image));
    *height = image.height;
    *width = image.width;
    return CopyOut({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()},
                   pixels, bytes);
  });
}

std::int32_t gorila_environments_save(gorila_environments* environments, std::int32_t index,
                                      void* state, size_t capacity, size_t* needed) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckIndex(environments, index));
    if (needed == nullptr) return InvalidArgument("needed is NULL");
    GORILA_ASSIGN_OR_RETURN(const std::string bytes,
                            environments->SaveState(static_cast<std::size_t>(index)));
    *needed = bytes.size();
    return CopyOut(bytes, state, capacity);
  });
}

std::int32_t gorila_environments_restore(gorila_environments* environments, std::int32_t index,
                                         const void* state, size_t bytes, void* observation) {
  return Call([&]() -> Status {
    GORILA_RETURN_IF_ERROR(CheckIndex(environments, index));
    if (state == nullptr || observation == nullptr) {
      return InvalidArgument("state or observation is NULL");
    }
    return environments->RestoreState(static_cast<std::size_t>(index),
                                      {static_cast<const char*>(state), bytes},
                                      Observations(environments, observation, 1));
  });
}

}  // extern "C"
