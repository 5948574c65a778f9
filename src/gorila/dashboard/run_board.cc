#include "gorila/dashboard/run_board.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gorila/base/json.h"
#include "gorila/base/thread.h"
#include "gorila/config/config_keys.h"
#include "gorila/report/run_groups.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr auto kPollPeriod = std::chrono::milliseconds(500);
// How long somebody waits for the beginning of a log.
constexpr auto kPatience = std::chrono::seconds(20);
// Of a large or slow disk, scans take at most about this part of the time.
constexpr int kScanShare = 10;

std::string RunEvent(std::size_t run, std::string_view name, std::string_view json) {
  return fmt::format("{{\"run\":{},\"{}\":{}}}", run, name, json);
}

Json SettingsJson(const SettingTexts& values) {
  Json settings = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    settings[std::string(ConfigKeys()[i].name)] = values[i];
  }
  return settings;
}

// What is noted about all of them, without the braces.
std::string NotesJson(const std::vector<std::string>& notes, bool searched) {
  return fmt::format("\"notes\":{},\"searched\":{}", DumpAnyJson(Json(notes)), searched);
}

}  // namespace

StatusOr<std::unique_ptr<RunBoard>> RunBoard::Make(RunSources sources, EventLog& events,
                                                   RunBoardLimits limits) {
  std::unique_ptr<RunBoard> board(new RunBoard(std::move(sources), events, limits));
  GORILA_RETURN_IF_ERROR(board->AddNamed());
  return board;
}

RunBoard::RunBoard(RunSources sources, EventLog& events, RunBoardLimits limits)
    : limits_(limits), events_(events), folders_(sources.folders), scanner_(std::move(sources)) {}

RunBoard::~RunBoard() { Stop(); }

// Reads the states and short logs of pinned runs completely; long logs must not delay the start.
Status RunBoard::AddNamed() {
  GORILA_RETURN_IF_ERROR(
      scanner_.AddNamed([this](std::size_t run, const RunGlance& glance) { Update(run, glance); }));
  named_pinned_ = std::min(size(), limits_.pinned);
  const HeldLocks locks = HeldLocks::Read();
  for (std::size_t run = 0; run < named_pinned_; ++run) {
    GORILA_RETURN_IF_ERROR(OpenRun(run));
    PollFeed(run, locks);
  }
  const MutexLock lock(mutex_);
  base_ = scanner_.base();
  searched_ = folders_.empty();
  return OkStatus();
}

void RunBoard::Start() {
  poller_ = StartThreadOrEnd("dashboard", [this] { PollUntilStopped(); });
  scanning_ = StartThreadOrEnd("dashboard_scan", [this] { ScanUntilStopped(); });
}

void RunBoard::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    answered_.NotifyAll();
  }
  if (!poller_.joinable()) return;
  poller_.join();
  scanning_.join();
  PollFeeds();
}

bool RunBoard::Stopping() const {
  const MutexLock lock(mutex_);
  return stopping_;
}

// --- The list

void RunBoard::ScanUntilStopped() {
  while (true) {
    const auto began = Clock::now();
    Scan();
    const auto now = Clock::now();
    const auto next =
        now + std::max<Clock::duration>(limits_.scan_period, kScanShare * (now - began));
    const MutexLock lock(mutex_);
    while (!stopping_ && wake_.WaitUntil(mutex_, next)) {
    }
    if (stopping_) return;
  }
}

void RunBoard::Scan() {
  scanner_.Scan([this](std::size_t run, const RunGlance& glance) { Update(run, glance); },
                [this] { return Stopping(); });
  if (Stopping()) return;
  bool changed = false;
  {
    const MutexLock lock(mutex_);
    changed = !std::exchange(searched_, true) || notes_ != scanner_.notes();
    notes_ = scanner_.notes();
  }
  if (changed) {
    events_.Publish({"list", fmt::format("{{{}}}", NotesJson(scanner_.notes(), true))});
  }
}

