#include "gorila/env/minatar/recording.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/base/nearest.h"
#include "gorila/env/minatar/asterix.h"
#include "gorila/env/minatar/breakout.h"
#include "gorila/env/minatar/freeway.h"
#include "gorila/env/minatar/game.h"
#include "gorila/env/minatar/seaquest.h"
#include "gorila/env/minatar/space_invaders.h"

namespace gorila::minatar {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// ---- Reading ----

Status Malformed(std::string_view key, const json& value, std::string_view expected) {
  constexpr std::size_t kMaxShown = 60;
  return DataLoss("'{}' is {}, expected {}", key, DumpJson(value).substr(0, kMaxShown), expected);
}

StatusOr<const json*> Member(const json& object, const char* key) {
  if (!object.is_object()) return DataLoss("expected a JSON object");
  const auto found = object.find(key);
  if (found == object.end()) return DataLoss("'{}' is missing", key);
  return &*found;
}

StatusOr<int> AsInteger(std::string_view key, const json& value, int low, int high) {
  if (value.is_number_integer()) {
    const std::int64_t integer = value.get<std::int64_t>();
    if (integer >= low && integer <= high) return static_cast<int>(integer);
  }
  return Malformed(key, value, fmt::format("an integer from {} to {}", low, high));
}

StatusOr<const json*> ArrayMember(const json& object, const char* key) {
  GORILA_ASSIGN_OR_RETURN(const json* array, Member(object, key));
  if (!array->is_array()) return Malformed(key, *array, "an array");
  return array;
}

StatusOr<RecordedDraw> ParseDraw(const json& draw) {
  constexpr int kMaxBound = 1 << 20;
  const auto is_kind = [&draw](const char* kind, std::size_t size) {
    return draw.is_array() && draw.size() == size && draw[0] == kind;
  };
  if (is_kind("u", 2) && draw[1].is_number()) {
    const double value = draw[1].get<double>();
    if (value >= 0 && value < 1) return RecordedDraw{.is_uniform = true, .uniform = value};
  } else if (is_kind("i", 4)) {
    GORILA_ASSIGN_OR_RETURN(const int low, AsInteger("draw low", draw[1], -kMaxBound, kMaxBound));
    GORILA_ASSIGN_OR_RETURN(const int high, AsInteger("draw high", draw[2], low + 1, kMaxBound));
    GORILA_ASSIGN_OR_RETURN(const int value, AsInteger("draw value", draw[3], low, high - 1));
    return RecordedDraw{.is_uniform = false, .low = low, .high = high, .integer = value};
  }
  return Malformed("draw", draw, R"(["u", value] with 0 <= value < 1 or ["i", low, high, value])");
}

StatusOr<std::vector<RecordedDraw>> ParseDraws(const json& object, const char* key) {
  GORILA_ASSIGN_OR_RETURN(const json* array, ArrayMember(object, key));
  std::vector<RecordedDraw> draws;
  for (const json& draw : *array) {
    GORILA_ASSIGN_OR_RETURN(const RecordedDraw recorded, ParseDraw(draw));
    draws.push_back(recorded);
  }
  return draws;
}

// The bytes that hexadecimal text means; nothing for other text.
std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned byte = 0;
    const auto result = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (result.ec != std::errc() || result.ptr != text.data() + i + 2) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

StatusOr<std::string> HexMember(const json& object, const char* key) {
  GORILA_ASSIGN_OR_RETURN(const json* value, Member(object, key));
  if (value->is_string()) {
    std::optional<std::string> bytes = FromHex(value->get_ref<const std::string&>());
    if (bytes.has_value()) return *std::move(bytes);
  }
  return Malformed(key, *value, "hexadecimal digits, two a byte");
}

StatusOr<RecordedState> ParseState(const json& object, const char* bits_key) {
  RecordedState state;
  if (!object.contains("crc32") || object.contains(bits_key)) {
    GORILA_ASSIGN_OR_RETURN(state.bits, HexMember(object, bits_key));
  }
  if (object.contains("crc32")) {
    GORILA_ASSIGN_OR_RETURN(const std::string bytes, HexMember(object, "crc32"));
    if (bytes.size() != 4) return Malformed("crc32", object["crc32"], "8 hexadecimal digits");
    std::uint32_t crc32 = 0;
    for (const char byte : bytes) crc32 = crc32 << 8 | static_cast<unsigned char>(byte);
    state.crc32 = crc32;
  }
  return state;
}

StatusOr<RecordedStep> ParseStep(const json& object) {
  RecordedStep step;
  GORILA_ASSIGN_OR_RETURN(const json* action, Member(object, "action"));
  GORILA_ASSIGN_OR_RETURN(step.action, AsInteger("action", *action, 0, kNumActions - 1));
  GORILA_ASSIGN_OR_RETURN(const json* reward, Member(object, "reward"));
  if (!reward->is_number()) return Malformed("reward", *reward, "a number");
  step.reward = reward->get<float>();
  GORILA_ASSIGN_OR_RETURN(const json* terminal, Member(object, "terminal"));
  if (!terminal->is_boolean()) return Malformed("terminal", *terminal, "true or false");
  step.terminal = terminal->get<bool>();
  if (object.contains("draws")) {
    GORILA_ASSIGN_OR_RETURN(step.draws, ParseDraws(object, "draws"));
  }
  GORILA_ASSIGN_OR_RETURN(step.state, ParseState(object, "state"));
  return step;
}

// ---- Replaying ----

template <typename GameType>
std::unique_ptr<Game> Make() {
  return std::make_unique<GameType>();
}

struct RecordableGame {
  std::string_view name;
  std::unique_ptr<Game> (*make)();
};

constexpr std::array kRecordableGames{
    RecordableGame{"asterix", &Make<Asterix>},
    RecordableGame{"breakout", &Make<Breakout>},
    RecordableGame{"freeway", &Make<Freeway>},
    RecordableGame{"seaquest", &Make<Seaquest>},
    RecordableGame{"space_invaders", &Make<SpaceInvaders>},
};

StatusOr<std::unique_ptr<Game>> MakeRecordedGame(std::string_view name) {
  std::array<std::string_view, kRecordableGames.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (kRecordableGames[i].name == name) return kRecordableGames[i].make();
    names[i] = kRecordableGames[i].name;
  }
  return InvalidArgument("unknown game '{}'; did you mean '{}'?", name, NearestName(name, names));
}

