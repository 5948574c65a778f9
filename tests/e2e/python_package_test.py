"""The Python package: networks, runs, and how it finds its library."""

import json
import os
import pathlib
import shutil
import subprocess
import zipfile

import algorithms
import program
from python_case import BUILD, LIBRARY, PACKAGE, PYTHON, Case, has
# An environment of a user's own.
COUNTING = """
import numpy

class Box:
    shape, dtype = (2,), numpy.dtype(numpy.float32)

class Discrete:
    n, start = 2, 0

class Counting:
    observation_space, action_space = Box(), Discrete()

    def __init__(self, length):
        self.length = length

    def reset(self, seed=None, options=None):
        self.steps = 0
        return numpy.zeros(2, numpy.float32), {}

    def step(self, action):
        self.steps += 1
        observation = numpy.array([self.steps, action], numpy.float32)
        return observation, float(self.steps), False, self.steps == self.length, {}
"""


class Networks(Case):
    def test_a_network_of_several_games_plays_the_one_that_is_chosen(self):
        self.run_program(
            "train", *program.TINY, "--env", "minatar/breakout,minatar/asterix", "--frames", "2000",
            "--set", "environment.minimal_actions=true", "--set", "actor.environments=2",
            "--set", "network.heads=per_game", "--set", "evaluation.episodes=3", "--deterministic",
            "--set", "evaluation.best=false", "--quiet", "--run-dir", "run",
        )  # fmt: skip
        self.run_program("export", "run", "--game", "asterix", "--format", "npz")
        self.python("""
            import gorila, numpy
            whole = gorila.load("run")
            games = gorila.Run("run").result()["games"]
            assert whole.games == [game["environment"] for game in games], whole.games
            for game in games:
                agent = gorila.load("run", game=game["environment"])
                assert agent.spec.environment == game["environment"]
                assert agent.evaluate(3).returns == game["returns"]
            agent = gorila.load("run", game="breakout")
            environment = agent.make()
            observation, _ = environment.reset(seed=1)
            q = agent.q_values(observation)
            assert numpy.isfinite(q).sum() == 3 and len(q) > 3, q
            assert {int(agent.act(observation, epsilon=1.0, seed=i)) for i in range(50)} == set(
                numpy.flatnonzero(numpy.isfinite(q))
            )
            weights = numpy.load("network.npz")
            agent = gorila.load("run", game="asterix")
            x = observation.reshape(-1).astype(numpy.float64)
            x = numpy.maximum(x @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
            expected = x @ weights["q.weight"].T + weights["q.bias"]
            q = agent.q_values(observation)
            assert len(q) == len(expected)
            has = numpy.isfinite(q)
            assert abs(q - expected)[has].max() < 1e-5, (q, expected)
        """)
        for code in ["whole.evaluate(1)", "whole.make()", "whole.q_values(numpy.zeros(whole.spec.shape, numpy.uint8))"]:
            text = self.error(f"whole = gorila.load('run')\n{code}")
            self.assertIn("InvalidArgument the network plays several games", text)
            self.assertIn("minatar/breakout, minatar/asterix", text)
        self.assertIn("freeway", self.error("gorila.load('run', game='freeway')"))

    def test_q_values_are_those_of_the_exported_parameters(self):
        self.train()
        self.run_program("export", "run", "--format", "npz", "--examples", "q.json")
        self.python("""
            import gorila, json, numpy
            agent = gorila.load("run")
            weights = numpy.load("network.npz")
            examples = json.load(open("q.json"))
            boards = numpy.array(examples["observations"], numpy.uint8)
            boards = boards.reshape(-1, *agent.spec.shape)
            x = boards.reshape(len(boards), -1).astype(numpy.float64)
            x = numpy.maximum(x @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
            expected = x @ weights["q.weight"].T + weights["q.bias"]
            q = agent.q_values(boards)
            assert q.dtype == numpy.float32 and q.shape == (16, 3), q
            assert abs(q - expected).max() < 1e-5, abs(q - expected).max()
            assert abs(q - examples["q"]).max() < 1e-6
            assert abs(expected).max() > 1e-3
            assert numpy.array_equal(agent.q_values(boards[3]), agent.q_values(boards[3:4])[0])
            state = agent.state_dict()
            assert list(state) == weights.files
            for name, array in state.items():
                assert array.dtype == numpy.float32 and numpy.array_equal(array, weights[name]), name
        """)

    def test_q_values_of_every_algorithm_are_the_programs_own(self):
        for name in ["c51-dueling-noise", "qr_dqn-dueling"]:
            algorithms.train(self, name)
            self.run_program("export", name, "--format", "npz", "--examples", "q.json")
            self.python("""
                import gorila, json, numpy, sys
                agent = gorila.load(sys.argv[1])
                examples = json.load(open("q.json"))
                boards = numpy.array(examples["observations"], numpy.uint8)
                q = agent.q_values(boards.reshape(-1, *agent.spec.shape))
                assert abs(q - examples["q"]).max() < 1e-5
            """, name)  # fmt: skip

    def test_predict_is_what_users_of_stable_baselines3_expect(self):
        self.train()
        self.python("""
            import gorila, numpy
            agent = gorila.load("run")
            assert agent.spec.environment == "classic/catch" and agent.spec.algorithm == "double_dqn"
            assert agent.spec.action_names == ("left", "stay", "right"), agent.spec
            assert agent.spec.shape == (1, 10, 5) and agent.spec.dtype == numpy.uint8
            boards = numpy.random.default_rng(1).integers(0, 2, (500, 1, 10, 5), numpy.uint8)
            actions, state = agent.predict(boards, state=None, episode_start=None)
            assert state is None and actions.dtype == numpy.int64 and actions.shape == (500,)
            assert numpy.array_equal(actions, agent.q_values(boards).argmax(1))
            action, state = agent.predict(boards[0], deterministic=True)
            assert action == actions[0] and numpy.ndim(action) == 0 and action.dtype == numpy.int64
            agent.epsilon = 0.5
            agent.set_random_seed(4)
            drawn, _ = agent.predict(boards, deterministic=False)
            assert 100 < (drawn != actions).sum() < 240
            agent.set_random_seed(4)
            assert numpy.array_equal(drawn, agent.predict(boards, deterministic=False)[0])
            assert numpy.array_equal(agent.act(boards, 0.3, seed=2), agent.act(boards, 0.3, seed=2))
        """)

    def test_a_policy_has_probabilities_and_is_sampled_from(self):
        algorithms.train(self, "vtrace")
        self.run_program("export", "vtrace", "--format", "npz", "--examples", "q.json")
        printed, _ = self.run_program("evaluate", "vtrace", "--episodes", "30", "--json")
        self.python("""
            import gorila, json, numpy, sys
            agent = gorila.load("vtrace")
            assert agent.is_policy and agent.configured_act == "sample"
            examples = json.load(open("q.json"))
            boards = numpy.array(examples["observations"], numpy.uint8)
            boards = boards.reshape(-1, *agent.spec.shape)
            probabilities = agent.probabilities(boards)
            assert probabilities.dtype == numpy.float32 and probabilities.shape == (16, 3)
            assert abs(probabilities - examples["policy"]).max() < 1e-6
            assert abs(agent.values(boards) - examples["value"]).max() < 1e-5
            one = agent.probabilities(boards[0])
            assert one.shape == (3,) and abs(one - probabilities[0]).max() < 1e-6
            assert numpy.ndim(agent.values(boards[0])) == 0

            many = numpy.repeat(boards[:1], 3000, 0)
            drawn = agent.act(many, seed=1)
            assert abs(numpy.bincount(drawn, minlength=3) / 3000 - one).max() < 0.04, one
            assert numpy.array_equal(drawn, agent.act(many, seed=1))
            assert not numpy.array_equal(drawn, agent.act(many, seed=2))
            agent.set_random_seed(3)
            first, second = agent.act(many), agent.act(many)
            assert not numpy.array_equal(first, second)
            agent.set_random_seed(3)
            assert numpy.array_equal(agent.predict(many, deterministic=False)[0], first)
            likeliest = probabilities.argmax(1)
            assert numpy.array_equal(agent.predict(boards)[0], likeliest)
            assert numpy.array_equal(agent.act(boards, how="argmax"), likeliest)
            quiet = gorila.load("vtrace", settings={"evaluation.act": "argmax"})
            assert quiet.configured_act == "argmax"
            assert numpy.array_equal(quiet.act(boards), likeliest)
            assert numpy.array_equal(quiet.act(many, seed=1, how="sample"), drawn)

            expected = json.loads(sys.argv[1])
            assert expected["act"] == "sample"
            assert agent.evaluate(30).returns == expected["returns"]
            assert quiet.evaluate(30).returns != expected["returns"]
            games = [gorila.evaluate(a, a.make(), 30, seed=4, deterministic=d).returns for a, d in
                     [(agent, None), (agent, None), (agent, False), (quiet, False)]]
            assert games[0] == games[1] == games[2] == games[3], games
            games = [gorila.evaluate(a, a.make(), 30, seed=4, deterministic=d).returns for a, d in
                     [(quiet, None), (quiet, True), (agent, True)]]
            assert games[0] == games[1] == games[2], games
        """, printed)  # fmt: skip
        load = "agent, board = gorila.load('vtrace'), numpy.zeros((1, 10, 5), numpy.uint8)\n"
        for code, *fragments in [
            ("agent.q_values(board)", "InvalidArgument", "vtrace", "probabilities()"),
            ("agent.act(board, how='best')", "'best'", "'argmax'"),
        ]:
            line = self.error(load + code)
            for fragment in fragments:
                self.assertIn(fragment, line)

    def test_an_evaluation_is_that_of_the_program(self):
        self.train()
        stdout, _ = self.run_program("evaluate", "run", "--episodes", "30", "--json",
                                     "--protocol", "epsilon-0.05")  # fmt: skip
        self.python("""
            import gorila, json, sys
            expected = json.loads(sys.argv[1])
            result = gorila.load("run").evaluate(30, protocol="epsilon-0.05")
            assert result.returns == expected["returns"], result.returns
            assert result.steps == expected["steps"] and result.mean == expected["mean"]
            assert gorila.load("run").evaluate(30, seed=5, epsilon=1).mean < result.mean
        """, stdout)  # fmt: skip

    def test_ctrl_c_ends_an_evaluation(self):
        self.train()
        self.python("""
            import gorila, os, signal, threading
            agent = gorila.load("run")
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                agent.evaluate(5_000_000)
                raise SystemExit("not interrupted")
            except KeyboardInterrupt:
                pass
            assert agent.evaluate(2).steps == 18
        """)

    def test_a_checkpoint_and_a_file_are_networks_too(self):
        self.train()
        self.run_program("export", "run", "--format", "safetensors", "--output", "net.safetensors")
        checkpoint = program.checkpoints(self.folder / "run")[-1]
        self.python("""
            import gorila, numpy, sys
            board = numpy.zeros((1, 10, 5), numpy.uint8)
            q = gorila.load("run").q_values(board)
            assert numpy.array_equal(gorila.load(sys.argv[1]).q_values(board), q)
            file = gorila.load("net.safetensors", config="run/config.toml")
            assert numpy.array_equal(file.q_values(board), q)
            assert "catch" in file.config_text() and "net.safetensors" in repr(file)
        """, checkpoint)  # fmt: skip

    def test_several_threads_may_share_a_network(self):
        self.train()
        self.python("""
            import gorila, numpy
            from concurrent.futures import ThreadPoolExecutor
            agent = gorila.load("run")
            boards = numpy.random.default_rng(1).integers(0, 2, (64, 1, 10, 5), numpy.uint8)
            expected = agent.q_values(boards)
            with ThreadPoolExecutor(8) as pool:
                for i, q in enumerate(pool.map(agent.q_values, [boards] * 200)):
                    assert numpy.array_equal(q, expected), i
        """)

    def test_what_cannot_be_is_refused_in_a_line(self):
        self.train()
        (self.folder / "empty").mkdir()
        load = "agent = gorila.load('run')\n"
        for code, *fragments in [
            ("gorila.load('nowhere')", "NotFound 'nowhere'"),
            ("gorila.load('empty')", "InvalidArgument", "'empty'", "checkpoint"),
            (load + "agent.probabilities(numpy.zeros((1, 10, 5), numpy.uint8))", "double_dqn",
             "q_values()"),
            ("gorila.load('run', settings={'network.hiden': [3]})", "network.hidden"),
            (load + "agent.q_values(numpy.zeros((10, 5, 1), numpy.uint8))", "(10, 5, 1)", "(1, 10, 5)",
             "channels last"),
            (load + "agent.q_values(numpy.zeros(50, numpy.uint8))", "(50,)", "(N, 1, 10, 5)"),
            (load + "agent.predict(numpy.zeros((1, 10, 5)))", "float64", "uint8", "astype"),
            (load + "agent.act(numpy.zeros((1, 10, 5), numpy.uint8), epsilon=2)", "epsilon is 2"),
            (load + "agent.act(numpy.zeros((1, 10, 5), numpy.uint8), seed=-1)", "seed is -1"),
            (load + "agent.evaluate(3, protocol='gredy')", "greedy"),
            (load + "agent.evaluate(0)", "episodes is 0"),
            ("gorila.Run('empty')", "InvalidArgument", "'empty'", "config.toml"),
            ("gorila.Run('nowhere')", "NotFound", "'nowhere'"),
        ]:  # fmt: skip
            line = self.error(code)
            for fragment in fragments:
                self.assertIn(fragment, line)


