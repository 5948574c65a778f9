// Shared libraries with environments (gorila_env.h), and the environments they make, as they are:
// raw observations into buffers of the caller. PluginEnvironment makes an Environment of one.
#ifndef GORILA_ENV_PLUGIN_PLUGIN_LIBRARY_H_
#define GORILA_ENV_PLUGIN_PLUGIN_LIBRARY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/env/external/external_options.h"
#include "gorila/env/external/observation_adapter.h"
#include "gorila/env/plugin/gorila_env.h"
#include "gorila/env/rgb_image.h"

namespace gorila {

inline constexpr std::size_t kPluginAlignment = 64;  // of observation buffers

// What a plug-in says of its environments; the numbers have been checked, sides of the shape not.
struct PluginSpec {
  RawObservation observation;
  PictureLayout layout = PictureLayout::kAuto;  // a hint
  int num_actions = 0;
};

// Thread-safe. Never unloaded: libraries leave thread-local objects and threads behind.
class PluginLibrary {
 public:
  // Runs the library's own initialisation. NotFound or InvalidArgument for what is not a plug-in.
  static StatusOr<std::shared_ptr<const PluginLibrary>> Load(std::string_view path);
  // For a table in the program itself; `path` stands for it in messages.
  static StatusOr<std::shared_ptr<const PluginLibrary>> FromTable(const gorila_env_api* table,
                                                                  std::string_view path);

  const std::string& path() const { return path_; }  // absolute
  std::string_view name() const { return api_.name; }
  // "plug-in '/games/libmaze.so' (maze 1.0)", the beginning of every message.
  const std::string& label() const { return label_; }
  bool needs_own_process() const { return (api_.flags & GORILA_ENV_OWN_PROCESS) != 0; }
  bool repeats_itself() const { return (api_.flags & GORILA_ENV_NOT_DETERMINISTIC) == 0; }
  bool has_state() const { return api_.state_size != nullptr; }
  // Functions that the library does not have are null.
  const gorila_env_api& api() const { return api_; }

  // InvalidArgument for options that the plug-in refuses, and for a description that cannot be.
  StatusOr<PluginSpec> Spec(const std::string& options_json) const;

 private:
  PluginLibrary() = default;

  std::string path_;
  std::string label_;
  gorila_env_api api_{};
};

// One environment of a library, used by one thread at a time. Exceptions and nonzero codes become a
// Status; calls run in C's default floating-point environment.
class PluginInstance {
 public:
  static StatusOr<PluginInstance> Make(std::shared_ptr<const PluginLibrary> library,
                                       const std::string& options_json);

  const PluginLibrary& library() const { return *library_; }
  const std::shared_ptr<const PluginLibrary>& shared_library() const { return library_; }

  // `observation` has the bytes of the spec and is aligned to kPluginAlignment.
  Status Reset(std::uint64_t seed, std::byte* observation);
  // Refuses a reward that is not a finite float, and flags other than 0 and 1.
  Status Step(std::int32_t action, std::byte* observation, gorila_env_result& result);

  // Only where library().has_state().
  StatusOr<std::string> SaveState() const;
  Status RestoreState(std::string_view state);

  // Unimplemented where the plug-in draws nothing. `image` keeps its memory.
  Status Render(RgbImage& image) const;
  // "action 3" where the plug-in has no name for it.
  std::string ActionName(int action) const;

 private:
  struct Destroy {
    const PluginLibrary* library;
    void operator()(gorila_env* env) const;
  };

  PluginInstance(std::shared_ptr<const PluginLibrary> library, gorila_env* env)
      : library_(std::move(library)), env_(env, Destroy{library_.get()}) {}

  std::shared_ptr<const PluginLibrary> library_;
  std::unique_ptr<gorila_env, Destroy> env_;
};

}  // namespace gorila

#endif  // GORILA_ENV_PLUGIN_PLUGIN_LIBRARY_H_