std::string Describe(const RecordedDraw& draw) {
  return draw.is_uniform ? "a uniform" : fmt::format("an integer({}, {})", draw.low, draw.high);
}

// Gives a game the recorded draws of one step and remembers how its requests differed from them.
class ScriptedDraws final : public DrawSource {
 public:
  void Begin(std::span<const RecordedDraw> draws) {
    rest_ = draws;
    difference_.clear();
  }
  // Empty when the requests since Begin were those recorded, all of them.
  std::string Difference() const {
    if (!difference_.empty() || rest_.empty()) return difference_;
    return fmt::format("drew nothing more, expected {}", Describe(rest_.front()));
  }

  double Uniform() override { return Next({.is_uniform = true, .uniform = 0}).uniform; }
  int Integer(int low, int high) override {
    return Next({.is_uniform = false, .low = low, .high = high, .integer = low}).integer;
  }
  // The script is the caller's; there is nothing to save.
  void SaveState(StateWriter&) const override {}
  Status RestoreState(StateReader&) override { return OkStatus(); }

 private:
  // The recorded draw if it answers `request`; otherwise `request` itself, which is a valid value.
  RecordedDraw Next(const RecordedDraw& request) {
    if (!difference_.empty()) return request;
    if (rest_.empty()) {
      difference_ = fmt::format("drew {}, expected no draw", Describe(request));
      return request;
    }
    const RecordedDraw recorded = rest_.front();
    if (recorded.is_uniform != request.is_uniform || recorded.low != request.low ||
        recorded.high != request.high) {
      difference_ = fmt::format("drew {}, expected {}", Describe(request), Describe(recorded));
      return request;
    }
    rest_ = rest_.subspan(1);
    return recorded;
  }

  std::span<const RecordedDraw> rest_;
  std::string difference_;
};

std::string DescribeFirstDifference(const Game& game, std::string_view got,
                                    std::string_view expected) {
  if (got.size() != expected.size()) {
    return fmt::format("state of {} bytes, expected {}", got.size(), expected.size());
  }
  const auto bit = [](std::string_view bits, std::size_t i) {
    return static_cast<unsigned char>(bits[i / 8]) >> (7 - i % 8) & 1;
  };
  const std::size_t size = game.info().channels.size() * kCells;
  for (std::size_t i = 0; i < size; ++i) {
    if (bit(got, i) == bit(expected, i)) continue;
    return fmt::format("state at channel '{}', row {}, column {} is {}, expected {}",
                       game.info().channels[i / kCells].name, i % kCells / kGridSize, i % kGridSize,
                       bit(got, i), bit(expected, i));
  }
  return "state is right, expected other padding bits";
}

// Replays one episode and collects what differs at its first step that does.
class EpisodeReplay {
 public:
  explicit EpisodeReplay(Game& game) : game_(game) {}

  // The number of steps replayed, the differing one included.
  std::int64_t Run(const RecordedEpisode& episode);
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  void CompareOutcome(const Outcome& got, const RecordedStep& expected);
  void CompareState(const RecordedState& expected);
  void CompareDraws() {
    if (std::string text = draws_.Difference(); !text.empty()) Differs(std::move(text));
  }
  void Differs(std::string text) {
    differences_.push_back(fmt::format("step {}: {}", step_, text));
  }

