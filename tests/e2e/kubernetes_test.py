"""`gorila launch --engine kubernetes`: the manifests against Kubernetes' own schemas, from npm.

Skipped, with the reason, where Node.js, npm or the registry is not there.
"""

import json
import pathlib
import subprocess

import cluster
import npm_packages
import program

CHECK = pathlib.Path(__file__).parent / "kubernetes" / "check.mjs"
PACKAGES = ["@kubernetes/client-node@1.3.0", "kubernetes-models@5.1.0", "yaml@2.9.1"]
ROLES = ["--bundles", "2", "--shards", "2", "--actors", "2", "--learners", "1", "--replays", "2"]


class Manifests(cluster.Case):
    def setUp(self):
        super().setUp()
        self.script = npm_packages.provide("kubernetes", CHECK, *PACKAGES)

    def manifests(self, *more):
        stdout, _ = self.run_program(
            "launch", *cluster.TINY, "--engine", "kubernetes", "--run-dir", "run", "--print", *more
        )
        return stdout

    def check(self, text):
        """What is wrong, by kind/name."""
        file = self.folder / "manifests.yaml"
        file.write_text(text)
        checked = subprocess.run(
            ["node", self.script, file], capture_output=True, text=True, timeout=program.DEADLINE
        )
        self.assertEqual(checked.returncode, 0, checked.stderr)
        return {f"{o['kind']}/{o['name']}": o["errors"] for o in json.loads(checked.stdout)}

    def test_are_valid_and_complete(self):
        for more in [[], ["--metrics-port", "9100"]]:
            checked = self.check(self.manifests(*ROLES, *more))
            self.assertEqual({name: errors for name, errors in checked.items() if errors}, {})
        for name in ["StatefulSet/run-parameter-server", "StatefulSet/run-replay", "Job/run-bundle",
                     "Job/run-actor", "Job/run-learner", "Job/run-coordinator"]:  # fmt: skip
            self.assertIn(name, checked)

    def test_those_of_a_sweep_are_too(self):
        stdout, _ = self.run_program(
            "sweep", *cluster.TINY[1:2], *cluster.TINY[2:], "--engine", "kubernetes", "--folder", "sweep", "--print",
            "--set", "learner.n_step=1,3", "--seeds", "50",
        )  # fmt: skip
        checked = self.check(stdout)
        self.assertEqual({name: errors for name, errors in checked.items() if errors}, {})
        for name in ["Job/sweep-runs", "PersistentVolumeClaim/sweep-runs", "ConfigMap/sweep-config-1"]:
            self.assertIn(name, checked)
        wrong = self.check(stdout.replace('name: "sweep-config-1"\n  namespace', "name: other\n  namespace"))
        self.assertIn("no ConfigMap sweep-config-1", str(wrong))

    def test_the_check_sees_what_is_wrong(self):
        text = self.manifests(*ROLES)

        def errors(old, new):
            self.assertTrue(old in text, old)
            return str([found for found in self.check(text.replace(old, new)).values() if found])

        self.assertIn("must be integer", errors("replicas: 2", "replicas: two"))
        self.assertIn("required property template", errors("  template:", "  pattern:"))
        self.assertIn("no Service", errors("serviceName: run-", "serviceName: other-"))
        self.assertIn("is unknown", errors("readOnlyRootFilesystem", "readOnlyRootFileSystem"))
        self.assertIn("no kind StatefulSet in apps/v2", errors("apps/v1", "apps/v2"))
        self.assertIn("no volume", errors("            - name: state\n", "            - name: other\n"))
        self.assertIn("no pod has the labels", errors("        app.kubernetes.io/component: replay\n", ""))


if __name__ == "__main__":
    program.main()