void RunBoard::Update(std::size_t run, const RunGlance& glance) {
  {
    const MutexLock lock(mutex_);
    if (run == views_.size()) {
      views_.emplace_back();
      views_[run].place = {.label = "", .directory = glance.directory(), .title = glance.title()};
    }
    View& view = views_[run];
    view.place.label = glance.label();
    view.glance = glance.json();
    view.state = glance.state();
    view.gone = glance.gone();
    if (base_.empty()) base_ = scanner_.base();
  }
  events_.Publish({"run", RunEvent(run, "description", glance.json())});
}

std::string RunBoard::ListJson() const {
  std::vector<std::pair<std::string, std::string>> runs;
  SettingTexts base;
  std::string notes;
  {
    const MutexLock lock(mutex_);
    for (const View& view : views_) {
      runs.emplace_back(view.glance, view.description);
    }
    base = base_;
    notes = NotesJson(notes_, searched_);
  }
  std::string json = "\"runs\":[";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) json += ',';
    const auto& [glance, description] = runs[i];
    if (description.empty()) {
      json += glance;
      continue;
    }
    Json both = ParseJsonOrThrow<Json>(glance);
    both.update(ParseJsonOrThrow<Json>(description));
    json += DumpAnyJson(both);
  }
  Json folders = Json::array();
  for (const LabelledRun& folder : folders_) folders.push_back(folder.directory.string());
  return json + fmt::format("],\"settings\":{},\"run_only\":{},\"folders\":{},{}",
                            DumpAnyJson(SettingsJson(base)), DumpAnyJson(Json(RunOnlyKeys())),
                            DumpAnyJson(folders), notes);
}

std::size_t RunBoard::size() const {
  const MutexLock lock(mutex_);
  return views_.size();
}

RunBoard::Place RunBoard::PlaceOf(std::size_t run) const {
  const MutexLock lock(mutex_);
  return views_.at(run).place;
}

std::optional<std::string> RunBoard::LastTraining(std::size_t run) const {
  const MutexLock lock(mutex_);
  const View& view = views_.at(run);
  if (view.records == nullptr || view.catching_up) return std::nullopt;
  return view.records->last_training();
}

std::vector<std::size_t> RunBoard::Scraped(std::size_t most) const {
  std::vector<std::size_t> runs;
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < views_.size() && runs.size() < most; ++i) {
    const View& view = views_[i];
    if (i < named_pinned_ || (view.state == RunState::kTraining && !view.gone)) runs.push_back(i);
  }
  return runs;
}

// --- Records

StatusOr<std::string> RunBoard::Records(std::size_t run, std::size_t most) {
  const auto deadline = Clock::now() + kPatience;
  std::optional<RecordHistory> records;
  {
    const MutexLock lock(mutex_);
    if (run >= views_.size()) return NotFound("run {} of {}", run, views_.size());
    views_[run].asked = ++asks_;
    last_viewed_ = Clock::now();
    views_[run].refusal.clear();
    while (views_[run].records == nullptr) {
      views_[run].wanted = true;
      wake_.NotifyAll();
      if (stopping_ || !answered_.WaitUntil(mutex_, deadline)) break;
      if (!views_[run].refusal.empty()) return Unavailable("{}", views_[run].refusal);
    }
    if (views_[run].records == nullptr) {
      return Unavailable("'{}' was not read in time", views_[run].place.directory.string());
    }
    records = *views_[run].records;
  }
  if (most < limits_.records) {
    const std::size_t kept = std::max<std::size_t>(most, 16);
    records = records->Thinned(kept, limits_.record_bytes);
  }
  return records->Json();
}

bool RunBoard::AnyWanted() const {
  return std::any_of(views_.begin(), views_.end(), [](const View& view) { return view.wanted; });
}

void RunBoard::PollUntilStopped() {
  auto next = Clock::now();
  while (true) {
    OpenWanted();
    if (Clock::now() >= next) {
      const bool more = PollFeeds();
      next = Clock::now() + (more ? Clock::duration::zero() : kPollPeriod);
    }
    ForgetLongestUnasked();
    const MutexLock lock(mutex_);
    while (!stopping_ && !AnyWanted() && wake_.WaitUntil(mutex_, next)) {
    }
    if (stopping_) return;
  }
}