  Game& game_;
  ScriptedDraws draws_;
  std::int64_t step_ = 0;
  std::vector<std::string> differences_;
};

std::int64_t EpisodeReplay::Run(const RecordedEpisode& episode) {
  draws_.Begin(episode.reset_draws);
  game_.Reset(draws_);
  CompareDraws();
  CompareState(episode.initial_state);
  for (const RecordedStep& step : episode.steps) {
    if (!differences_.empty()) break;
    ++step_;
    draws_.Begin(step.draws);
    const Outcome outcome = game_.Act(step.action, draws_);
    CompareDraws();
    CompareOutcome(outcome, step);
    CompareState(step.state);
  }
  return step_;
}

void EpisodeReplay::CompareOutcome(const Outcome& got, const RecordedStep& expected) {
  if (got.reward != expected.reward) {
    Differs(fmt::format("reward {}, expected {}", got.reward, expected.reward));
  }
  if (got.terminal != expected.terminal) {
    Differs(fmt::format("terminal {}, expected {}", got.terminal, expected.terminal));
  }
}

void EpisodeReplay::CompareState(const RecordedState& expected) {
  std::string cells(game_.info().channels.size() * kCells, '\0');
  game_.Observe({reinterpret_cast<std::uint8_t*>(cells.data()), cells.size()});
  const std::string bits = PackBits(cells);
  if (expected.bits.has_value() && bits != *expected.bits) {
    Differs(DescribeFirstDifference(game_, bits, *expected.bits));
  }
  if (expected.crc32.has_value() && Crc32(bits) != *expected.crc32) {
    Differs(fmt::format("state has crc32 {:08x}, expected {:08x}", Crc32(bits), *expected.crc32));
  }
}

Status VerifyLine(std::string_view line, const std::string& where, VerifyReport& report) {
  GORILA_ASSIGN_OR_RETURN(const RecordedEpisode episode, ParseEpisode(line));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Game> game, MakeRecordedGame(episode.game));
  EpisodeReplay replay(*game);
  report.steps += replay.Run(episode);
  ++report.episodes;
  for (const std::string& difference : replay.differences()) {
    ++report.mismatches;
    if (report.descriptions.size() < VerifyReport::kMaxDescriptions) {
      report.descriptions.push_back(fmt::format("{}: {}", where, difference));
    }
  }
  return OkStatus();
}

Status VerifyFile(const fs::path& path, VerifyReport& report) {
  GORILA_ASSIGN_OR_RETURN(const std::string contents, ReadFileOf(kRecordingFile, path));
  if (contents.empty()) return DataLoss("'{}' contains no episode", path.string());
  std::string_view rest = contents;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string where = fmt::format("{}:{}", path.string(), number);
    GORILA_RETURN_IF_ERROR(Annotate(VerifyLine(line, where, report), where));
  }
  return OkStatus();
}

StatusOr<std::vector<fs::path>> RecordingFiles(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".jsonl") files.push_back(it->path());
  }
  if (error == std::errc::no_such_file_or_directory) {
    return NotFound("there is no folder '{}'; expected one with recordings (*.jsonl)",
                    folder.string());
  }
  if (error) return Unavailable("cannot read folder '{}': {}", folder.string(), error.message());
  if (files.empty())
    return NotFound("folder '{}' has no *.jsonl file; expected recordings", folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string PackBits(std::string_view cells) {
  std::string bytes((cells.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] != 0) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 0x80 >> i % 8);
  }
  return bytes;
}

StatusOr<RecordedEpisode> ParseEpisode(std::string_view line) {
  const json object = ParseJson<json>(line);
  if (object.is_discarded()) return DataLoss("not a line of JSON");
  RecordedEpisode episode;
  GORILA_ASSIGN_OR_RETURN(const json* game, Member(object, "game"));
  if (!game->is_string()) return Malformed("game", *game, "a name");
  episode.game = game->get<std::string>();
  GORILA_ASSIGN_OR_RETURN(episode.reset_draws, ParseDraws(object, "reset_draws"));
  GORILA_ASSIGN_OR_RETURN(episode.initial_state, ParseState(object, "initial_state"));
  GORILA_ASSIGN_OR_RETURN(const json* steps, ArrayMember(object, "steps"));
  episode.steps.reserve(steps->size());
  for (const json& object_of_step : *steps) {
    StatusOr<RecordedStep> step = ParseStep(object_of_step);
    if (!step.ok()) {
      return Annotate(step.status(), fmt::format("step {}", episode.steps.size() + 1));
    }
    episode.steps.push_back(*std::move(step));
  }
  return episode;
}

StatusOr<VerifyReport> VerifyRecordings(const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<fs::path> files, RecordingFiles(folder));
  VerifyReport report;
  for (const fs::path& file : files) GORILA_RETURN_IF_ERROR(VerifyFile(file, report));
  return report;
}

}  // namespace gorila::minatar
