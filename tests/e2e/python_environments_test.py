"""The Python package: our games as environments of Gymnasium's interface, and whole games of any policy.
With the real Gymnasium where the distribution's Python finds one (PYTHONPATH may name it)."""

import unittest

import program
from python_case import Case, has

# A game of a fixed length: rewards 1, 2, ..., LENGTH, and what the environment was given. LENGTH
# depends on the seat, so that short games would be preferred by who counts the first ones that end.
COUNTING = """
import gorila, numpy

class Counting:
    action_space = type("Space", (), {"n": 2, "start": 0})()

    def __init__(self, length=3):
        self.length, self.steps, self.actions, self.seeds = length, 0, [], []

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        self.seeds.append(seed)
        return self.observe(), {}

    def observe(self):
        return numpy.array([self.steps], numpy.float32)

    def step(self, action):
        assert self.steps < self.length, "stepped after its end"
        self.actions.append(int(action))
        self.steps += 1
        ends = self.steps == self.length
        # Truncated and, now and then, terminated at once.
        return self.observe(), float(self.steps), ends and len(self.actions) % 2 == 0, ends, {}

class Vector:
    def __init__(self, mode, lengths):
        self.games = [Counting(length) for length in lengths]
        self.num_envs, self.mode = len(lengths), mode
        self.single_action_space = Counting.action_space
        self.metadata = {"autoreset_mode": mode}
        self.ended = numpy.zeros(self.num_envs, bool)

    def reset(self, *, seed=None, options=None):
        mask = (options or {}).get("reset_mask", numpy.ones(self.num_envs, bool))
        for game, chosen in zip(self.games, mask):
            if chosen:
                game.reset(seed=seed)
        self.ended[mask] = False
        return numpy.stack([game.observe() for game in self.games]), {}

    def step(self, actions):
        rows = []
        for i, game in enumerate(self.games):
            if self.mode == "NextStep" and self.ended[i]:
                rows.append((game.reset()[0], 1000.0, False, False, {}))
            else:
                rows.append(game.step(actions[i]))
                if self.mode == "SameStep" and (rows[-1][2] or rows[-1][3]):
                    rows[-1] = (game.reset()[0], *rows[-1][1:])
        observations, rewards, terminated, truncated, _ = map(list, zip(*rows))
        self.ended = numpy.array(terminated) | numpy.array(truncated)
        return (numpy.stack(observations), numpy.array(rewards), numpy.array(terminated),
                numpy.array(truncated), {})
"""


