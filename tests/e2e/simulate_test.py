"""gorila simulate: seeds that repeat themselves, plans that were kept, bad input."""

import json
import pathlib
import re
import subprocess

import program

PLANS = pathlib.Path(__file__).parent.parent / "plans"
MODEL = ["--model", "--shards", 2, "--bundles", 3, "--seconds", 20]
REAL = ["--shards", 2, "--bundles", 2, "--replays", 2, "--actors", 2, "--learners", 2,
        "--seconds", 20]  # fmt: skip
COORDINATED = [*REAL, "--coordinator"]


def commit_seed():
    """Other seeds for every commit, the same ones for everybody who tests it."""
    try:
        commit = subprocess.run(
            ["git", "-C", str(PLANS), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 1  # not a checkout
    return int(commit[:8], 16)


class Seeds(program.Case):
    def test_a_seed_takes_the_same_steps_again(self):
        for size in MODEL, REAL:
            hashes = []
            for _ in range(2):
                stdout, _ = self.run_program("simulate", "--seed", 5, *size)
                hashes.append(re.search(r"^seed 5: .* hash ([0-9a-f]{16})$", stdout, re.M).group(1))
                self.assertIn("1 seeds (1 of them twice, 0 without an accepted gradient)", stdout)
                self.assertRegex(stdout, r"gradients accepted +\d+\n")
            self.assertEqual(*hashes)

    def test_only_the_faults_that_are_named_happen(self):
        stdout, _ = self.run_program("simulate", "--seed", "1..3", *MODEL, "--faults", "kill,cut")
        self.assertEqual(set(re.findall(r"^  fault (\w+)", stdout, re.M)), {"kill", "cut"})

    def test_replay_shards_actors_and_learners_take_part(self):
        stdout, _ = self.run_program("simulate", "--seed", 7, *REAL)
        self.assertRegex(stdout, r"minibatches of replay shards +\d+\n")
        stdout, _ = self.run_program("simulate", "--seed", 7, *MODEL)
        self.assertNotIn("minibatches", stdout)

    def test_a_coordinator_evaluates_and_ends_runs(self):
        for size in COORDINATED, [*MODEL, "--coordinator"]:
            stdout, _ = self.run_program("simulate", "--seed", "1..4", *size)
            self.assertRegex(stdout, r"periodic evaluations +\d+\n")
            self.assertRegex(stdout, r"runs that the coordinator finished +\d+\n")
            self.assertRegex(stdout, r"networks in files at the end +\d+\n")

    def test_bad_input_is_one_line(self):
        self.assert_refused(["simulate", "--seed", "7..3"], "--seed is '7..3'; expected")
        self.assert_refused(["simulate", "--seed", "x"], "--seed is 'x'; expected")
        self.assert_refused(["simulate", "--faults", "kil"], "unknown fault 'kil'; did you mean 'kill'?")
        self.assert_refused(["simulate", "--replays", 0], "--replays 0, --actors 3 and --learners 2; expected")
        self.assert_refused(["simulate", "--model", "--faults", "folder"], "needs replay shards")
        self.assert_refused(["simulate", "--plan", "none.json"], "none.json")
        (self.folder / "plan.json").write_text('{"format_version": 1}')
        self.assert_refused(["simulate", "--plan", "plan.json"], "plan.json", "key 'seed' not found")


class Plans(program.Case):
    def test_what_was_found_once_holds(self):
        plans = sorted(PLANS.glob("*.json"))
        self.assertGreater(len(plans), 3)
        for plan in plans:
            stdout, _ = self.run_program("simulate", "--plan", plan)
            self.assertRegex(stdout, r"\d+ virtual seconds, \d+ steps, hash [0-9a-f]{16}\n")
            for kind in {fault["kind"] for fault in json.loads(plan.read_text())["faults"]}:
                self.assertRegex(stdout, rf"fault {kind} +\d+\n")

    def test_the_log_says_what_processes_said_and_when(self):
        stdout, _ = self.run_program(
            "simulate", "--plan", PLANS / "power_cut_at_the_first_start.json", "--log"
        )
        self.assertRegex(stdout, r"parameter-server-0 \(process \d+\): parameter shard 0 of \d+ listens on ")
        self.assertIn("generation 2", stdout)


class FreshSeeds(program.Case):
    def test_invariants_hold_in_seeds_of_this_commit(self):
        first = commit_seed()
        for size in MODEL, REAL, COORDINATED:
            stdout, _ = self.run_program("simulate", "--seed", f"{first}..{first + 7}", *size)
            self.assertIn("8 seeds", stdout)


if __name__ == "__main__":
    program.main()
