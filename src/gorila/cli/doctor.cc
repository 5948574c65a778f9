#include <dnnl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <vector>

#include "gorila/base/cores.h"
#include "gorila/base/denormals.h"
#include "gorila/base/thread.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/machine.h"
#include "gorila/cli/verb.h"
#include "gorila/config/resolve.h"
#include "gorila/env/atari/ale_source.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/atari/rom_folder.h"
#include "gorila/network/onednn/onednn_network.h"
#include "gorila/network/q_network.h"
#include "gorila/network/torch/torch_module.h"
#include "gorila/run/run_cores.h"
#include "gorila/run/trainer.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kDoctorFlags[] = {kEnvFlag, kBundlesFlag};

struct DoctorOptions {
  ConfigFlags config;
  fs::path run_directory = "runs";
};

enum class Level { kOk, kAdvice, kProblem };  // a problem prevents training

struct Finding {
  Level level;
  std::string subject;
  std::string text;  // what is, and what to change
};

Finding CheckCpu(const Machine& machine) {
#if defined(__x86_64__)
  std::vector<std::string> features;
  if (__builtin_cpu_supports("avx2")) features.emplace_back("AVX2");
  if (__builtin_cpu_supports("fma")) features.emplace_back("FMA");
  if (__builtin_cpu_supports("avx512f")) features.emplace_back("AVX-512");
  if (features.empty()) {
    return {Level::kAdvice, "cpu",
            machine.cpu + ": no AVX2; training works, several times slower than with it"};
  }
  return {Level::kOk, "cpu", fmt::format("{}: {}", machine.cpu, fmt::join(features, ", "))};
#else
  return {Level::kOk, "cpu", fmt::format("{} ({})", machine.cpu, machine.system)};
#endif
}

Finding CheckCores(const Machine& machine, const Config& config) {
  const int threads = config.run.deterministic ? 1 : config.run.bundles;
  const std::string text =
      fmt::format("{} usable, {} training threads (run.bundles)", machine.cores, threads);
  if (threads > machine.cores) {
    return {Level::kAdvice, "cores",
            fmt::format("{}; they take turns, so --bundles {} is as fast", text, machine.cores)};
  }
  if (threads < machine.cores && !config.run.deterministic) {
    return {Level::kOk, "cores",
            fmt::format("{}; --bundles {} would use all", text, machine.cores)};
  }
  return {Level::kOk, "cores", text};
}

// Cores that may not be used are reported with the other settings.
Finding CheckPinning(const Config& config) {
  std::string text = fmt::format("cores {} may be used", CoresText(AllowedCores()));
  const std::vector<NumaNode> nodes = NumaNodes();
  for (const NumaNode& node : nodes) {
    text += fmt::format("{} NUMA node {}: {}", node.number == nodes.front().number ? ";" : ",",
                        node.number, CoresText(node.cores));
  }
  if (RunCores(config).ok()) text += "; " + DescribeRunCores(config);
  return {Level::kOk, "pinning", text};
}

Finding CheckMemory(const Machine& machine, std::int64_t replay) {
  const std::string text =
      fmt::format("{} available of {}, planned replay {}", FormatBytes(machine.available_bytes),
                  FormatBytes(machine.memory_bytes), FormatBytes(replay));
  if (replay > machine.available_bytes) {
    return {Level::kProblem, "memory",
            text + "; free some, or lower replay.capacity or run.bundles"};
  }
  return {Level::kOk, "memory", text};
}

Finding CheckOneDnn() {
  const dnnl_version_t* const version = dnnl_version();
  const char* const threads = std::getenv("OMP_NUM_THREADS");
  return {Level::kOk, "oneDNN",
          fmt::format("{}.{}.{}, one thread for each bundle (OMP_NUM_THREADS is {} and not used)",
                      version->major, version->minor, version->patch,
                      threads == nullptr ? "not set" : threads)};
}

Finding CheckBfloat16Backend() {
  const std::string_view can = MultipliesBfloat16Fast() ? "has AMX: it is the fastest here"
                               : CheckBackend("bfloat16", "cpu").ok()
                                   ? "has no AMX: it works, but slowly"
                                   : "has no AVX-512: it cannot be used";
  return {Level::kOk, "bfloat16",
          fmt::format("network.backend = \"bfloat16\": this processor {}", can)};
}

Finding CheckTorch() {
  if (!TorchIsBuiltIn()) return {Level::kOk, "libtorch", "not built in, not needed"};
  const StatusOr<const TorchModule*> module = LoadTorchModule();
  if (!module.ok()) return {Level::kAdvice, "libtorch", std::string(module.status().message())};
  return {Level::kOk, "libtorch",
          fmt::format("{}, {} CUDA devices (network.backend torch)", (*module)->libtorch_version,
                      (*module)->cuda_devices)};
}

