"""Drives the program: imports into a store and looks names up, at a given moment and under a given policy."""

import json
import re
import subprocess

SECTIONS = "Verdict"
BATCH = 2000
UNKNOWN = re.compile(r"nothing is known of \w+ (\S+):")


class Program:
    def __init__(self, binary, folder, now, policy=None):
        self.binary, self.folder, self.now, self.policy = binary, folder, now, policy
        folder.mkdir(parents=True, exist_ok=True)

    def command(self, arguments):
        command = [self.binary, "--data", str(self.folder / "store"), "--now", self.now]
        if self.policy is not None:
            policy, config = self.folder / "policy.toml", self.folder / "zonelens.toml"
            policy.write_text(self.policy, encoding="utf-8")
            config.write_text(f'policy = "{policy}"\n', encoding="utf-8")
            command += ["--config", str(config)]
        return subprocess.run(command + arguments, capture_output=True, text=True, check=False)

    def load(self, source, path, *options):
        """Imports one source, learnt at the moment of this program."""
        done = self.command(["import", "--source", source, "--learnt-at", self.now, *options, str(path)])
        if done.returncode != 0:
            raise SystemExit(f"import of {path} failed: {done.stderr}")

    def verdicts(self, names):
        """The verdict on each name; `None` of a name of which nothing is known."""
        verdicts = {}
        for start in range(0, len(names), BATCH):
            some = names[start : start + BATCH]
            done = self.command(["lookup", "--format", "json", "--sections", SECTIONS, "--", *some])
            if done.returncode not in (0, 3):
                raise SystemExit(f"lookup failed with {done.returncode}: {done.stderr[:2000]}")
            # Of an unknown name there is a line of talk, of a known one a line of JSON, both in order.
            unknown = {match[1] for match in map(UNKNOWN.match, done.stderr.splitlines()) if match}
            known = [name for name in some if name not in unknown]
            lines = done.stdout.splitlines()
            if len(lines) != len(known):
                raise SystemExit(f"{len(lines)} reports for {len(known)} names: {done.stderr[:500]}")
            verdicts.update((name, json.loads(line)["Verdict"]) for name, line in zip(known, lines))
        return {name: verdicts.get(name) for name in names}
