"""Logs a run to Weights & Biases, from its metrics.jsonl and config.toml; also while it trains.

    python3 examples/wandb_log.py runs/first --project PROJECT
    python3 examples/wandb_log.py runs/first --project PROJECT --follow    # until Ctrl-C

Needs the package wandb and Python 3.11. WANDB_MODE=offline keeps all of it on this machine.
"""

import argparse
import json
import pathlib
import time
import tomllib

import wandb


def rows(log, follow):
    """The records of the log; a half-written last line is waited for, or left out."""
    line = ""
    with open(log, encoding="utf-8") as file:
        while True:
            line += file.readline()
            if line.endswith("\n"):
                yield json.loads(line)
                line = ""
            elif not follow:
                return
            else:
                time.sleep(1)


def flat(row, prefix):
    """{"training/loss": 0.1, "training/games/minatar/asterix/return_mean": 3.0, ...}: numbers alone."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}/{name}")
        elif isinstance(value, (int, float)):
            yield f"{prefix}/{name}", value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--project", required=True)
    parser.add_argument("--follow", action="store_true")
    arguments = parser.parse_args()
    config = tomllib.loads((arguments.run / "config.toml").read_text(encoding="utf-8"))
    run = wandb.init(project=arguments.project, name=arguments.run.resolve().name, config=config)
    # Evaluations are of networks that are older than the newest record, so wandb's own steps, which
    # only grow, would drop them.
    run.define_metric("frames")
    run.define_metric("*", step_metric="frames")
    try:
        for row in rows(arguments.run / "metrics.jsonl", arguments.follow):
            run.log({"frames": row["frames"], **dict(flat(row, row["kind"]))})
    except KeyboardInterrupt:
        pass
    run.finish()


if __name__ == "__main__":
    main()
