#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "gorila/agent/frame_stacker.h"
#include "gorila/base/utf8_locale.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/keyboard_player.h"
#include "gorila/cli/network_source.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/older_name.h"
#include "gorila/cli/picture_text.h"
#include "gorila/cli/play_controls.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/terminal.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/film.h"
#include "gorila/evaluation/player.h"
#include "gorila/evaluation/start_recorder.h"
#include "gorila/metrics/animated_gif.h"
#include "gorila/metrics/number_format.h"
#include "gorila/metrics/progress.h"
#include "gorila/metrics/text_line.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kPlayFlags[] = {kEnvFlag};
constexpr int kPictureColumns = 44;  // beside it the panel fits into 80
constexpr int kPictureLines = 21;
constexpr int kOtherLines = 3;  // the result, the keys and the cursor
constexpr std::size_t kMostFilmFrames = 2000;

struct PlayOptions {
  ConfigFlags config;
  std::string game;
  fs::path checkpoint;
  AtFrames at;
  fs::path older_checkpoint;  // of --checkpoint, the older spelling of PATH
  std::uint64_t seed = 1;
  bool keyboard = false;
  fs::path gif;
  fs::path starts;  // of --record-starts
  int starts_per_episode = 10;
  int episodes = 1;
  int delay_milliseconds = 100;
  double epsilon = 0;
};

// The result of an episode so far.
struct Score {
  int episode = 1;
  std::int64_t steps = 0;
  double episode_return = 0;
  bool finished = false;
};

// Keys steer what is on a screen, if a person is there to press them.
StatusOr<std::unique_ptr<Keyboard>> OpenKeyboard(const PlayOptions& options, bool screen) {
  if (!screen) return nullptr;
  StatusOr<std::unique_ptr<Keyboard>> keyboard = Keyboard::Open();
  if (keyboard.ok() || options.keyboard) return keyboard;
  return nullptr;
}

std::string Cut(const std::string& text, int columns) {
  return TextColumns(text) <= columns ? text : PaddedText(text, columns);
}

// Sends frames to the screen and the film, either of which may be absent.
class Stage {
 public:
  Stage(const PlayOptions& options, bool screen, std::unique_ptr<Keyboard> keyboard)
      : filming_(!options.gif.empty()),
        controls_(std::move(keyboard), options.keyboard,
                  std::chrono::milliseconds(options.delay_milliseconds)) {
    if (screen) screen_ = std::make_unique<TextScreen>();
  }

  // False where the person who looks has had enough.
  StatusOr<bool> Show(Environment& environment, const Player& player, const Score& score) {
    GORILA_RETURN_IF_ERROR(environment.Render(image_));
    if (filming_ && film_.size() < kMostFilmFrames) film_.push_back(FilmFrame(player));
    if (screen_ == nullptr) return true;
    const auto draw = [&](bool afresh) {
      if (afresh) screen_->Forget();
      screen_->Draw(Compose(environment.spec(), player, score));
    };
    draw(/*afresh=*/false);
    return controls_.Wait(draw);
  }

  // Adds what the agent thinks of each action beside the game in films.
  Status AddPanel(const EnvironmentSpec& spec, ActionBars bars) {
    if (!filming_ || panel_.has_value()) return OkStatus();
    GORILA_ASSIGN_OR_RETURN(panel_, ActionPanel::Make(OwnActionNames(spec), bars));
    return OkStatus();
  }

  // With no screen and a full film, nobody would see further frames.
  bool over() const { return filming_ && screen_ == nullptr && film_.size() >= kMostFilmFrames; }
  std::vector<RgbImage> TakeFilm() { return std::move(film_); }
  const PlayControls& controls() const { return controls_; }

 private:
  std::vector<std::string> Compose(const EnvironmentSpec& spec, const Player& player,
                                   const Score& score) const {
    const TerminalSize size = TerminalSizeOf(STDOUT_FILENO);
    // A small terminal has no room for what is beside the picture.
    std::vector<std::string> lines =
        PictureLines(image_, std::clamp(size.columns, 2, kPictureColumns),
                     std::clamp(size.rows - kOtherLines, 1, kPictureLines), LocaleIsUtf8());
    const std::vector<std::string> panel = player.Panel();
    for (std::size_t i = 0; i < std::min(panel.size(), lines.size()); ++i) {
      const int room = size.columns - DisplayColumns(lines[i]) - 2;
      if (room > 0) lines[i] += "  " + Cut(panel[i], room);
    }
    lines.push_back(
        Cut(fmt::format("{}, {}: episode {}, step {}, return {}", spec.name, player.Describe(),
                        score.episode, score.steps, FormatReturn(score.episode_return)),
            size.columns));
    if (const std::string hint = controls_.Hint(); !hint.empty()) {
      lines.push_back(Cut(hint, size.columns));
    }
    return lines;
  }