void RunBoard::OpenWanted() {
  std::vector<std::size_t> wanted;
  {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < views_.size(); ++i) {
      if (std::exchange(views_[i].wanted, false) && views_[i].records == nullptr)
        wanted.push_back(i);
    }
  }
  if (wanted.empty()) return;
  const HeldLocks locks = HeldLocks::Read();
  for (const std::size_t run : wanted) {
    const Status opened = OpenRun(run);
    if (opened.ok()) PollFeed(run, locks);
    const MutexLock lock(mutex_);
    if (!opened.ok()) views_[run].refusal = std::string(opened.message());
    answered_.NotifyAll();
  }
}

Status RunBoard::OpenRun(std::size_t run) {
  const Place place = PlaceOf(run);
  GORILA_ASSIGN_OR_RETURN(RunFeed feed, RunFeed::Open({place.label, place.directory}));
  feeds_.insert_or_assign(run, std::move(feed));
  return OkStatus();
}

bool RunBoard::PollFeeds() {
  const HeldLocks locks = HeldLocks::Read();
  bool more = false;
  for (const auto& [run, feed] : feeds_) more |= PollFeed(run, locks);
  return more;
}

bool RunBoard::PollFeed(std::size_t run, const HeldLocks& locks) {
  RunFeed& feed = feeds_.at(run);
  RunFeed::News news = feed.Poll(locks);
  const bool described = run < named_pinned_;
  const std::string description = described ? feed.Describe() : feed.DescribeLog();
  bool catching_up = false;
  {
    const MutexLock lock(mutex_);
    View& view = views_[run];
    if (view.records == nullptr) {
      view.records = std::make_unique<RecordHistory>(limits_.records, limits_.record_bytes);
      view.catching_up = true;
    }
    catching_up = view.catching_up || news.log_began_anew;
    view.catching_up = catching_up && news.more;
    if (described) view.description = description;
    if (news.log_began_anew) view.records->Clear();
    for (const std::string& line : news.lines) view.records->Add(line);
  }
  if (catching_up) {
    if (!news.more) events_.Publish({"reset", fmt::format("{{\"run\":{}}}", run)});
  } else {
    for (const std::string& line : news.lines) {
      events_.Publish({"row", RunEvent(run, "row", line)});
    }
  }
  if (news.state_changed) {
    events_.Publish({"run", RunEvent(run, "description", description)});
  }
  return news.more;
}

void RunBoard::AddViewers(int more) {
  const MutexLock lock(mutex_);
  viewers_ += more;
  last_viewed_ = Clock::now();
}

std::size_t RunBoard::LongestUnasked() const {
  std::size_t found = views_.size();
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const View& view = views_[i];
    if (view.records == nullptr || i < named_pinned_) continue;
    if (found == views_.size() || view.asked < views_[found].asked) found = i;
  }
  return found;
}

// While somebody looks the last one stays, so that whoever asks is answered.
void RunBoard::ForgetLongestUnasked() {
  std::vector<std::size_t> dropped;
  {
    const MutexLock lock(mutex_);
    std::size_t runs = 0, bytes = 0;
    for (std::size_t i = named_pinned_; i < views_.size(); ++i) {
      if (views_[i].records == nullptr) continue;
      ++runs;
      bytes += views_[i].records->bytes();
    }
    const bool unwatched = viewers_ == 0 && Clock::now() > last_viewed_ + limits_.kept_unwatched;
    while (unwatched ? runs > 0
                     : runs > 1 && (runs > limits_.held_runs || bytes > limits_.held_bytes)) {
      const std::size_t run = LongestUnasked();
      bytes -= views_[run].records->bytes();
      --runs;
      views_[run].records.reset();
      dropped.push_back(run);
    }
  }
  for (const std::size_t run : dropped) {
    feeds_.erase(run);
    events_.Publish({"dropped", fmt::format("{{\"run\":{}}}", run)});
  }
}

}  // namespace gorila
