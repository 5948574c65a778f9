#include <dlfcn.h>

#include <filesystem>

#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// Beside the program, where builds put it, or in lib/gorila beside bin, where it is installed. The
// first when there is none; empty when the system does not say where the program is.
fs::path ModulePath() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path folder = program.parent_path();
  const fs::path installed = folder.parent_path() / "lib" / "gorila" / kTorchModuleFile;
  fs::path beside = folder / kTorchModuleFile;
  return !fs::exists(beside, error) && fs::exists(installed, error) ? installed : beside;
}

Status CannotLoad(const fs::path& path, const char* reason) {
  return Unavailable("cannot load '{}': {}", path.string(), reason == nullptr ? "?" : reason);
}

// OpenBLAS has its own threads, which neither OpenMP's nor libtorch's settings reach.
void UseOneThreadInOpenBlas(void* module) {
  using SetThreads = void(int);
  auto* const set = reinterpret_cast<SetThreads*>(::dlsym(module, "openblas_set_num_threads"));
  if (set != nullptr) set(1);
}

StatusOr<const TorchModule*> Load() {
  if (!TorchIsBuiltIn()) {
    return InvalidArgument(
        "this program was built without libtorch; install it (Debian's libtorch-dev and "
        "libopenblas0-pthread) and rebuild");
  }
  const fs::path path = ModulePath();
  // Local, so that none of the libraries behind libtorch gets between this program and its own.
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return CannotLoad(path, ::dlerror());
  UseOneThreadInOpenBlas(module);
  auto* const function =
      reinterpret_cast<TorchModuleFunction*>(::dlsym(module, kTorchModuleFunction));
  if (function == nullptr) return CannotLoad(path, ::dlerror());
  const TorchModule* const loaded = function();
  if (loaded->interface != kTorchInterface) {
    return Unavailable("'{}' is from another build (interface {}; expected {}); rebuild both",
                       path.string(), loaded->interface, kTorchInterface);
  }
  return loaded;
}

}  // namespace

StatusOr<const TorchModule*> LoadTorchModule() {
  static const StatusOr<const TorchModule*> loaded = Load();
  return loaded;
}

bool TorchIsBuiltIn() {
  std::error_code error;
  return fs::exists(ModulePath(), error);
}

}  // namespace gorila
