#include "gorila/evaluation/episode_film.h"

#include "gorila/agent/frame_stacker.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/playing_agent.h"

namespace gorila {

StatusOr<EpisodeFilm> FilmEpisode(const Config& config, std::span<const float> parameters,
                                  const FilmRequest& request) {
  GORILA_ASSIGN_OR_RETURN(const PlayingAgent agent, MakePlayingAgent(config, 1));
  EnvironmentOptions options = config.environment.options;
  options.atari.life_loss_ends_episode = false;  // a whole game, as evaluations play
  options.external.pictures = true;
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(config.environment.name, options,
                      MakeRandomDraws(RandomStream::Derive(request.seed, "film environment"))));
  RandomStream random = RandomStream::Derive(request.seed, "film actions");
  agent.network->SetParameters(parameters);
  FrameStacks stacks(agent.network->spec().input, 1);
  FrameStacker stacker = stacks.stacker(0);
  const ActingEnvironment acting{.epsilon = request.epsilon, .random = &random};
  ActOutput chosen;
  EpisodeFilm film;
  GORILA_ASSIGN_OR_RETURN(TimeStep step, environment->Reset(stacker.BeginEpisode()));
  while (true) {
    GORILA_RETURN_IF_ERROR(environment->Render(film.frames.emplace_back()));
    film.finished = step.last();
    if (film.finished || film.frames.size() >= request.most_frames) return film;
    agent.policy->Act({.observations = stacks.all(), .environments = {&acting, 1}}, chosen);
    GORILA_ASSIGN_OR_RETURN(step, environment->Step(chosen.actions[0], stacker.Advance()));
    film.episode_return += step.reward;
  }
}

}  // namespace gorila