class Games(Case):
    """Without Gymnasium."""

    def test_an_environment_follows_gymnasiums_interface(self):
        self.python("""
            import gorila, numpy
            env = gorila.make("minatar/breakout", render_mode="rgb_array", minimal_actions=True)
            assert env.observation_space.shape == (4, 10, 10) and env.action_space.n == 3
            assert env.gorila_spec.action_names == ("no-op", "left", "right")
            first, info = env.reset(seed=3)
            assert info == {} and env.observation_space.contains(first)
            rewards, kept = 0, first.copy()
            for i in range(200):
                observation, reward, terminated, truncated, info = env.step(numpy.int64(i % 3))
                assert type(reward) is float and type(terminated) is bool, type(reward)
                assert observation.dtype == numpy.uint8 and not truncated
                rewards += reward
                if terminated:
                    env.reset()
            assert numpy.array_equal(first, kept)  # nobody writes into what was handed out
            picture = env.render()
            assert picture.shape == (160, 160, 3) and picture.max() > 100
            again, _ = env.reset(seed=3)
            assert numpy.array_equal(first, again)
            vector = gorila.make("classic/cart_pole")
            observation, _ = vector.reset(seed=1)
            assert observation.shape == (4,) and observation.dtype == numpy.float32
            assert gorila.make("minatar/breakout").render() is None
        """)

    def test_a_vector_resets_in_the_same_step(self):
        self.python("""
            import gorila, numpy
            envs = gorila.make_vec("classic/catch", 3)
            assert envs.metadata["autoreset_mode"].value == "SameStep"
            assert envs.observation_space.shape == (3, 1, 10, 5)
            assert envs.action_space.contains(envs.action_space.sample())
            one = gorila.make("classic/catch")
            observations, _ = envs.reset(seed=[4, 9, 5])
            expected, _ = one.reset(seed=9)
            ends = 0
            for i in range(60):
                assert numpy.array_equal(observations[1], expected), i
                before = observations.copy()
                observations, rewards, terminated, truncated, infos = envs.step([0, i % 3, 2])
                expected, reward, done, _, _ = one.step(i % 3)
                assert rewards.dtype == numpy.float64 and rewards[1] == reward
                assert terminated.dtype == bool and terminated[1] == done
                assert ("final_obs" in infos) == terminated.any()
                if done:
                    ends += 1
                    assert infos["_final_obs"].all() and infos["final_obs"].dtype == object
                    assert numpy.array_equal(infos["final_obs"][1], expected)
                    expected, _ = one.reset()
            assert ends == 6, ends
            # A number gives each a seed of its own, and the same ones again.
            first, _ = gorila.make_vec("minatar/asterix", 8).reset(seed=2)
            assert numpy.array_equal(first, gorila.make_vec("minatar/asterix", 8).reset(seed=2)[0])
        """)

    def test_a_vector_without_resets_waits_for_them(self):
        self.python("""
            import gorila, numpy
            envs = gorila.make_vec("classic/catch", 2, autoreset_mode="Disabled")
            envs.reset(seed=1)
            for _ in range(9):
                observations, _, terminated, _, infos = envs.step([1, 1])
            assert terminated.all() and infos == {}
            try:
                envs.step([1, 1])
                raise SystemExit("stepped")
            except gorila.InvalidArgument as error:
                assert "needs a reset" in str(error)
            fresh, _ = envs.reset(options={"reset_mask": numpy.array([False, True])})
            assert numpy.array_equal(fresh[0], observations[0])
            assert not numpy.array_equal(fresh[1], observations[1])
        """)

    def test_a_state_continues_bit_for_bit(self):
        self.python("""
            import gorila, numpy
            envs = gorila.make_vec("pixel/seaquest", 2, stack=2)
            observations, _ = envs.reset(seed=6)
            assert observations.shape == (2, 2, 84, 84)
            for i in range(20):
                observations = envs.step([i % 6, 5])[0]
            states = envs.save_state()
            first = [envs.step([i % 6, i % 5])[0] for i in range(30)]
            assert numpy.array_equal(envs.restore_state(states), observations)
            for i, expected in enumerate(first):
                assert numpy.array_equal(envs.step([i % 6, i % 5])[0], expected), i
            one = gorila.make("pixel/seaquest", stack=2)
            assert numpy.array_equal(one.restore_state(states[1]), observations[1])
            assert numpy.array_equal(one.step(0)[0], first[0][1])
        """)

    def test_a_networks_environments_have_its_runs_options(self):
        self.train("--set", "environment.max_episode_steps=4", "--set", "evaluation.episodes=1")
        self.python("""
            import gorila
            agent = gorila.load("run")
            env = agent.make()
            env.reset(seed=1)
            assert [env.step(0)[3] for _ in range(4)] == [False, False, False, True]
            envs = agent.make_vec(3, max_episode_steps=2)
            observations, _ = envs.reset(seed=1)
            envs.step(agent.predict(observations)[0])
            assert envs.step([0, 0, 0])[3].all()
        """)

    def test_what_cannot_be_is_refused_in_a_line(self):
        make = "env = gorila.make('minatar/breakout')\n"
        vec = "envs = gorila.make_vec('minatar/breakout', 3)\nenvs.reset(seed=1)\n"
        for code, *fragments in [
            ("gorila.make('minatar/brekout')", "InvalidArgument", "minatar/brekout", "minatar/breakout"),
            ("gorila.make('minatar/breakout', stickyactions=0)", "sticky_actions"),
            ("gorila.make('minatar/breakout', sticky_actions=1.5)", "1.5", "sticky_actions"),
            ("gorila.make('minatar/breakout', render_mode='human')", "render_mode", "human", "rgb_array"),
            ("gorila.make_vec('minatar/breakout', 0)", "count is 0"),
            ("gorila.make_vec('minatar/breakout', 2, autoreset_mode='NextStep')", "NextStep", "SameStep"),
            ("gorila.make_vec('minatar/breakout', 2, autoreset_mode='never')", "never", "SameStep"),
            (make + "env.step(0)", "needs a reset"),
            (make + "env.reset(seed=1); env.step(6)", "action 6", "0 to 5"),
            (make + "env.reset(seed=1); env.step(1.5)", "1.5", "whole number"),
            (make + "env.reset(seed=-1)", "-1"),
            (make + "env.close(); env.reset()", "closed"),
            (make + "env.restore_state(b'nonsense')", "state"),
            (vec + "envs.step([0, 1])", "(2,)", "(3,)"),
            (vec + "envs.step([0.0, 1.0, 2.0])", "float64"),
            (vec + "envs.step([0, 1, 9])", "action 9 of environment 2"),
            (vec + "envs.reset(seed=[1, 2])", "2 seeds", "3"),
        ]:  # fmt: skip
            line = self.error(code)
            for fragment in fragments:
                self.assertIn(fragment, line)


