#include "gorila/base/cores.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>

#include "gorila/base/csv.h"
#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr int kMostCores = 8192;  // the largest kernels' own limit

// A set of any size; cpu_set_t holds 1024.
class CoreSet {
 public:
  CoreSet() : set_(CPU_ALLOC(kMostCores)) { CPU_ZERO_S(bytes(), set_); }
  ~CoreSet() { CPU_FREE(set_); }
  CoreSet(const CoreSet&) = delete;
  CoreSet& operator=(const CoreSet&) = delete;

  static std::size_t bytes() { return CPU_ALLOC_SIZE(kMostCores); }
  cpu_set_t* get() { return set_; }
  void Add(int core) { CPU_SET_S(static_cast<std::size_t>(core), bytes(), set_); }
  bool Has(int core) const { return CPU_ISSET_S(static_cast<std::size_t>(core), bytes(), set_); }

 private:
  cpu_set_t* const set_;
};

Status Pin(pid_t thread, std::span<const int> cores) {
  CoreSet set;
  for (const int core : cores) set.Add(core);
  if (::sched_setaffinity(thread, CoreSet::bytes(), set.get()) == 0) return OkStatus();
  return Unavailable("cannot pin a thread to cores {}: {}", CoresText(cores), std::strerror(errno));
}

std::optional<int> ParseCore(std::string_view text) {
  int core = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, core);
  if (error != std::errc() || read != end || core < 0 || core >= kMostCores) return std::nullopt;
  return core;
}

}  // namespace

StatusOr<std::vector<int>> ParseCores(std::string_view text) {
  std::set<int> cores;
  for (const std::string_view part : SplitAt(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::optional<int> first = ParseCore(part.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : ParseCore(part.substr(dash + 1));
    if (!first.has_value() || !last.has_value() || *last < *first) {
      return InvalidArgument("'{}' in '{}' is not a core; expected numbers and ranges like 0-3,6",
                             part, text);
    }
    for (int core = *first; core <= *last; ++core) cores.insert(core);
  }
  return std::vector<int>(cores.begin(), cores.end());
}

std::string CoresText(std::span<const int> cores) {
  std::string text;
  for (std::size_t first = 0; first < cores.size();) {
    std::size_t last = first;
    while (last + 1 < cores.size() && cores[last + 1] == cores[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cores[first]);
    if (last > first) text += fmt::format("{}{}", last > first + 1 ? "-" : ",", cores[last]);
    first = last + 1;
  }
  return text;
}

std::vector<int> AllowedCores() {
  std::vector<int> cores;
  CoreSet set;
  if (::sched_getaffinity(0, CoreSet::bytes(), set.get()) != 0) return cores;
  for (int core = 0; core < kMostCores; ++core) {
    if (set.Has(core)) cores.push_back(core);
  }
  return cores;
}

Status PinThisThread(std::span<const int> cores) { return Pin(0, cores); }

StatusOr<std::unique_ptr<PinnedThread>> PinnedThread::Pin(std::span<const int> cores) {
  std::vector<int> before = AllowedCores();
  GORILA_RETURN_IF_ERROR(PinThisThread(cores));
  const auto thread = static_cast<pid_t>(::syscall(SYS_gettid));
  return std::unique_ptr<PinnedThread>(new PinnedThread(thread, std::move(before)));
}

// The thread may have ended, or its control group may have shrunk: then there is nothing to give
// back.
PinnedThread::~PinnedThread() { gorila::Pin(thread_, before_).IgnoreError(); }

std::vector<std::vector<int>> DealOutCores(std::span<const int> cores, int parts) {
  std::vector<std::vector<int>> dealt;
  const auto count = static_cast<std::size_t>(std::max(parts, 0));
  if (count == 0 || cores.size() < count) return dealt;
  for (std::size_t part = 0; part < count; ++part) {
    const std::size_t begin = part * cores.size() / count;
    const std::size_t end = (part + 1) * cores.size() / count;
    const auto own = cores.subspan(begin, end - begin);
    dealt.emplace_back(own.begin(), own.end());
  }
  return dealt;
}

std::vector<NumaNode> NumaNodes(const fs::path& root) {
  std::vector<NumaNode> nodes;
  std::error_code error;
  const fs::path folder = root / "sys/devices/system/node";
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::optional<int> number =
        name.starts_with("node") ? ParseCore(std::string_view(name).substr(4)) : std::nullopt;
    if (!number.has_value()) continue;
    StatusOr<std::string> text = ReadFile(entry->path() / "cpulist");
    if (!text.ok()) continue;
    while (!text->empty() && text->back() == '\n') text->pop_back();
    StatusOr<std::vector<int>> cores = ParseCores(*text);
    if (cores.ok()) nodes.push_back({*number, *std::move(cores)});  // one without cores has memory
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const NumaNode& a, const NumaNode& b) { return a.number < b.number; });
  return nodes;
}

}  // namespace gorila