class Runs(Case):
    def test_a_run_is_read_also_while_it_is_written(self):
        self.train("--set", "evaluation.every_frames=3000")
        with open(self.folder / "run" / "metrics.jsonl", "a") as log:
            log.write('{"kind":"training","fra')
        self.python("""
            import gorila, math
            run = gorila.Run("run")
            records = run.metrics()
            assert records[-1]["kind"] == "final_evaluation", records[-1]
            assert len(run.metrics("training")) >= 1
            frames = [record["frames"] for record in run.evaluations()]
            assert len(frames) >= 3 and frames == sorted(frames), frames
            assert run.config()["network"]["hidden"] == [32]
            result = run.result()
            assert len(result["returns"]) == 20 and result["environment"] == "classic/catch"
            assert run.report() is not None
            [start] = run.starts()
            assert start["command"].startswith("gorila train ") and start["frames"] == 0
        """, GORILA_LIBRARY="/nonexistent")  # fmt: skip

    def test_each_game_of_a_run_has_a_curve(self):
        run = self.folder / "run"
        run.mkdir()
        (run / "config.toml").write_text("")
        rows = [
            {"kind": "training", "frames": 10 * i, "return_mean": 50.0, "games": {
                "a/pong": {"frames": 5 * i, "return_mean": 1.5 * i},
                "a/chess": {"frames": 5 * i, "return_mean": None if i == 1 else 7.0}}}
            for i in [1, 2]
        ]  # fmt: skip
        (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.python("""
            import gorila
            run = gorila.Run("run")
            assert run.games() == ["a/pong", "a/chess"]
            assert run.curve() == [(10, 50.0), (20, 50.0)]
            assert run.curve("pong") == run.curve("a/pong") == [(10, 1.5), (20, 3.0)]
            assert run.curve("chess") == [(20, 7.0)]
            assert run.curve("chess", kind="evaluation") == []
        """, GORILA_LIBRARY="/nonexistent")  # fmt: skip
        self.assertIn("game is 'go'; expected one of: a/pong, a/chess",
                      self.error("gorila.Run('run').curve('go')"))  # fmt: skip

    def test_an_unknown_kind_of_record_is_refused(self):
        self.train()
        self.assertIn("kind is 'traning'; expected one of training", self.error("gorila.Run('run').metrics('traning')"))

    def test_a_damaged_line_is_named(self):
        self.train()
        with open(self.folder / "run" / "metrics.jsonl", "a") as log:
            log.write("nonsense\n")
        lines = (self.folder / "run" / "metrics.jsonl").read_text().count("\n")
        self.assertIn(f"metrics.jsonl', line {lines}", self.error("gorila.Run('run').metrics()"))


class Found(Case):
    """How the package finds its library."""

    def test_names_are_those_of_the_library(self):
        self.python("""
            import gorila
            from gorila import library
            native = library.library()
            names, index = [], 0
            while (name := native.gorila_environment_name(index)) is not None:
                names.append(name.decode())
                index += 1
            assert tuple(names) == gorila.NAMES, names
            assert native.gorila_version().decode() == gorila.__version__
        """)

    def test_nothing_of_torch_or_grpc_is_loaded(self):
        self.python("""
            import gorila
            gorila.make("minatar/breakout").reset(seed=1)
            maps = open("/proc/self/maps").read()
            assert "libgorila.so.1" in maps
            for unwanted in ["libtorch", "libgrpc", "libprotobuf"]:
                assert unwanted not in maps, unwanted
        """)

    def test_a_library_that_does_not_fit_is_named(self):
        make = "gorila.make('minatar/breakout')"
        line = self.error(make, GORILA_LIBRARY="/nonexistent/libgorila.so.1")
        self.assertIn("'/nonexistent/libgorila.so.1' cannot be loaded", line)
        other = self.folder / "other.so"
        for source, fragment in [("int unrelated;", "gorila_api_version"),
                                 ("unsigned gorila_api_version(void) { return 7; }", "version 7"),
                                 ('unsigned gorila_api_version(void) { return 1; }\n'
                                  'const char* gorila_version(void) { return "0.0.9"; }\n'
                                  'const char* gorila_last_error(void) { return ""; }', "0.0.9")]:  # fmt: skip
            (self.folder / "other.c").write_text(source)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", other, "other.c"], cwd=self.folder, check=True)
            line = self.error(make, GORILA_LIBRARY=str(other))
            self.assertIn(str(other), line)
            self.assertIn(fragment, line)
        copied = self.folder / "copied"
        shutil.copytree(PACKAGE / "gorila", copied / "gorila", ignore=shutil.ignore_patterns("*.so*"))
        done = subprocess.run(
            [PYTHON, "-B", "-c", f"import gorila; {make}"], cwd=copied, capture_output=True, text=True,
            env={key: value for key, value in os.environ.items() if key != "GORILA_LIBRARY"},
        )  # fmt: skip
        self.assertIn("libgorila.so.1 was not found; tried", done.stderr)
        self.assertIn(str(copied), done.stderr)

    def test_an_installed_package_finds_the_installed_library(self):
        if shutil.which("cmake") is None:
            self.skipTest("no cmake")
        prefix = self.folder / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        self.check_imported(prefix / "lib" / "python3" / "dist-packages", prefix / "lib")

    def test_a_wheel_has_the_library(self):
        environment = {**os.environ, "GORILA_LIBRARY": str(LIBRARY)}
        for folder in ["first", "again"]:
            (self.folder / folder).mkdir()
            subprocess.run([PYTHON, "-B", PACKAGE / "build_wheel.py", folder], cwd=self.folder,
                           env=environment, check=True, capture_output=True)  # fmt: skip
        [wheel] = (self.folder / "first").iterdir()
        self.assertRegex(wheel.name, r"^gorila-[0-9.]+-py3-none-linux_\w+\.whl$")
        self.assertEqual(wheel.read_bytes(), (self.folder / "again" / wheel.name).read_bytes())
        site = self.folder / "site"
        if has("pip"):
            subprocess.run(
                [PYTHON, "-m", "pip", "install", "--no-index", "--no-deps", "--target", site, wheel],
                check=True, capture_output=True, env={**os.environ, "PIP_NO_CACHE_DIR": "1"},
            )  # fmt: skip
        else:
            zipfile.ZipFile(wheel).extractall(site)
        self.check_imported(site, site / "gorila")

    def test_pip_builds_the_wheel_without_a_network(self):
        if not has("pip"):
            self.skipTest("the distribution's Python has no pip")
        subprocess.run(
            [PYTHON, "-m", "pip", "wheel", "--no-index", "--no-deps", "-w", "wheels", PACKAGE],
            cwd=self.folder, check=True, capture_output=True,
            env={**os.environ, "GORILA_LIBRARY": str(LIBRARY), "PIP_NO_CACHE_DIR": "1"},
        )  # fmt: skip
        self.assertEqual(len(list((self.folder / "wheels").glob("gorila-*.whl"))), 1)

    def check_imported(self, path, library_folder):
        """Below `path`, with all that its library needs."""
        (self.folder / "counting.py").write_text(COUNTING)
        code = """if True:
            import gorila
            env = gorila.make("minatar/breakout")
            assert env.reset(seed=1)[0].shape == (4, 10, 10)
            envs = gorila.make_vec("python:counting:Counting", 3, python_path=".", kwargs={"length": 4},
                                   python="/usr/bin/python3")
            assert envs.reset(seed=1)[0].tolist() == [[0, 0]] * 3
            for i in range(3):
                assert envs.step([1, 0, 1])[0].tolist() == [[i + 1, 1], [i + 1, 0], [i + 1, 1]]
            observations, rewards, _, truncated, infos = envs.step([0, 0, 0])
            assert truncated.all() and rewards.tolist() == [4] * 3
            assert infos["final_obs"][0].tolist() == [4, 0] and observations.tolist() == [[0, 0]] * 3
            envs.close()
            print([line.split()[-1] for line in open("/proc/self/maps") if "libgorila" in line][0])
        """
        environment = {key: value for key, value in os.environ.items() if key != "GORILA_LIBRARY"}
        done = subprocess.run(
            [PYTHON, "-B", "-c", code], cwd=self.folder, capture_output=True, text=True,
            env={**environment, "PYTHONPATH": str(path)},
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(pathlib.Path(done.stdout.strip()).parent, library_folder.resolve())


if __name__ == "__main__":
    program.main()