class Evaluations(Case):
    """Whole games, whatever the environment does at their ends."""

    def test_a_single_environment_plays_whole_games(self):
        self.python(COUNTING + """
env = Counting(3)
seen = []
def policy(observation):
    seen.append(float(observation[0]))
    return 1
result = gorila.evaluate(policy, env, episodes=4, seed=11)
assert result.returns == [6.0] * 4 and result.steps == 12, result.returns
assert result.mean == 6 and result.std == 0
assert seen == [0, 1, 2] * 4 and env.seeds == [11, None, None, None] and set(env.actions) == {1}
random = gorila.evaluate(policy, env, episodes=200, seed=1, epsilon=0.5)
assert 0.15 < env.actions[12:].count(0) / 600 < 0.35
again = Counting(3)
gorila.evaluate(policy, again, episodes=200, seed=1, epsilon=0.5)
assert again.actions == env.actions[12:]
""")

    def test_vectors_play_whole_games_in_every_mode(self):
        self.python(COUNTING + """
for mode in ["NextStep", "SameStep", "Disabled"]:
    envs = Vector(mode, [2, 5, 3])
    firsts = []
    class Agent:
        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            assert deterministic
            if state is not None:  # where it says that games begin, they do
                about = ~envs.ended if mode == "NextStep" else slice(None)
                assert ((observation[:, 0] == 0) == episode_start)[about].all(), mode
            return numpy.ones(3, int), "state"
    result = gorila.evaluate(Agent(), envs, episodes=7, seed=1)
    # Each plays its share, whatever its length: 2, 2 and 3 games.
    assert sorted(result.returns) == [3, 3, 6, 6, 6, 15, 15], (mode, result.returns)
    assert result.steps == 2 * 2 + 2 * 5 + 3 * 3
    few = gorila.evaluate(Agent(), Vector(mode, [2, 5, 3]), episodes=1)
    assert few.returns == [6.0]
said_nothing = Vector("SameStep", [2])
said_nothing.metadata = {}
try:
    gorila.evaluate(lambda o: [0], said_nothing, episodes=1)
    raise SystemExit("played")
except gorila.InvalidArgument as error:
    assert "autoreset_mode" in str(error), error
assert gorila.evaluate(lambda o: [0], said_nothing, 1, autoreset_mode="SameStep").returns == [3]
""")

    def test_our_games_give_the_programs_score(self):
        self.train()
        self.python("""
            import gorila
            agent = gorila.load("run")
            single = gorila.evaluate(agent, agent.make(), episodes=200, seed=1)
            same = gorila.evaluate(agent, agent.make_vec(8), episodes=200, seed=2)
            off = gorila.evaluate(agent, agent.make_vec(8, autoreset_mode="Disabled"), 200, seed=2)
            program = agent.evaluate(200)
            assert same.returns == off.returns
            for result in (single, same):
                assert len(result.returns) == 200 and result.steps == 1800
                assert abs(result.mean - program.mean) < 0.2, (result, program)
            assert gorila.evaluate(agent, agent.make_vec(8), 200, seed=2, epsilon=1).mean < 0
        """)

    def test_what_cannot_be_is_refused_in_a_line(self):
        make = "env = gorila.make('classic/catch')\n"
        old = "class Old:\n    action_space = None\n    def reset(self, seed=None): return 0, {}\n"
        old += "    def step(self, action): return 0, 0.0, True, {}\n"
        for code, *fragments in [
            (make + "gorila.evaluate(3, env)", "policy", "int"),
            (make + "gorila.evaluate(lambda o: 0, env, episodes=0)", "episodes is 0"),
            (make + "gorila.evaluate(lambda o: 0, env, epsilon=7)", "epsilon is 7"),
        ]:
            line = self.error(code)
            for fragment in fragments:
                self.assertIn(fragment, line)
        text = self.python(
            "import gorila\n" + old + "try:\n    gorila.evaluate(lambda o: 0, Old())\n"
            "except gorila.InvalidArgument as error:\n    print(error)"
        )
        self.assertIn("env.step gave 4 values", text)


