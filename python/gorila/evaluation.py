"""Whole games of any policy in any environment that follows Gymnasium's interface."""

import dataclasses
import statistics

import numpy

from gorila import gym
from gorila.errors import InvalidArgument


@dataclasses.dataclass(frozen=True)
class Evaluation:
    returns: list  # of each episode: the sum of its rewards
    steps: int  # of all episodes

    @property
    def mean(self):
        return statistics.fmean(self.returns)

    @property
    def std(self):
        """Between episodes (of the population, as numpy.std)."""
        return statistics.pstdev(self.returns)

    @property
    def standard_error(self):
        """Of the mean; not a number for one episode."""
        count = len(self.returns)
        return statistics.stdev(self.returns) / count**0.5 if count > 1 else float("nan")

    def __repr__(self):
        return (
            f"<gorila.Evaluation {self.mean:.2f} +- {self.standard_error:.2f}, "
            f"{len(self.returns)} episodes>"
        )


def evaluate(
    policy, env, episodes=10, seed=None, epsilon=0.0, autoreset_mode=None, deterministic=None
):
    """Plays `episodes` whole episodes and gives the return of each, in the order of their ends.

    policy: has predict(observation, deterministic=...) -> (action, state), as gorila.load() and
        Stable-Baselines3 give it; or a function from observations to actions.
    env: an environment of Gymnasium's interface, or a vector of them in any autoreset mode. Of a
        vector each environment plays its share, so that short episodes are not preferred.
    seed: of env.reset(), and of the random actions.
    epsilon: the probability of a random action in place of the policy's.
    deterministic: what predict() is told. By default True, but for gorila.load()'s networks of a
        policy, which act as their evaluation.act says: sampling, unless it is "argmax".
    autoreset_mode: "NextStep", "SameStep" or "Disabled", for vectors whose metadata do not say it.

    Rewards are counted as the environment gives them: a wrapper that clips them, or ends an episode
    with a life, changes the score.
    """
    if int(episodes) != episodes or episodes < 1:
        raise InvalidArgument(f"episodes is {episodes}; expected 1 or more")
    if not 0 <= epsilon <= 1:
        raise InvalidArgument(f"epsilon is {epsilon}; expected 0 to 1")
    vector = gym.is_vector(env)
    space = env.single_action_space if vector else env.action_space
    player = _Player(policy, space, epsilon, numpy.random.default_rng(seed), deterministic)
    if not vector:
        return _play_one(player, env, int(episodes), seed)
    return _play_vector(player, env, int(episodes), seed, gym.autoreset_of(env, autoreset_mode))


class _Player:
    def __init__(self, policy, space, epsilon, random, deterministic):
        self.predict = getattr(policy, "predict", None)
        self.deterministic = True if deterministic is None else bool(deterministic)
        # A network of ours that draws its actions: by the evaluation's seed.
        self.sampler = None
        if getattr(policy, "configured_act", None) is not None and policy.is_policy:
            how = None
            if deterministic is not None:
                how = "argmax" if deterministic else "sample"
            self.sampler = lambda observation: policy.act(
                observation, seed=int(self.random.integers(2**63)), how=how
            )
        if self.predict is None and not callable(policy):
            raise InvalidArgument(
                f"the policy is {type(policy).__name__}; expected predict(observation, "
                "deterministic=...) or a function from observations to actions"
            )
        self.policy, self.epsilon, self.random, self.state = policy, epsilon, random, None
        self.num_actions = getattr(space, "n", None)
        self.start = int(getattr(space, "start", 0))
        if epsilon > 0 and self.num_actions is None:
            raise InvalidArgument(f"epsilon needs Discrete actions; the environment's are {space}")

    def act(self, observation, starts, count=None):
        """Of `count` environments, or (None) of one that is no vector."""
        if self.sampler is not None:
            actions = self.sampler(observation)
        elif self.predict is None:
            actions = self.policy(observation)
        elif self.state is None:
            actions, self.state = self.predict(observation, deterministic=self.deterministic)
        else:
            actions, self.state = self.predict(
                observation, state=self.state, episode_start=starts,
                deterministic=self.deterministic,
            )  # fmt: skip
        if self.epsilon == 0:
            return actions
        drawn = self.random.random(count) < self.epsilon
        others = self.random.integers(self.start, self.start + self.num_actions, count)
        return numpy.where(drawn, others, actions) if count else (others if drawn else actions)


def _five(step):
    if len(step) != 5:
        raise InvalidArgument(
            f"env.step gave {len(step)} values; expected (observation, reward, terminated, "
            "truncated, info), as Gymnasium and Gym since 0.26"
        )
    return step


def _play_one(player, env, episodes, seed):
    returns, steps = [], 0
    observation, _ = env.reset(seed=seed)
    while True:
        total, done, starts = 0.0, False, numpy.ones(1, bool)
        while not done:
            action = player.act(observation, starts)
            observation, reward, terminated, truncated, _ = _five(env.step(action))
            total += float(reward)
            steps += 1
            done, starts = terminated or truncated, numpy.zeros(1, bool)
        returns.append(total)
        if len(returns) == episodes:
            return Evaluation(returns, steps)
        observation, _ = env.reset()


def _play_vector(player, env, episodes, seed, mode):
    count = env.num_envs
    left = numpy.array([(episodes + i) // count for i in range(count)])
    totals, lengths = numpy.zeros(count), numpy.zeros(count, int)
    # NextStep: the step after an end only resets; its action and reward are of no episode.
    resetting = numpy.zeros(count, bool)
    returns, steps = [], 0
    observations, _ = env.reset(seed=seed)
    starts = numpy.ones(count, bool)
    while left.any():
        actions = player.act(observations, starts, count)
        observations, rewards, terminated, truncated, _ = _five(env.step(actions))
        totals += numpy.where(resetting, 0, rewards)
        lengths += ~resetting
        ends = (numpy.asarray(terminated) | numpy.asarray(truncated)) & ~resetting
        for i in numpy.flatnonzero(ends):
            if left[i] > 0:
                returns.append(float(totals[i]))
                steps += int(lengths[i])
                left[i] -= 1
            totals[i], lengths[i] = 0, 0
        starts = resetting if mode == "NextStep" else ends
        if mode == "NextStep":
            resetting = ends
        elif mode == "Disabled" and ends.any():
            observations, _ = env.reset(options={"reset_mask": ends})
    return Evaluation(returns, steps)
