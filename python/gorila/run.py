"""What a run's folder says, finished or not. Reads files only, without the library."""

import json
import pathlib

from gorila.errors import Error, InvalidArgument, NotFound

# Of the records of metrics.jsonl.
KINDS = ("training", "evaluation", "skipped_evaluation", "final_evaluation")


class Run:
    """A run of gorila train, launch or coordinator."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not self.folder.exists():
            raise NotFound(f"'{folder}': no such folder")
        if not (self.folder / "config.toml").is_file():
            raise InvalidArgument(f"'{folder}' is not a run's folder: it has no config.toml")

    def __repr__(self):
        return f"<gorila.Run {self.folder}>"

    def metrics(self, kind=None):
        """The records of metrics.jsonl, oldest first, each a dict with its "kind": "training",
        "evaluation", "final_evaluation", ... NaN is None. A last line that is half written (the run
        writes it now, or was killed) is left out."""
        if kind is not None and kind not in KINDS:
            raise InvalidArgument(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
        path = self.folder / "metrics.jsonl"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
        records = []
        for number, line in enumerate(data.split(b"\n")[:-1], 1):
            try:
                record = json.loads(line)
            except ValueError:
                raise Error(f"'{path}', line {number}: not a JSON object") from None
            if kind is None or record.get("kind") == kind:
                records.append(record)
        return records

    def starts(self):
        """How every process that trained the run began, oldest first: "time", "frames", "command",
        "changes" ({key: {"before": ..., "after": ...}}), ... [] for a run of an older version."""
        path = self.folder / "starts.jsonl"
        try:
            lines = path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise Error(f"'{path}': {error}") from None

    def evaluations(self):
        """Those of the periodic evaluations."""
        return self.metrics("evaluation")

    def games(self):
        """The names of a run's several games, as its records have them; [] of a run with one."""
        records = [record for record in self.metrics() if "games" in record]
        return list(records[-1]["games"]) if records else []

    def curve(self, game=None, kind="training"):
        """[(frames, mean return)], a pair for each record of that kind that has a return; frames are
        those of the whole run. Of one of several games by its name or the end of it ("breakout")."""
        records = self.metrics(kind)
        if game is None:
            found = [(record, record) for record in records]
        else:
            name = self._game(game)
            found = [(record, record["games"][name])
                     for record in records if name in record.get("games", {})]  # fmt: skip
        return [(record["frames"], of_game["return_mean"]) for record, of_game in found
                if of_game.get("return_mean") is not None]  # fmt: skip

    def _game(self, game):
        games = self.games()
        found = [name for name in games if name == game] or [
            name for name in games if name.endswith(f"/{game}")
        ]
        if len(found) == 1:
            return found[0]
        expected = ", ".join(games) or "no name: the run has one game"
        raise InvalidArgument(f"game is {game!r}; expected one of: {expected}")

    def result(self):
        """The final evaluation, with the return of every episode; None while there is none."""
        return self._json("evaluation.json")

    def report(self):
        """report.json; None while the run is not finished."""
        return self._json("report.json")

    def config(self):
        """Every setting: {section: {key: value}}."""
        try:
            import tomllib
        except ImportError:  # before Python 3.11
            try:
                import tomli as tomllib
            except ImportError:
                raise Error("config() needs Python 3.11, or the package tomli") from None
        path = self.folder / "config.toml"
        try:
            return tomllib.loads(path.read_text())
        except ValueError as error:
            raise Error(f"'{path}': {error}") from None

    def _json(self, name):
        path = self.folder / name
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise Error(f"'{path}': {error}") from None
