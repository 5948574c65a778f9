#include "gorila/env/worker/plugin_worker.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/json.h"
#include "gorila/base/thread.h"
#include "gorila/env/external/environment_record.h"
#include "gorila/env/plugin/plugin_environment.h"
#include "gorila/env/plugin/plugin_library.h"
#include "gorila/env/worker/worker_protocol.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

// The parent is gone when its end of the pipe is: also in the middle of a step.
void EndWithParent() {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(kWorkerLifeline, &byte, 1);
  } while (got > 0 || (got < 0 && errno == EINTR));
  ::_exit(0);
}

void ReadExactly(void* bytes, std::size_t size) {
  auto* to = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = ::read(kWorkerRequests, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) ::_exit(0);
    to += got;
    size -= static_cast<std::size_t>(got);
  }
}

void WriteAll(const void* bytes, std::size_t size) {
  const auto* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t put = ::write(kWorkerAnswers, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) ::_exit(0);
    from += put;
    size -= static_cast<std::size_t>(put);
  }
}

Json ReadRequest() {
  char kind = 0;
  std::uint32_t size = 0;
  ReadExactly(&kind, 1);
  ReadExactly(&size, sizeof size);
  std::string text(size, '\0');
  ReadExactly(text.data(), size);
  return ParseJson<Json>(text);
}

void Answer(char kind, const Json& json) {
  const std::string text = DumpAnyJson(json);
  const auto size = static_cast<std::uint32_t>(text.size());
  WriteAll(&kind, 1);
  WriteAll(&size, sizeof size);
  WriteAll(text.data(), text.size());
}

// An observation's memory, with guards before and behind it.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(::operator new[](bytes + 2 * kGuard, kAligned))) {
    std::fill_n(memory_.get(), bytes + 2 * kGuard, kMark);
  }

  std::byte* data() { return memory_.get() + kGuard; }
  bool whole() const {
    const auto is_mark = [](std::byte one) { return one == kMark; };
    return std::all_of(memory_.get(), memory_.get() + kGuard, is_mark) &&
           std::all_of(memory_.get() + kGuard + bytes_, memory_.get() + 2 * kGuard + bytes_,
                       is_mark);
  }

 private:
  static constexpr std::size_t kGuard = 4 * kPluginAlignment;
  static constexpr std::byte kMark{0xa5};
  static constexpr std::align_val_t kAligned{kPluginAlignment};
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, kAligned); }
  };

  const std::size_t bytes_;
  const std::unique_ptr<std::byte, Free> memory_;
};

class PluginHost {
 public:
  // Loads what the request asks for and says what it is like.
  static StatusOr<std::unique_ptr<PluginHost>> Greet(const Json& request);
  Status MapMemory(const Json& layout);
  void Serve();

 private:
  struct Seat {
    std::optional<PluginInstance> instance;
    std::uint64_t seed = 0;  // of a reset that has none
  };

  template <typename T>
  T& In(std::size_t array, std::size_t seat) {
    return reinterpret_cast<T*>(memory_ + array)[seat];
  }

  void Step();
  Status Execute(std::size_t index, SeatCommand command, std::uint8_t& flags);
  Status Reset(std::size_t index, std::uint64_t seed);
  Status StepSeat(std::size_t index, std::uint8_t& flags);
  StatusOr<PluginInstance*> Instance(std::size_t index);
  Status CheckGuards(std::string_view call);
  void Render();

  std::shared_ptr<const PluginLibrary> library_;
  std::string options_;
  std::unique_ptr<GuardedBuffer> buffer_;
  std::size_t bytes_ = 0;  // of an observation
  std::vector<Seat> seats_;
  WorkerLayout layout_;
  std::byte* memory_ = nullptr;
};

StatusOr<std::unique_ptr<PluginHost>> PluginHost::Greet(const Json& request) {
  if (!request.is_object() || request.value("protocol", 0) != kWorkerProtocol) {
    return InvalidArgument("this worker speaks protocol {}; install the one that came with gorila",
                           kWorkerProtocol);
  }
  auto host = std::make_unique<PluginHost>();
  GORILA_ASSIGN_OR_RETURN(host->library_,
                          PluginLibrary::Load(request["target"].get<std::string>()));
  host->options_ = DumpAnyJson(request["kwargs"]);
  GORILA_ASSIGN_OR_RETURN(PluginInstance first,
                          PluginInstance::Make(host->library_, host->options_));
  GORILA_ASSIGN_OR_RETURN(const EnvironmentRecord record, RecordOf(first, host->options_));
  host->bytes_ = record.observation.bytes();
  host->buffer_ = std::make_unique<GuardedBuffer>(host->bytes_);
  host->seats_.resize(1);
  host->seats_[0].instance = std::move(first);
  Json hello = ParseJson<Json>(EncodeEnvironmentRecord(record));
  hello["versions"][std::string(host->library_->name())] = host->library_->api().version;
  if (host->library_->needs_own_process()) hello["most_seats"] = 1;
  Answer('J', hello);
  return host;
}

Status PluginHost::MapMemory(const Json& layout) {
  layout_ = WorkerLayout::Make(layout.at("seats").get<int>(), bytes_);
  if (layout_.size != layout.at("size").get<std::size_t>()) {
    return InvalidArgument(
        "the layout of memory is another; install the worker that came with "
        "gorila");
  }
  void* const mapped =
      ::mmap(nullptr, layout_.size, PROT_READ | PROT_WRITE, MAP_SHARED, kWorkerMemory, 0);
  if (mapped == MAP_FAILED) return Unavailable("cannot map memory: {}", std::strerror(errno));
  memory_ = static_cast<std::byte*>(mapped);
  seats_.resize(static_cast<std::size_t>(layout_.seats));
  return OkStatus();
}

