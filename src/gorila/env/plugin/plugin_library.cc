#include "gorila/env/plugin/plugin_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <exception>
#include <filesystem>

#include "gorila/base/default_float_environment.h"
#include "gorila/env/plugin/library_file.h"

namespace gorila {
namespace {

constexpr char kSymbol[] = "gorila_env_get_api";
constexpr std::size_t kRequiredBytes = offsetof(gorila_env_api, step_many);
constexpr std::uint32_t kMostTableBytes = 1 << 16;
constexpr std::uint64_t kMostStateBytes = 1 << 30;
constexpr int kMostActions = 65536;
constexpr int kMostPixels = 4096;  // a side
constexpr int kThrew = -0x7fffffff;

// A plug-in's words: one line.
std::string OneLine(const char* text, std::size_t most) {
  std::string line(text, ::strnlen(text, most));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return line;
}

// Runs a call of the plug-in; its code, or kThrew with the exception's words.
template <typename Function>
int Guarded(gorila_env_error& error, const Function& function) {
  error.text[0] = 0;
  const DefaultFloatEnvironment floats;
  try {
    return function();
  } catch (const std::exception& thrown) {
    std::snprintf(error.text, sizeof error.text, "%s", thrown.what());
  } catch (...) {
    std::snprintf(error.text, sizeof error.text, "of a type that says nothing");
  }
  return kThrew;
}

// "step failed with code 7: out of fuel".
std::string Complaint(std::string_view function, int code, const gorila_env_error& error) {
  const std::string text = OneLine(error.text, sizeof error.text - 1);
  if (code == kThrew) return fmt::format("{} threw an exception: {}", function, text);
  return fmt::format("{} failed with code {}{}{}", function, code, text.empty() ? "" : ": ", text);
}

// What ends a run: the plug-in broke, or broke its promises.
template <typename... Args>
Status Broken(const PluginLibrary& library, fmt::format_string<Args...> format, Args&&... args) {
  return absl::FailedPreconditionError(
      fmt::format("{}: {}", library.label(), fmt::format(format, std::forward<Args>(args)...)));
}

// The loader begins its message with the path, which ours have already.
std::string LoaderMessage(const std::string& path) {
  const char* const text = ::dlerror();
  std::string message = text == nullptr ? "the loader does not say why" : text;
  if (message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
  return message;
}

Status CheckTable(const gorila_env_api* table, const std::string& path) {
  if (table == nullptr) {
    return InvalidArgument(
        "plug-in '{}' does not serve ABI {}: {} gave NULL; build it with this version's "
        "gorila_env.h",
        path, GORILA_ENV_ABI, kSymbol);
  }
  if (table->abi != GORILA_ENV_ABI) {
    return InvalidArgument(
        "plug-in '{}' has ABI {}; expected {}; build it with this version's gorila_env.h", path,
        table->abi, GORILA_ENV_ABI);
  }
  if (table->struct_size < kRequiredBytes || table->struct_size > kMostTableBytes) {
    return InvalidArgument(
        "plug-in '{}' has a table of struct_size {}; expected sizeof(gorila_env_api), at least {}",
        path, table->struct_size, kRequiredBytes);
  }
  return OkStatus();
}

// Of the copy, where functions beyond the plug-in's table are null.
Status CheckFunctions(const gorila_env_api& api, const std::string& path) {
  const std::pair<std::string_view, bool> required[] = {
      {"name", api.name != nullptr},       {"version", api.version != nullptr},
      {"spec", api.spec != nullptr},       {"create", api.create != nullptr},
      {"destroy", api.destroy != nullptr}, {"reset", api.reset != nullptr},
      {"step", api.step != nullptr}};
  for (const auto& [name, there] : required) {
    if (there) continue;
    return InvalidArgument("plug-in '{}' has NULL for '{}' in its table, which is required", path,
                           name);
  }
  const bool size = api.state_size != nullptr;
  if (size == (api.state_save != nullptr) && size == (api.state_restore != nullptr)) {
    return OkStatus();
  }
  return InvalidArgument(
      "plug-in '{}' has some of state_size, state_save and state_restore; expected all or none",
      path);
}

Status CheckRange(const PluginLibrary& library, std::string_view field, int value, int low,
                  int high) {
  if (value >= low && value <= high) return OkStatus();
  return InvalidArgument("{}: spec gave {} = {}; expected {} to {}", library.label(), field, value,
                         low, high);
}

PictureLayout LayoutOf(std::int32_t layout) {
  switch (layout) {
    case GORILA_ENV_LAYOUT_HWC:
      return PictureLayout::kHwc;
    case GORILA_ENV_LAYOUT_CHW:
      return PictureLayout::kChw;
    default:
      return PictureLayout::kAuto;
  }
}

}  // namespace

StatusOr<std::shared_ptr<const PluginLibrary>> PluginLibrary::FromTable(const gorila_env_api* table,
                                                                        std::string_view path) {
  std::shared_ptr<PluginLibrary> library(new PluginLibrary);
  library->path_ = path;
  GORILA_RETURN_IF_ERROR(CheckTable(table, library->path_));
  std::memcpy(&library->api_, table, std::min<std::size_t>(table->struct_size, sizeof *table));
  GORILA_RETURN_IF_ERROR(CheckFunctions(library->api_, library->path_));
  library->label_ = fmt::format("plug-in '{}' ({} {})", path, OneLine(library->api_.name, 80),
                                OneLine(library->api_.version, 80));
  return library;
}

StatusOr<std::shared_ptr<const PluginLibrary>> PluginLibrary::Load(std::string_view path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return InvalidArgument("plug-in '{}': {}", path, error.message());
  const std::string file = absolute.lexically_normal();
  GORILA_RETURN_IF_ERROR(CheckLibraryFile(file));
  // Also restores what initialisation changed: -Ofast flushes denormals in the thread that loads.
  const DefaultFloatEnvironment floats;
  void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    return InvalidArgument("plug-in '{}' cannot be loaded: {}", file, LoaderMessage(file));
  }
  const auto get_api = reinterpret_cast<decltype(&gorila_env_get_api)>(::dlsym(handle, kSymbol));
  if (get_api == nullptr) {
    return InvalidArgument(
        "plug-in '{}' has no function {}; expected the one that gorila_env.h declares", file,
        kSymbol);
  }
  return FromTable(get_api(GORILA_ENV_ABI), file);
}

StatusOr<PluginSpec> PluginLibrary::Spec(const std::string& options_json) const {
  gorila_env_spec spec{};
  spec.struct_size = sizeof spec;
  gorila_env_error error;
  const int code = Guarded(error, [&] { return api_.spec(options_json.c_str(), &spec, &error); });
  if (code != 0) {
    return InvalidArgument("{}: {} (environment.kwargs is {})", label_,
                           Complaint("spec", code, error), options_json);
  }
  GORILA_RETURN_IF_ERROR(CheckRange(*this, "num_dimensions", spec.num_dimensions, 1, 3));
  GORILA_RETURN_IF_ERROR(
      CheckRange(*this, "element", spec.element, GORILA_ENV_UINT8, GORILA_ENV_FLOAT32));
  GORILA_RETURN_IF_ERROR(
      CheckRange(*this, "layout", spec.layout, GORILA_ENV_LAYOUT_AUTO, GORILA_ENV_LAYOUT_CHW));
  GORILA_RETURN_IF_ERROR(CheckRange(*this, "num_actions", spec.num_actions, 1, kMostActions));
  PluginSpec made;
  made.observation.shape.assign(spec.shape, spec.shape + spec.num_dimensions);
  made.observation.element =
      spec.element == GORILA_ENV_UINT8 ? ElementType::kUint8 : ElementType::kFloat32;
  made.layout = LayoutOf(spec.layout);
  made.num_actions = spec.num_actions;
  return made;
}

void PluginInstance::Destroy::operator()(gorila_env* env) const {
  gorila_env_error error;
  Guarded(error, [&] {
    library->api().destroy(env);
    return 0;
  });
}

StatusOr<PluginInstance> PluginInstance::Make(std::shared_ptr<const PluginLibrary> library,
                                              const std::string& options_json) {
  gorila_env* env = nullptr;
  gorila_env_error error;
  const int code =
      Guarded(error, [&] { return library->api().create(options_json.c_str(), &env, &error); });
  if (code != 0) {
    return InvalidArgument("{}: {} (environment.kwargs is {})", library->label(),
                           Complaint("create", code, error), options_json);
  }
  if (env == nullptr) return Broken(*library, "create gave 0, but no environment");
  return PluginInstance(std::move(library), env);
}

Status PluginInstance::Reset(std::uint64_t seed, std::byte* observation) {
  gorila_env_error error;
  const int code =
      Guarded(error, [&] { return library_->api().reset(env_.get(), seed, observation, &error); });
  if (code == 0) return OkStatus();
  return Broken(*library_, "{} (seed {})", Complaint("reset", code, error), seed);
}

Status PluginInstance::Step(std::int32_t action, std::byte* observation,
                            gorila_env_result& result) {
  result = {};
  gorila_env_error error;
  const int code = Guarded(error, [&] {
    return library_->api().step(env_.get(), action, observation, &result, &error);
  });
  if (code != 0) [[unlikely]] {
    return Broken(*library_, "{} (action {})", Complaint("step", code, error), action);
  }
  // Infinite too where it is beyond a float.
  if (!std::isfinite(static_cast<float>(result.reward))) [[unlikely]] {
    return Broken(*library_, "step gave the reward {}; expected a finite float (action {})",
                  result.reward, action);
  }
  if ((result.terminated | result.truncated) > 1) [[unlikely]] {
    return Broken(*library_, "step gave terminated = {} and truncated = {}; expected 0 or 1",
                  result.terminated, result.truncated);
  }
  return OkStatus();
}

StatusOr<std::string> PluginInstance::SaveState() const {
  const gorila_env_api& api = library_->api();
  std::uint64_t size = 0;
  gorila_env_error error;
  int code = Guarded(error, [&] {
    size = api.state_size(env_.get());
    return 0;
  });
  if (code != 0) return Broken(*library_, "{}", Complaint("state_size", code, error));
  if (size > kMostStateBytes) {
    return Broken(*library_, "state_size gave {}; expected at most {} bytes", size,
                  kMostStateBytes);
  }
  std::string state(size, '\0');
  code = Guarded(error, [&] { return api.state_save(env_.get(), state.data(), size, &error); });
  if (code != 0) return Broken(*library_, "{}", Complaint("state_save", code, error));
  return state;
}

Status PluginInstance::RestoreState(std::string_view state) {
  gorila_env_error error;
  const int code = Guarded(error, [&] {
    return library_->api().state_restore(env_.get(), state.data(), state.size(), &error);
  });
  if (code == 0) return OkStatus();
  return DataLoss("{}: {} ({} bytes)", library_->label(), Complaint("state_restore", code, error),
                  state.size());
}

Status PluginInstance::Render(RgbImage& image) const {
  const auto render = library_->api().render;
  if (render == nullptr) {
    return absl::UnimplementedError(
        fmt::format("{} has no pictures: its table has no render", library_->label()));
  }
  std::int32_t width = 0;
  std::int32_t height = 0;
  gorila_env_error error;
  int code = Guarded(error, [&] { return render(env_.get(), nullptr, &width, &height, &error); });
  if (code != 0) return Broken(*library_, "{}", Complaint("render", code, error));
  if (std::min(width, height) < 1 || std::max(width, height) > kMostPixels) {
    return Broken(*library_, "render gave a picture of {} x {}; expected 1 to {} pixels a side",
                  width, height, kMostPixels);
  }
  image.width = width;
  image.height = height;
  image.pixels.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  code = Guarded(error,
                 [&] { return render(env_.get(), image.pixels.data(), &width, &height, &error); });
  if (code != 0) return Broken(*library_, "{}", Complaint("render", code, error));
  return OkStatus();
}

std::string PluginInstance::ActionName(int action) const {
  const auto action_name = library_->api().action_name;
  const char* name = nullptr;
  gorila_env_error error;
  if (action_name != nullptr) {
    Guarded(error, [&] {
      name = action_name(env_.get(), action);
      return 0;
    });
  }
  if (name == nullptr || *name == 0) return fmt::format("action {}", action);
  return OneLine(name, 80);
}

}  // namespace gorila
