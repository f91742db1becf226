#!/usr/bin/env python3
"""How good the verdict is on real data: conflicts, false positives, calibration, ablations.

    run.py --data DIR --program zonelens [--work DIR]

DIR holds the unpacked data (docs/verdict-quality.md says which). Prints the tables of that page.
"""

import argparse
import collections
import csv
import json
import random
import re
import shutil
import tempfile
from pathlib import Path

from data import HISTORIES, day, history, is_training, masks, warning_list
from program import Program

HERE = Path(__file__).resolve().parent
POLICY = (HERE.parents[1] / "src/verdict/policy.toml").read_text(encoding="utf-8")

# The moment of the newest snapshot.
NOW = "2026-03-20T12:00Z"

# Lists of the ten thousand most popular names, or fewer.
POPULAR = ["tranco10k", "cisco_top10k", "cloudflare-top10k", "majestic_million", "alexa", "moz-top500"]

# Popularity from one list (Cloudflare's, in its ranks), false positives judged by these, which are not imported.
JUDGES = ["majestic_million", "tranco10k", "cisco_top10k", "university_domains", "bank-website"]
NOT_INPUT = re.compile(r"majestic_million|tranco10k|cisco_top.*|alexa|moz-top500|university_domains|bank-website")

# How many listings of a snapshot are asked about, of a block list.
SAMPLE = 2000


def without_benign(policy):
    start, end = policy.index("[[popular]]"), policy.index("# Topics that are not named")
    return policy[:start] + policy[end:]


ABLATIONS = {
    "the default policy": POLICY,
    "without benign lists": without_benign(POLICY),
    "without what is said of lists by name": re.sub(r'(?m)^".*$', "", POLICY),
    "without `cap_suspicion`": re.sub(r"(?m)(, cap_suspicion = \d+|^cap_suspicion = \d+$)", "", POLICY),
    "without `below = false`": POLICY.replace(", below = false", ""),
    "without related evidence": re.sub(r"(?m)^related = .*$", "related = 0.0", POLICY),
    "without decay": re.sub(r"lifetime_days = \d+, ", "", POLICY),
}


def zone(verdict):
    return "Grey" if verdict is None else verdict["Zone"]


def make_stores(binary, data, work):
    """A store with all lists, and one without those that judge false positives."""
    threats = Program(binary, work / "threats", NOW)
    if not (threats.folder / "done").exists():
        for source in HISTORIES:
            threats.load(source, masks(data, source))
        threats.load("maltrail", data / "maltrail-trails" / "static")
        threats.load("urlhaus-filter-online", data / "masks" / "masks" / "urlhaus-filter-online.txt")
        (threats.folder / "done").touch()
    some = work / "lists"
    if not some.exists():
        for folder in sorted((data / "misp-warninglists" / "lists").iterdir()):
            if not NOT_INPUT.fullmatch(folder.name):
                shutil.copytree(folder, some / folder.name)
    made = []
    for name, lists in (("everything", data / "misp-warninglists" / "lists"), ("judged", some)):
        program = Program(binary, work / name, NOW)
        if not (program.folder / "done").exists():
            shutil.copytree(threats.folder / "store", program.folder / "store", dirs_exist_ok=True)
            program.load("misp-warninglists", lists)
            (program.folder / "done").touch()
        made.append(program)
    return made


