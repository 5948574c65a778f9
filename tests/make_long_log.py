#!/usr/bin/env python3
"""make_long_log.py FROM TO ROWS: a run's folder with a log of many rows, to measure readers with.

TO gets FROM's config.toml and a metrics.jsonl of ROWS training rows, FROM's own again and again with
frames, updates and seconds growing on.
"""

import itertools
import json
import pathlib
import shutil
import sys

GROWING = ["frames", "updates", "episodes", "seconds", "cpu_seconds"]


def main(source, target, rows):
    source, target = pathlib.Path(source), pathlib.Path(target)
    target.mkdir()
    shutil.copy(source / "config.toml", target)
    log = map(json.loads, (source / "metrics.jsonl").read_text().splitlines())
    own = [row for row in log if row["kind"] == "training"]
    names = [name for name in GROWING if name in own[-1]]
    same = [{name: row[name] for name in row if name not in names} for row in own]
    texts = [json.dumps(row, separators=(",", ":"))[1:-1] for row in same]
    with open(target / "metrics.jsonl", "w") as file:
        for i, row, text in zip(range(rows), itertools.cycle(own), itertools.cycle(texts)):
            before = i // len(own)
            grown = (f'"{name}":{row[name] + before * own[-1][name]}' for name in names)
            file.write(f"{{{text},{','.join(grown)}}}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
