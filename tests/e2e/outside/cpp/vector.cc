// vector NAME: steps many environments with one call, choosing actions at random.
#include <gorila.h>

#include <cstdio>
#include <memory>
#include <random>
#include <vector>

int main(int argc, char** argv) {
  constexpr int kGames = 64;
  const char* const settings[] = {"sticky_actions=0.25"};
  if (argc != 2) return 2;
  gorila_environments* made = nullptr;
  if (gorila_environments_make(argv[1], settings, 1, kGames, 1, 0, &made) != GORILA_OK) {
    std::fprintf(stderr, "%s\n", gorila_last_error());
    return 1;
  }
  const std::unique_ptr<gorila_environments, void (*)(gorila_environments*)> games(
      made, &gorila_environments_free);
  gorila_spec spec = {};
  spec.struct_size = sizeof spec;
  if (gorila_environments_spec(games.get(), &spec) != GORILA_OK) return 1;
  std::vector<std::uint8_t> observations(kGames * spec.observation_bytes);
  std::vector<std::int64_t> actions(kGames);
  std::vector<double> rewards(kGames);
  std::vector<std::uint8_t> terminated(kGames), truncated(kGames);
  if (gorila_environments_reset(games.get(), nullptr, nullptr, observations.data()) != GORILA_OK) {
    return 1;
  }
  std::mt19937 random(1);
  int ends = 0;
  for (int step = 0; step < 200; ++step) {
    for (std::int64_t& action : actions) action = random() % spec.num_actions;
    if (gorila_environments_step(games.get(), actions.data(), observations.data(), rewards.data(),
                                 terminated.data(), truncated.data(), nullptr) != GORILA_OK) {
      std::fprintf(stderr, "%s\n", gorila_last_error());
      return 1;
    }
    for (int i = 0; i < kGames; ++i) ends += terminated[i] + truncated[i];
  }
  std::printf("%s: %d games, %d ends\n", argv[1], kGames, ends);
  return ends > 0 ? 0 : 1;
}
