"""The project's own checks, on small trees that break their rules."""

import subprocess

import program

ORDER = """# Architecture

Dependencies point one way:

```
base/
env/  rpc/
replay/
replay/remote/
```
"""
CMAKE = "".join(
    f"add_subdirectory({folder})\n" for folder in ["base", "env", "rpc", "replay", "replay/remote"]
)
RULE = "; a folder includes only itself and folders on lines above its own (docs/architecture.md)"


class Includes(program.Case):
    def check(self, sources, order=ORDER, cmake=CMAKE):
        """The findings of tools/check_includes for sources, whose lines are given by their paths."""
        files = {f"src/gorila/{path}": text for path, text in sources.items()}
        files |= {"docs/architecture.md": order, "src/gorila/CMakeLists.txt": cmake}
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        for command in (["git", "init", "--quiet"], ["git", "add", "."]):
            subprocess.run(command, cwd=self.folder, check=True, timeout=program.DEADLINE)
        checked = subprocess.run(
            [program.SOURCE / "tools" / "check_includes", self.folder],
            capture_output=True,
            text=True,
            timeout=program.DEADLINE,
        )
        self.assertEqual(checked.stderr, "")
        self.assertEqual(checked.returncode, 1 if checked.stdout else 0)
        return checked.stdout.splitlines()

    def test_allow_folders_above_and_tests(self):
        sources = {
            "base/file.h": "#include <string>\n",
            "replay/shard.h": '#include "gorila/base/file.h"\n#include "gorila/replay/store.h"\n',
            "replay/remote/service.h": '#include "gorila/replay/shard.h"\n#include "gorila/v1/a.pb.h"\n',
            "env/env_test.cc": '#include "gorila/replay/shard.h"\n',
            "env/testing.h": '#include "gorila/replay/shard.h"\n',
        }
        self.assertEqual(self.check(sources), [])

    def test_name_the_line_that_points_down(self):
        found = self.check({"env/game.cc": '\n#include "gorila/replay/remote/service.h"\n'})
        self.assertEqual(found, [f"src/gorila/env/game.cc:2: env/ includes replay/remote/{RULE}"])

    def test_name_the_line_that_points_beside(self):
        found = self.check({"rpc/call.h": '#include "gorila/env/game.h"\n'})
        self.assertEqual(found, [f"src/gorila/rpc/call.h:1: rpc/ includes env/{RULE}"])

    def test_name_folders_without_a_place(self):
        found = self.check(
            {"new/a.h": '#include "gorila/base/b.h"\n', "replay/b.h": '#include "gorila/new/a.h"\n'}
        )
        order = "is not in the order of docs/architecture.md"
        self.assertEqual(
            sorted(found),
            [
                f"src/gorila/new/a.h:1: its folder {order}; add it there",
                f"src/gorila/replay/b.h:1: the folder of gorila/new/a.h {order}",
            ],
        )

    def test_hold_the_build_to_the_same_order(self):
        found = self.check({}, cmake="add_subdirectory(rpc)\nadd_subdirectory(base)\n")
        self.assertEqual(
            found,
            ["src/gorila/CMakeLists.txt:2: base/ comes earlier in the order of docs/architecture.md"],
        )

    def test_refuse_a_document_without_the_order(self):
        found = self.check({}, order="# Architecture\n", cmake="")
        self.assertEqual(
            found, ['docs/architecture.md: no order under "Dependencies point one way"']
        )


if __name__ == "__main__":
    program.main()