Finding CheckAtari(const Config& config) {
  if (!atari::AleIsBuiltIn()) {
    return {Level::kOk, "atari",
            fmt::format("Arcade Learning Environment: not built in (only atari/... needs it); {}. "
                        "{}",
                        atari::kAleInstallAdvice, atari::kRomAdvice)};
  }
  const std::string folder = atari::RomFolder(config.environment.options.atari.rom_folder);
  if (folder == "auto") {
    return {Level::kAdvice, "atari",
            fmt::format("Arcade Learning Environment: built in; no ROM folder is configured; {}",
                        atari::kRomAdvice)};
  }
  const std::size_t roms = atari::GamesIn(folder).size();
  return {roms > 0 ? Level::kOk : Level::kAdvice, "atari",
          fmt::format("Arcade Learning Environment: built in; '{}' has {} of {} ROMs; {}", folder,
                      roms, atari::kGameNames.size(), atari::kRomAdvice)};
}

// In a separate thread, because a bundle computes in one.
StatusOr<bool> DenormalsAreFlushed() {
  bool flushed = false;
  const auto look = [&flushed] {
    FlushDenormalsInThisThread();
    volatile float smallest_normal = std::numeric_limits<float>::min();
    volatile float denormal = std::numeric_limits<float>::denorm_min();
    const float result_flushed = smallest_normal * 0.5F;  // FTZ
    const float operand_flushed = denormal * 1e30F;       // DAZ
    flushed = result_flushed == 0 && operand_flushed == 0;
  };
  GORILA_ASSIGN_OR_RETURN(Thread thread, StartThread("doctor", look));
  thread.join();
  return flushed;
}

Finding CheckDenormals() {
  const StatusOr<bool> flushed = DenormalsAreFlushed();
  if (!flushed.ok()) {
    return {Level::kProblem, "denormals", std::string(flushed.status().message())};
  }
  if (*flushed) return {Level::kOk, "denormals", "flushed to zero (FTZ and DAZ)"};
  return {Level::kAdvice, "denormals",
          "not flushed to zero on this CPU; training may be several times slower"};
}

// The folder itself or the nearest one above it that exists: where the disk is.
fs::path ExistingFolder(fs::path path) {
  std::error_code error;
  path = fs::absolute(path, error).lexically_normal();
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

Finding CheckDisk(const fs::path& run_directory, const Config& config, std::int64_t replay) {
  const fs::path folder = ExistingFolder(run_directory);
  std::error_code error;
  struct statvfs disk {};
  const bool usable = fs::is_directory(folder, error) && ::access(folder.c_str(), W_OK) == 0 &&
                      ::statvfs(folder.c_str(), &disk) == 0;
  if (!usable) {
    return {Level::kProblem, "disk",
            fmt::format("'{}' is not a folder that can be written to; choose another --run-dir",
                        folder.string())};
  }
  const auto free =
      static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  // An upper bound: checkpoints share segments, and replay memory is compressed.
  const std::int64_t needed = config.checkpoint.replay ? 2 * replay : 0;
  const std::string text = fmt::format("{} free at '{}'", FormatBytes(free), folder.string());
  if (free < needed) {
    return {
        Level::kAdvice, "disk",
        fmt::format("{}; checkpoints with replay memory may take {}; choose another --run-dir or "
                    "checkpoint.replay=false",
                    text, FormatBytes(needed))};
  }
  return {Level::kOk, "disk", text};
}

int PrintFindings(const std::vector<Finding>& findings) {
  constexpr std::array kLevelNames = {"ok", "advice", "PROBLEM"};
  int exit_status = kSuccess;
  for (const Finding& finding : findings) {
    fmt::print("{:<8} {:<10} {}\n", kLevelNames[static_cast<std::size_t>(finding.level)],
               finding.subject, finding.text);
    if (finding.level == Level::kProblem) exit_status = kFailure;
  }
  return exit_status;
}

StatusOr<int> Examine(const DoctorOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const Machine machine = LookAtMachine();
  const std::int64_t replay = Trainer::ExpectedReplayBytes(config, network);
  std::vector<Finding> findings = {
      CheckCpu(machine),    CheckCores(machine, config),
      CheckPinning(config), CheckMemory(machine, replay),
      CheckOneDnn(),        CheckBfloat16Backend(),
      CheckTorch(),         CheckAtari(config),
      CheckDenormals(),     CheckDisk(options.run_directory, config, replay)};
  if (const Status status = Trainer::Check(config); !status.ok()) {
    findings.push_back({Level::kProblem, "settings", std::string(status.message())});
  }
  return PrintFindings(findings);
}

constexpr CommandText kDoctorText = {
    .name = "doctor",
    .summary = "Check CPU, memory and libraries for training",
    .details =
        R"(Checks CPU, cores, memory, libraries and disk against the configuration and says what to change.
Exit status 1 when something prevents training.
)",
    .examples = R"(gorila doctor
gorila doctor --preset gorila --bundles 4
)"};

}  // namespace

Verb AddDoctorVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kDoctorText);
  const auto options = std::make_shared<DoctorOptions>();
  options->config.AddKeys(*app, kDoctorFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_option("--run-dir", options->run_directory, "The folder for runs")
      ->capture_default_str()
      ->type_name("DIR");
  return {app, [options](const Invocation&) { return Examine(*options); }};
}

}  // namespace gorila::cli
