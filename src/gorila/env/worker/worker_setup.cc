#include "gorila/env/worker/worker_setup.h"

#include <absl/strings/str_split.h>
#include <dlfcn.h>

#include <cstdlib>

#include "gorila/base/json.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kPythonWorker = "share/gorila/gorila_worker.py";
constexpr std::string_view kPluginWorker = "libexec/gorila/gorila-plugin-worker";
constexpr int kMostFoldersUp = 5;

std::string Interpreter(const ExternalOptions& options) {
  if (options.python != "auto") return options.python;
  const char* const environment = std::getenv("VIRTUAL_ENV");
  if (environment == nullptr || *environment == '\0') return "python3";
  return (fs::path(environment) / "bin" / "python").string();
}

// One thread each, as workers share the cores; the same order of sets in every life; no screen, no
// GPU.
std::vector<std::string> PythonVariables(const ExternalOptions& options) {
  std::vector<std::string> variables = {"PYTHONHASHSEED=0", "PYTHONUNBUFFERED=1",
                                        "SDL_VIDEODRIVER=dummy", "SDL_AUDIODRIVER=dummy",
                                        "CUDA_VISIBLE_DEVICES="};
  for (const char* const threads : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    if (std::getenv(threads) == nullptr) variables.push_back(fmt::format("{}=1", threads));
  }
  if (options.python_path != "none") {
    const char* const given = std::getenv("PYTHONPATH");
    variables.push_back(fmt::format("PYTHONPATH={}{}{}", options.python_path,
                                    given == nullptr ? "" : ":", given == nullptr ? "" : given));
  }
  return variables;
}

StatusOr<Json> Request(const ExternalName& name, const ExternalOptions& options) {
  Json kwargs = ParseJson<Json>(options.kwargs);
  if (!kwargs.is_object()) {
    return InvalidArgument("environment.kwargs is {}; expected a JSON object, like {{\"size\": 8}}",
                           options.kwargs);
  }
  std::vector<std::string> wrappers;
  if (options.wrappers != "none") wrappers = absl::StrSplit(options.wrappers, ',');
  for (const std::string& wrapper : wrappers) {
    const std::size_t colon = wrapper.find(':');
    if (colon != std::string::npos && colon > 0 && colon + 1 < wrapper.size()) continue;
    return InvalidArgument(
        "environment.wrappers has '{}'; expected MODULE:CLASS each, with ',' between", wrapper);
  }
  return Json{{"protocol", kWorkerProtocol},
              {"kind", name.kind == ExternalKind::kGymnasium ? "gymnasium"
                       : name.kind == ExternalKind::kPython  ? "python"
                                                             : "plugin"},
              {"target", name.target},
              {"kwargs", kwargs},
              {"wrappers", wrappers},
              {"pictures", options.pictures}};
}

// The program's folder, or that of the library that this code is part of; empty when the system
// does not say. Looked up once: the file may be replaced while the program runs.
const fs::path& FolderOfThisCode() {
  static const fs::path folder = [] {
    std::error_code error;
    fs::path found = fs::canonical("/proc/self/exe", error).parent_path();
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&FindInstalledFile), &info) == 0 ||
        info.dli_fname == nullptr) {
      return found;
    }
    // The name of the program itself may be relative to a folder that was left.
    const fs::path image = fs::canonical(info.dli_fname, error);
    if (!error && image.extension() != "") found = image.parent_path();
    return found;
  }();
  return folder;
}

}  // namespace

StatusOr<fs::path> FindInstalledFile(std::string_view path) {
  std::error_code error;
  std::vector<std::string> tried;
  fs::path folder = FolderOfThisCode();
  for (int i = 0; i < kMostFoldersUp && folder.has_relative_path(); ++i) {
    if (fs::exists(folder / path, error)) return folder / path;
    tried.push_back((folder / path).string());
    folder = folder.parent_path();
  }
  return NotFound(
      "'{}' is not installed with gorila (tried {}); run cmake --install, or build "
      "everything",
      fs::path(path).filename().string(), fmt::join(tried, ", "));
}

StatusOr<WorkerSetup> MakeWorkerSetup(const ExternalName& name, const ExternalOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckExternalName(name));
  GORILA_ASSIGN_OR_RETURN(const Json request, Request(name, options));
  WorkerSetup setup{.name = std::string(name.name),
                    .arguments = {},
                    .variables = {},
                    .request = DumpAnyJson(request),
                    .seats = options.per_worker,
                    .options = options};
  if (name.kind == ExternalKind::kPluginProcess) {
    GORILA_ASSIGN_OR_RETURN(const fs::path worker, FindInstalledFile(kPluginWorker));
    setup.arguments = {worker.string()};
    setup.options.reseed_steps = 0;  // as in this process: each of its episodes has a seed
    return setup;
  }
  if (options.python != "auto" && options.python.find('/') != std::string::npos &&
      !fs::exists(options.python)) {
    return NotFound("environment.python is '{}'; there is no such file", options.python);
  }
  const std::string interpreter = Interpreter(options);
  if (options.python == "auto" && interpreter.find('/') != std::string::npos &&
      !fs::exists(interpreter)) {
    return NotFound(
        "VIRTUAL_ENV is '{}', without a bin/python; activate another, or set environment.python",
        std::getenv("VIRTUAL_ENV"));
  }
  GORILA_ASSIGN_OR_RETURN(const fs::path worker, FindInstalledFile(kPythonWorker));
  setup.arguments = {interpreter, worker.string()};
  setup.variables = PythonVariables(options);
  return setup;
}

}  // namespace gorila