  RgbImage FilmFrame(const Player& player) {
    const Player::Values values = player.ActionValues();
    if (!panel_.has_value() || values.values.empty()) return image_;
    return panel_->Frame(image_, values.values, values.chosen);
  }

  const bool filming_;
  std::optional<ActionPanel> panel_;
  std::unique_ptr<TextScreen> screen_;
  PlayControls controls_;
  RgbImage image_;
  std::vector<RgbImage> film_;
};

Status CheckOptions(const PlayOptions& options, bool screen) {
  if (options.keyboard && !options.checkpoint.empty()) {
    return InvalidArgument(
        "--keyboard and PATH (or --checkpoint) exclude each other; give one of them");
  }
  if (options.at.has_value() && options.checkpoint.empty()) {
    return InvalidArgument("--at needs PATH, the run whose network it names");
  }
  if (!screen && options.gif.empty() && options.starts.empty()) {
    return InvalidArgument(
        "play: stdout is not a terminal; use --gif FILE or --record-starts FILE");
  }
  if (!screen && options.keyboard) {
    return InvalidArgument("--keyboard: stdout is not a terminal, so the game cannot be shown");
  }
  return OkStatus();
}

// The environment's configuration, and the network where an agent plays.
StatusOr<TrainedNetwork> LoadPlay(const PlayOptions& options) {
  if (!options.checkpoint.empty()) {
    GORILA_ASSIGN_OR_RETURN(TrainedNetwork network,
                            LoadTrainedNetworkAt(options.checkpoint, options.at, options.config));
    GORILA_RETURN_IF_ERROR(ChooseOneGame("play", options.game, network.config));
    return network;
  }
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_RETURN_IF_ERROR(ChooseOneGame("play", options.game, config));
  config.environment.options.games.clear();  // no network, so the game is played as it is alone
  return TrainedNetwork{std::move(config), {}, {}, {}};
}

StatusOr<std::unique_ptr<Player>> MakePlayer(const PlayOptions& options,
                                             const TrainedNetwork& network,
                                             const EnvironmentSpec& environment,
                                             const PlayControls& controls, RandomStream random) {
  if (options.keyboard) return MakeKeyboardPlayer(environment, controls);
  if (options.checkpoint.empty()) return MakeRandomPlayer(environment, random);
  return MakeAgentPlayer(network.config, environment, network.parameters, options.epsilon, random);
}

// Plays until the end of the episode; false when play is over before. `recorder` may be null.
StatusOr<bool> PlayEpisode(Environment& environment, Player& player, Stage& stage,
                           StartRecorder* recorder, Score& score) {
  FrameStacks stacks(environment.spec().observation, 1);
  FrameStacker stacker = stacks.stacker(0);
  GORILA_ASSIGN_OR_RETURN(TimeStep step, environment.Reset(stacker.BeginEpisode()));
  while (true) {
    player.Look(stacks.all());
    GORILA_ASSIGN_OR_RETURN(const bool wanted, stage.Show(environment, player, score));
    if (step.last()) return true;
    const std::optional<int> action = player.Act();
    if (!wanted || !action.has_value() || StopRequested() || stage.over()) return false;
    GORILA_ASSIGN_OR_RETURN(step, environment.Step(*action, stacker.Advance()));
    if (recorder != nullptr) recorder->Add(*action);
    score.episode_return += step.reward;
    ++score.steps;
  }
}

// Sets how games are played: recorded starts must depend on the actions alone, and an agent is
// shown as it is scored, with all its lives.
EnvironmentOptions GameOptions(const PlayOptions& options, const Config& config) {
  if (!options.starts.empty()) return StartPointOptions(config.environment.options);
  EnvironmentOptions game = config.environment.options;
  game.atari.life_loss_ends_episode = false;
  return game;
}

Status PlayAll(const PlayOptions& options, const TrainedNetwork& network, Stage& stage,
               StartRecorder* recorder, std::vector<Score>& scores) {
  EnvironmentOptions game = GameOptions(options, network.config);
  game.external.pictures = true;
  for (int i = 1; i <= options.episodes; ++i) {
    const auto episode = static_cast<std::uint64_t>(i);
    GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Environment> environment,
                            MakeEnvironment(network.config.environment.name, game,
                                            MakeRandomDraws(RandomStream::Derive(
                                                options.seed, "play environment", episode))));
    GORILA_ASSIGN_OR_RETURN(
        const std::unique_ptr<Player> player,
        MakePlayer(options, network, environment->spec(), stage.controls(),
                   RandomStream::Derive(options.seed, "play actions", episode)));
    scores.push_back({.episode = i});
    if (!options.checkpoint.empty()) {
      GORILA_RETURN_IF_ERROR(stage.AddPanel(environment->spec(), ActsByPolicy(network.config)
                                                                     ? ActionBars::kProbabilities
                                                                     : ActionBars::kQValues));
    }
    if (recorder != nullptr) recorder->BeginEpisode(episode, environment->spec());
    GORILA_ASSIGN_OR_RETURN(scores.back().finished,
                            PlayEpisode(*environment, *player, stage, recorder, scores.back()));
    if (recorder != nullptr) recorder->EndEpisode();
    if (!scores.back().finished) break;
  }
  return OkStatus();
}

