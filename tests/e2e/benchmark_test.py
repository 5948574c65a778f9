"""gorila benchmark and benchmarks/compare: what they print, not how fast anything is."""

import json
import subprocess
import sys

import program

QUICK = ["--seconds", "0.01", "--cores", "1"]


class Output(program.Case):
    def test_json_on_stdout_has_the_documented_fields(self):
        stdout, _ = self.run_program("benchmark", "shard", *QUICK, "--json", "-")
        results = json.loads(stdout)["results"]
        self.assertEqual(
            sorted(row["name"] for row in results),
            [
                f"shard/{optimizer}"
                for optimizer in ("adagrad", "adam", "rmsprop", "rmsprop_momentum", "rmsprop_uncentred", "sgd")
            ],
        )
        for row in results:
            self.assertGreater(row["value"], 0)
            self.assertEqual(row["unit"], "GB/s")
            self.assertGreater(row["limit"], 0)
            self.assertGreater(row["ratio_to_limit"], 0)

    def test_the_wire_is_measured_over_every_transport(self):
        stdout, _ = self.run_program("benchmark", "wire", *QUICK, "--json", "-")
        results = json.loads(stdout)["results"]
        self.assertEqual(
            sorted(row["name"] for row in results),
            [
                f"wire/{transport}/{protection}/{shards}"
                for transport in ("memory", "tcp", "unix")
                for protection in ("plain", "tls")
                for shards in (1, 2, 4)
            ],
        )
        for row in results:
            self.assertEqual(row["unit"], "GB/s")
            self.assertGreater(row["ratio_to_limit"], 0)

    def test_a_file_gets_the_same_as_the_table(self):
        stdout, _ = self.run_program("benchmark", "shard", *QUICK, "--json", "b.json")
        for row in json.loads((self.folder / "b.json").read_text())["results"]:
            self.assertIn(row["name"], stdout)

    def test_bad_input(self):
        self.assert_refused(["benchmark", "lerner"], "lerner", "did you mean 'learner'")
        self.assert_refused(["benchmark", "shard", "--seconds", "0"], "--seconds is 0")
        self.assert_refused(["benchmark", "shard", "--cores", "-1"], "--cores: '-1'", "1 to 1024")

    def test_compare_prints_a_ratio_for_every_row(self):
        compare = program.SOURCE / "benchmarks" / "compare"
        command = [sys.executable, compare, program.PROGRAM, program.PROGRAM, "shard", *QUICK]
        done = subprocess.run(
            [*command, "--rounds", "5"], capture_output=True, text=True, timeout=program.DEADLINE
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line for line in done.stdout.splitlines() if line.startswith("shard/")]
        self.assertEqual(len(rows), 6, done.stdout)
        for row in rows:
            self.assertRegex(
                row, r"\d\.\d{3}  \d+\.\d{3} \.\. \d+\.\d{3} +(faster|slower|no difference)$"
            )


if __name__ == "__main__":
    program.main()