def labels_of(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def conflicts(program, file="labels.csv"):
    """Labels and verdicts of names that are both popular and listed, and the names that are not as labelled."""
    labels = labels_of(file)
    verdicts = program.verdicts(sorted(labels))
    wrong = [name for name, row in labels.items() if zone(verdicts[name]) not in row["expected"].split("|")]
    return labels, verdicts, wrong


def unlabelled(program, data, labels):
    """Names that are popular and listed and have no label: none, or the labels are out of date."""
    names = sorted({name for folder in POPULAR for name in warning_list(data, folder)} - set(labels))
    return [name for name, verdict in program.verdicts(names).items() if verdict and verdict["Evidence"]]


def false_positives(program, data):
    """For each list that judges: how many names it has, and those of them that are Red."""
    found = {}
    for folder in JUDGES:
        names = warning_list(data, folder)
        verdicts = program.verdicts(names)
        found[folder] = len(names), [(name, verdicts[name]) for name in names if zone(verdicts[name]) == "Red"]
    return found


def total(found):
    counts, reds = zip(*found.values())
    return sum(counts), [one for red in reds for one in red]


def predictions(binary, data, work, policy):
    """A row for each host of a snapshot and each later snapshot: was it still there, and what did the verdict say.

    The feed was read at the first of the two, as events, and never again.
    """
    rows, chance = [], random.Random(8)
    for source, category in HISTORIES.items():
        dates, hosts = history(data, source)
        for at, then in enumerate(dates[:-1]):
            listed = [row for row in hosts if row[1] <= then <= row[2]]
            listed = chance.sample(listed, min(SAMPLE, len(listed)))
            folder = work / "calibration" / f"{source}-{then}"
            moment = f"{then[:4]}-{then[4:6]}-{then[6:]}"
            feed = Program(binary, folder, moment)
            if not (folder / "store").exists():
                lines = [
                    json.dumps({"fact": "listing", "type": "MASK_TYPE_HOST", "mask": host, "category": category})
                    for host, _, _ in listed
                ]
                (folder / "feed.ndjson").write_text("\n".join(lines), encoding="utf-8")
                feed.load(source, folder / "feed.ndjson", "--state", "events", "--format", "native")
            for later in dates[at + 1 :]:
                asked = Program(binary, folder, f"{later[:4]}-{later[4:6]}-{later[6:]}", policy)
                verdicts = asked.verdicts([host for host, _, _ in listed])
                age, is_next = (day(later) - day(then)).days, later == dates[at + 1]
                for host, _, last in listed:
                    evidence = (verdicts[host] or {}).get("Evidence") or []
                    decay = evidence[0]["Decay"] if evidence else 0.0
                    score = verdicts[host]["ThreatScore"] if verdicts[host] else 0
                    rows.append((host, category, age, is_next, last >= later, decay, score))
    return rows


def brier(pairs):
    pairs = list(pairs)
    return sum((said - listed) ** 2 for said, listed in pairs) / len(pairs)


def table_by_age(rows):
    """The share still listed by age, of the training half."""
    counts = collections.defaultdict(lambda: [0, 0])
    for host, _, age, _, listed, _, _ in rows:
        if is_training(host):
            counts[age][0] += listed
            counts[age][1] += 1
    return {age: still / all_ for age, (still, all_) in counts.items()}


def print_calibration(rows):
    by_age = table_by_age(rows)
    test = [row for row in rows if not is_training(row[0])]
    print("\n| listings | pairs | decay of the verdict | table by age | table by age and category |\n|---|---|---|---|---|")
    for name in ["all", *sorted(set(HISTORIES.values()))]:
        some = [row for row in test if name in ("all", row[1])]
        own = {c: table_by_age(r for r in rows if r[1] == c) for c in set(HISTORIES.values())}
        figures = (
            brier((row[5], row[4]) for row in some),
            brier((by_age[row[2]], row[4]) for row in some),
            brier((own[row[1]][row[2]], row[4]) for row in some),
        )
        print(f"| {name} | {len(some):,} | " + " | ".join(f"{figure:.4f}" for figure in figures) + " |")
    for title, chosen in (("at the next snapshot", [r for r in test if r[3]]), ("at any later one", test)):
        print(f"\n| score {title} | listings | still listed | mean decay |\n|---|---|---|---|")
        for low, high in ((75, 100), (60, 74), (50, 59), (40, 49), (25, 39), (0, 24)):
            some = [row for row in chosen if low <= row[6] <= high]
            if some:
                still, decay = (sum(row[at] for row in some) / len(some) for at in (4, 5))
                print(f"| {low} to {high} | {len(some):,} | {still:.0%} | {decay:.2f} |")


def print_conflicts(labels, verdicts, wrong):
    share = 1 - len(wrong) / len(labels)
    print(f"\n{len(labels)} names, {len(labels) - len(wrong)} as labelled: {share:.1%}.\n")
    print("| label | names | as labelled | zones |\n|---|---|---|---|")
    for label in ("bad", "adware", "artefact", "dual"):
        names = [name for name, row in labels.items() if row["label"] == label]
        zones = collections.Counter(zone(verdicts[name]) for name in names)
        shown = ", ".join(f"{count} {name}" for name, count in zones.most_common())
        print(f"| {label} | {len(names)} | {len(names) - len(set(wrong) & set(names))} | {shown} |")
    print()
    for name in wrong:
        print(f"- {name}: {zone(verdicts[name])}, labelled {labels[name]['label']}: {labels[name]['reason']}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--work", type=Path)
    given = arguments.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="zonelens-quality-"))
    everything, judged = make_stores(given.program, given.data, work)

    everything.policy = POLICY
    print("## Conflicts")
    labels, verdicts, wrong = conflicts(everything)
    print_conflicts(labels, verdicts, wrong)
    print(f"\nWithout a label: {unlabelled(everything, given.data, labels) or 'none'}.")
    print("\n## Names kept back")
    print_conflicts(*conflicts(everything, "holdout.csv"))

    rows = predictions(given.program, given.data, work, POLICY)
    judged.policy = POLICY
    print("\n## False positives\n\n| judged by | names | Red | falsely Red | falsely Red in 10,000 |\n|---|---|---|---|---|")
    # What is Red and labelled in neither file stands as false.
    known = labels | labels_of("red.csv")
    found = false_positives(judged, given.data)
    shown = {}
    for folder, (count, red) in [*found.items(), ("all", total(found))]:
        false = [name for name, _ in red if known.get(name, {}).get("label") != "bad"]
        print(f"| {folder} | {count:,} | {len(red)} | {len(false)} | {len(false) / count * 10_000:.1f} |")
        shown |= dict(red)
    print("\n| Red | score | listed by | label | reason |\n|---|---|---|---|---|")
    for name, verdict in sorted(shown.items()):
        label = known.get(name, {"label": "none", "reason": ""})
        said = ", ".join(f"{one['Source']} {one['Category'].removeprefix('CATEGORY_')}" for one in verdict["Evidence"])
        print(f"| {name} | {verdict['ThreatScore']} | {said} | {label['label']} | {label['reason']} |")

    print("\n## Calibration")
    print_calibration(rows)

    print("\n## Ablations\n\n| policy | as labelled | Red in 10,000 | Brier |\n|---|---|---|---|")
    figures = {}
    for name, policy in ABLATIONS.items():
        everything.policy = judged.policy = policy
        _, _, wrong = conflicts(everything)
        count, red = total(false_positives(judged, given.data))
        ageing = policy[policy.index("[categories]") : policy.index("\n\n", policy.index("[categories]"))]
        if ageing not in figures:
            rows = predictions(given.program, given.data, work, policy)
            figures[ageing] = brier((row[5], row[4]) for row in rows if not is_training(row[0]))
        share = 1 - len(wrong) / len(labels)
        print(f"| {name} | {share:.1%} | {len(red) / count * 10_000:.1f} | {figures[ageing]:.4f} |")


if __name__ == "__main__":
    main()