StatusOr<PluginInstance*> PluginHost::Instance(std::size_t index) {
  std::optional<PluginInstance>& instance = seats_[index].instance;
  if (!instance.has_value()) {
    GORILA_ASSIGN_OR_RETURN(PluginInstance made, PluginInstance::Make(library_, options_));
    instance.emplace(std::move(made));
  }
  return &*instance;
}

Status PluginHost::CheckGuards(std::string_view call) {
  if (buffer_->whole()) return OkStatus();
  buffer_ = std::make_unique<GuardedBuffer>(bytes_);
  return InvalidArgument("{}: {} wrote beyond its observation of {} bytes", library_->label(), call,
                         bytes_);
}

Status PluginHost::Reset(std::size_t index, std::uint64_t seed) {
  GORILA_ASSIGN_OR_RETURN(PluginInstance* const instance, Instance(index));
  seats_[index].seed = seed;
  GORILA_RETURN_IF_ERROR(instance->Reset(seed, buffer_->data()));
  GORILA_RETURN_IF_ERROR(CheckGuards("reset"));
  std::memcpy(memory_ + layout_.first + index * layout_.stride, buffer_->data(), bytes_);
  return OkStatus();
}

Status PluginHost::StepSeat(std::size_t index, std::uint8_t& flags) {
  GORILA_ASSIGN_OR_RETURN(PluginInstance* const instance, Instance(index));
  gorila_env_result result{};
  const auto action = static_cast<std::int32_t>(In<std::int64_t>(layout_.action, index));
  GORILA_RETURN_IF_ERROR(instance->Step(action, buffer_->data(), result));
  GORILA_RETURN_IF_ERROR(CheckGuards("step"));
  std::memcpy(memory_ + layout_.observation + index * layout_.stride, buffer_->data(), bytes_);
  In<double>(layout_.reward, index) = result.reward;
  if (result.terminated != 0) flags |= kSeatTerminated;
  if (result.truncated != 0) flags |= kSeatTruncated;
  if (flags == 0) return OkStatus();
  std::atomic_ref<std::uint8_t>(In<std::uint8_t>(layout_.flags, index)).store(kSeatResets);
  // Every episode of a plug-in has a seed: without one from the parent, the next number.
  const bool seeded = In<std::uint8_t>(layout_.reseed, index) != 0;
  return Reset(index, seeded ? In<std::uint64_t>(layout_.seed, index) : seats_[index].seed + 1);
}

Status PluginHost::Execute(std::size_t index, SeatCommand command, std::uint8_t& flags) {
  switch (command) {
    case SeatCommand::kStep:
      return StepSeat(index, flags);
    case SeatCommand::kResetSeeded:
      return Reset(index, In<std::uint64_t>(layout_.seed, index));
    case SeatCommand::kReset:
      return Reset(index, seats_[index].seed + 1);
    case SeatCommand::kRemake:
      seats_[index] = Seat{};
      return OkStatus();
    case SeatCommand::kNone:
      break;
  }
  return OkStatus();
}

void PluginHost::Step() {
  Json errors = Json::object();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    auto& command = In<std::uint8_t>(layout_.command, i);
    if (command == 0) continue;
    std::uint8_t flags = 0;
    const Status status = Execute(i, static_cast<SeatCommand>(command), flags);
    command = 0;
    // Trying again would not help: what a plug-in refuses once it refuses again.
    In<std::uint8_t>(layout_.flags, i) = status.ok() ? flags : kSeatBroken;
    if (!status.ok()) errors[std::to_string(i)] = std::string(status.message());
  }
  if (errors.empty()) {
    WriteAll("S", 1);
  } else {
    Answer('F', errors);
  }
}

void PluginHost::Render() {
  std::uint32_t seat = 0;
  ReadExactly(&seat, sizeof seat);
  RgbImage image;
  Status status = InvalidArgument("no environment in seat {}", seat);
  if (seat < seats_.size() && seats_[seat].instance.has_value()) {
    status = seats_[seat].instance->Render(image);
  }
  if (!status.ok()) return Answer('E', {{"error", std::string(status.message())}});
  const std::array<std::uint32_t, 2> sides = {static_cast<std::uint32_t>(image.height),
                                              static_cast<std::uint32_t>(image.width)};
  WriteAll("P", 1);
  WriteAll(sides.data(), sizeof sides);
  WriteAll(image.pixels.data(), image.pixels.size());
}

void PluginHost::Serve() {
  for (;;) {
    char request = 0;
    ReadExactly(&request, 1);
    if (request == 'S') {
      Step();
    } else if (request == 'R') {
      Render();
    } else {
      return;
    }
  }
}

Status Host() {
  GORILA_ASSIGN_OR_RETURN(const auto host, PluginHost::Greet(ReadRequest()));
  GORILA_RETURN_IF_ERROR(host->MapMemory(ReadRequest()));
  Answer('J', {{"ready", true}});
  host->Serve();
  return OkStatus();
}

}  // namespace

int RunPluginWorker() {
  StartThreadOrEnd("lifeline", &EndWithParent).detach();
  const Status status = Host();
  if (status.ok()) return 0;
  Answer('E', {{"error", std::string(status.message())}});
  return 1;
}

}  // namespace gorila
