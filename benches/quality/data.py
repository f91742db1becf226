"""Reads the real data that the measurements need: warning lists and the history of block lists."""

import csv
import datetime
import hashlib
import json
import re

# Of 20250307 the history has a fragment only.
FRAGMENT = "20250307"

# Block lists with dated snapshots, and what their listings are.
HISTORIES = {
    "phishing_url": "PHISHING",
    "malicious_url_urlhaus": "MALWARE",
    "ublock_badware": "MALWARE",
    "dandelion_antimalware": "MALWARE",
    "scam_durablenapkin": "SCAM",
}

NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")


def warning_list(data, folder):
    """The names of a warning list that can be looked up."""
    path = data / "misp-warninglists" / "lists" / folder / "list.json"
    entries = json.loads(path.read_text(encoding="utf-8"))["list"]
    names = {entry.lower().lstrip(".").removesuffix("/") for entry in entries}
    return sorted(name for name in names if NAME.fullmatch(name) and not name.rsplit(".", 1)[1].isdigit())


def masks(data, source):
    return data / "masks" / "masks" / f"{source}.csv"


def day(text):
    return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))


def history(data, source):
    """The dates of a block list's snapshots, and (host, first, last) of each host without a path or a gap."""
    with masks(data, source).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    dates = sorted({row[key] for row in rows for key in ("first_snapshot", "last_snapshot")})
    place = {date: at for at, date in enumerate(dates)}
    hosts = []
    for row in rows:
        first, last = row["first_snapshot"], row["last_snapshot"]
        whole = int(row["n_snapshots"]) == place[last] - place[first] + 1
        host = row["host"].lower()
        if not row["path_mask"] and whole and NAME.fullmatch(host):
            hosts.append((host, first, last))
    return [date for date in dates if date != FRAGMENT], hosts


def is_training(host):
    """The half of all hosts that lifetimes, speeds and the table by age were taken from."""
    return hashlib.sha256(host.encode()).digest()[0] % 2 == 0