void PrintEpisodeScores(const std::vector<Score>& scores) {
  for (const Score& score : scores) {
    fmt::print("episode {}: return {}, {} steps{}\n", score.episode,
               FormatReturn(score.episode_return), score.steps,
               score.finished ? "" : ", not finished");
  }
}

StatusOr<int> Play(const PlayOptions& options) {
  CatchStopSignals(&RestoreTerminal);
  const bool screen = ::isatty(STDOUT_FILENO) == 1;
  GORILA_RETURN_IF_ERROR(CheckOptions(options, screen));
  GORILA_ASSIGN_OR_RETURN(const TrainedNetwork network, LoadPlay(options));
  StartRecorder recorder(network.config.environment.name, network.config.environment.options,
                         options.seed, options.starts_per_episode);
  std::vector<Score> scores;
  std::vector<RgbImage> film;
  {
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Keyboard> keyboard, OpenKeyboard(options, screen));
    Stage stage(options, screen, std::move(keyboard));
    GORILA_RETURN_IF_ERROR(
        PlayAll(options, network, stage, options.starts.empty() ? nullptr : &recorder, scores));
    film = stage.TakeFilm();
  }
  PrintEpisodeScores(scores);
  if (!options.gif.empty()) {
    GORILA_RETURN_IF_ERROR(WriteAnimatedGif(options.gif, film, options.delay_milliseconds));
    fmt::print("{}: {} frames\n", options.gif.string(), film.size());
  }
  if (!options.starts.empty()) {
    GORILA_RETURN_IF_ERROR(recorder.Write(options.starts));
    fmt::print("{}: {} start points\n", options.starts.string(), recorder.points().starts.size());
  }
  return StopRequested() ? kInterrupted : kSuccess;
}

void AddOptions(CLI::App& app, PlayOptions& options) {
  options.config.AddKeys(app, kPlayFlags);
  app.add_option("PATH", options.checkpoint,
                 "The agent that plays: a run's folder, a checkpoint's or a .safetensors file")
      ->type_name("");
  AddAtFlag(app, options.at);
  AddGameFlag(app, options.game, "The game that is played, of a run with several");
  app.add_option("--checkpoint", options.older_checkpoint)->group(kHiddenGroup);
  app.add_flag("--keyboard", options.keyboard, "You play: arrows and space");
  app.add_option(
         "--gif", options.gif,
         fmt::format("Write the game as an animated GIF (at most {} frames)", kMostFilmFrames))
      ->type_name("FILE");
  app.add_option("--record-starts", options.starts,
                 "Write start points for protocol human-starts, taken from the games played")
      ->type_name("FILE");
  AddNumber(app, "--starts", options.starts_per_episode, {.low = 1, .high = 100000},
            "Start points taken from each episode")
      ->capture_default_str();
  AddNumber(app, "--episodes", options.episodes, {.low = 1, .high = 1000000}, "Episodes to play")
      ->capture_default_str();
  AddSeedFlag(app, options.seed, "Seed of the episodes")->capture_default_str();
  app.add_option("--epsilon", options.epsilon, "Probability that the agent acts at random")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("E");
  AddNumber(app, "--delay-ms", options.delay_milliseconds,
            {.low = 20, .high = 10000, .units = false}, "Milliseconds to show each frame")
      ->capture_default_str();
  options.config.AddSources(app);
  options.config.AddSets(app);
}

constexpr CommandText kPlayText = {
    .name = "play",
    .summary = "Watch or play a game in the terminal",
    .details =
        R"(A trained agent plays, or you do, or, when neither is named, actions are random. The terminal must
support 24-bit colours; --gif needs no terminal. A film of an agent shows its Q-values, or the
probabilities of its policy, beside the game. A policy is sampled from, unless --set
evaluation.act=argmax. Keys: q quits, space (p when you play) pauses, + and - change the speed, s
takes one step of a paused game. --record-starts writes start points for 'gorila evaluate --protocol
human-starts'.
)",
    .examples = R"(gorila play runs/minatar-breakout-minatar-seed1-1
gorila play --env minatar/seaquest --keyboard
gorila play runs/mine --gif breakout.gif
gorila play runs/minatar-minatar-seed1-1 --game asterix
gorila play --env pixel/breakout --keyboard --record-starts starts.jsonl --starts 20
)"};

}  // namespace

Verb AddPlayVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kPlayText);
  const auto options = std::make_shared<PlayOptions>();
  AddOptions(*app, *options);
  return {app, [options](const Invocation&) -> StatusOr<int> {
            GORILA_ASSIGN_OR_RETURN(
                options->checkpoint,
                OneOf("PATH", options->checkpoint, "--checkpoint", options->older_checkpoint));
            return Play(*options);
          }};
}

}  // namespace gorila::cli