class Gymnasium(Case):
    """With the real one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not has("gymnasium"):
            raise unittest.SkipTest("the distribution's Python has no gymnasium")

    def test_its_checker_accepts_every_game(self):
        self.python("""
            import warnings, gymnasium, gorila
            from gymnasium.utils.env_checker import check_env
            for name in gorila.NAMES:
                env = gymnasium.make("gorila:" + name, render_mode="rgb_array")
                assert isinstance(env.unwrapped, gorila.Environment), env
                assert isinstance(env.unwrapped, gymnasium.Env)
                assert isinstance(env.observation_space, gymnasium.spaces.Box)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of unbounded boxes
                    check_env(env.unwrapped)
                observation, _ = env.reset(seed=1)
                assert env.observation_space.contains(observation)
                env.step(env.action_space.sample())
                assert env.render().ndim == 3
        """, gymnasium=True)  # fmt: skip

    def test_its_vectors_give_what_ours_give(self):
        self.python("""
            import gymnasium, gorila, numpy
            ours = gorila.make_vec("classic/catch", 3)
            assert isinstance(ours, gymnasium.vector.VectorEnv)
            theirs = [gorila.make("classic/catch") for _ in range(3)]
            observations, _ = ours.reset(seed=[1, 2, 3])
            assert ours.observation_space.contains(observations)
            expected = [env.reset(seed=i + 1)[0] for i, env in enumerate(theirs)]
            for i in range(40):
                assert numpy.array_equal(observations, expected), i
                actions = numpy.array([0, i % 3, 2])
                observations, rewards, terminated, truncated, infos = ours.step(actions)
                for k, env in enumerate(theirs):
                    expected[k], reward, done, _, _ = env.step(actions[k])
                    assert rewards[k] == reward and terminated[k] == done
                    if done:
                        key = "final_obs" if "final_obs" in infos else "final_observation"
                        assert numpy.array_equal(infos[key][k], expected[k])
                        expected[k] = env.reset()[0]
            ours.close()
        """, gymnasium=True)  # fmt: skip

    def test_vectors_are_evaluated_in_its_own_modes(self):
        self.python("""
            import gymnasium, gorila
            from gorila import gym
            def make():
                return gymnasium.make("gorila:classic/catch")
            modes = [{}]
            if hasattr(gymnasium.vector, "AutoresetMode"):
                modes = [{"autoreset_mode": mode} for mode in gymnasium.vector.AutoresetMode]
            for mode in modes:
                envs = gymnasium.vector.SyncVectorEnv([make] * 3, **mode)
                stay = lambda observations: [1] * 3
                result = gorila.evaluate(stay, envs, episodes=20, seed=3)
                # Every game of Catch takes nine steps and ends with 1 or -1.
                assert len(result.returns) == 20 and result.steps == 180, (mode, result.steps)
                assert set(result.returns) <= {1.0, -1.0} and len(set(result.returns)) == 2
            cart_pole = gymnasium.make("CartPole-v1")
            result = gorila.evaluate(lambda o: int(o[2] > 0), cart_pole, episodes=10, seed=3)
            assert result.steps == sum(result.returns) and 20 < result.mean < 100, result
        """, gymnasium=True)  # fmt: skip

    def test_make_vec_uses_one_call_for_all(self):
        self.python("""
            import gymnasium, gorila
            if gorila.gym.MAJOR >= 1:
                envs = gymnasium.make_vec("gorila:minatar/breakout", num_envs=4,
                                          vectorization_mode="vector_entry_point")
                assert isinstance(envs.unwrapped, gorila.VectorEnvironment)
                recorded = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
                recorded.reset(seed=1)
                seen = 0
                for _ in range(300):
                    infos = recorded.step(recorded.action_space.sample())[4]
                    if "episode" in infos:
                        seen += infos["_episode"].sum()
                        assert (infos["episode"]["l"][infos["_episode"]] > 0).all()
                assert seen > 4
        """, gymnasium=True)  # fmt: skip


if __name__ == "__main__":
    program.main()
