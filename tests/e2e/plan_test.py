"""gorila plan: what a cluster that does not exist yet would do."""

import json

import program

BENCHMARK = {
    "machine": "a machine",
    "results": [
        {"name": "learner/nature_dqn/1", "value": 50},
        {"name": "shard/rmsprop", "value": 47.4},
        {"name": "wire/tcp/plain/1", "value": 2.0},
        {"name": "wire/tcp/plain/4", "value": 1.9},
    ],
}


class Clusters(program.Case):
    def test_the_smallest_number_of_shards_and_what_binds(self):
        stdout, stderr = self.run_program("plan", "--bundles", "100", "--nic", "10")
        self.assertEqual(stderr, "")
        self.assertRegex(stdout, r"^100 bundles, links of 10 Gbit/s, 6.77 MB of parameters")
        half, found, _ = [line.split() for line in stdout.splitlines() if line.strip()[:1].isdigit()][2:]
        self.assertTrue(22 <= int(found[0]) <= 26, stdout)
        self.assertIn("shard link", " ".join(half))
        self.assertIn(f"settings: --shards {found[0]} --set parameter_server.overlap=true\n", stdout)

    def test_json_and_warnings(self):
        arguments = ["plan", "--bundles", "500", "--nic", "100", "--shards", "64", "--max-staleness", "500"]
        stdout, _ = self.run_program(*arguments, "--json")
        plan = json.loads(stdout)
        self.assertEqual(plan["shards"], 64)
        self.assertGreater(plan["rows"][0]["refused"], 0.2)
        self.assertEqual(plan["figures"]["source"], "defaults")
        _, stderr = self.run_program(*arguments)
        self.assertIn("warning: parameter_server.max_staleness is 500", stderr)
        self.assertEqual(plan["warnings"], [line[9:] for line in stderr.splitlines()])

    def test_links_that_are_full_in_both_directions(self):
        """With overlap one direction's time is what an update takes, without it that of both."""
        arguments = ["plan", "--bundles", "1", "--nic", "0.05", "--shards", "1", "--json"]
        rates = []
        for flags in [[], ["--no-overlap", "--actor-steps", "4"]]:
            plan = json.loads(self.run_program(*arguments, *flags)[0])
            rates.append(plan["rows"][0]["updates_per_second"])
            self.assertEqual(plan["rows"][0]["bound_by"], "bundle link")
        seconds = 8 * 4 * 1693362 / (0.95 * 0.05e9)
        self.assertTrue(0.9 / seconds < rates[0] < 1 / seconds, rates)
        self.assertTrue(0.45 / seconds < rates[1] < 0.5 / seconds, rates)

    def test_figures_of_the_benchmark(self):
        (self.folder / "figures.json").write_text(json.dumps(BENCHMARK))
        arguments = ["plan", "--bundles", "1", "--nic", "100", "--shards", "1", "--json", "--figures", "figures.json"]
        figures = json.loads(self.run_program(*arguments)[0])["figures"]
        self.assertAlmostEqual(figures["gradient_seconds"], 0.02)
        self.assertAlmostEqual(figures["update_seconds"], 1e-3, delta=1e-5)
        figures = json.loads(self.run_program(*arguments, "--gradient-ms", "5")[0])["figures"]
        self.assertAlmostEqual(figures["gradient_seconds"], 0.005)
        self.assertEqual(figures["source"], "figures.json and flags")

    def test_bad_input(self):
        base = ["plan", "--bundles", "2", "--nic", "10"]
        (self.folder / "bad.json").write_text('{"results": 3}')
        (self.folder / "few.json").write_text('{"results": []}')
        for arguments, *fragments in [
            (["plan", "--bundles", "2"], "--nic is required"),
            (["plan", "--bundles", "0", "--nic", "1"], "--bundles"),
            (["plan", "--bundles", "2", "--nic", "0"], "--nic is 0", "more than 0"),
            (["plan", "--bundles", "2", "--nic", "fast"], "--nic"),
            ([*base, "--shards", "5000"], "--shards", "1024"),
            ([*base, "--gradient-ms", "-1"], "--gradient-ms is -1"),
            ([*base, "--actor-steps", "-1"], "--actor-steps is -1", "0 to 1000"),
            ([*base, "--network", "resnet"], "--network"),
            ([*base, "--figures", "none.json"], "none.json"),
            ([*base, "--figures", "bad.json"], "bad.json", "gorila benchmark learner shard wire"),
            ([*base, "--figures", "few.json"], "learner/nature_dqn/1"),
            ([*base, "--figures", "few.json", "--measure"], "expected one of them"),
        ]:
            self.assert_refused(arguments, *fragments)

    def test_launch_says_when_gradients_would_be_refused(self):
        launch = ["launch", *program.TINY, "--print", "--bundles", "4", "--set", "parameter_server.max_staleness=4"]
        _, stderr = self.run_program(*launch, "--set", "parameter_server.overlap=false")
        self.assertEqual(stderr, "warning: parameter_server.max_staleness is 4: gradients of 4 processes are about 4 "
                                 "updates old, and older ones are refused; expected 5 or more\n")  # fmt: skip
        _, stderr = self.run_program(*launch, "--set", "parameter_server.overlap=true")
        self.assertIn("about 8 updates old with parameter_server.overlap", stderr)
        self.assertEqual(self.run_program("launch", *program.TINY, "--print", "--bundles", "4")[1], "")


if __name__ == "__main__":
    program.main()
