"""Pairs for `recall`, how well real phishing is found and ranked, and how long a running service takes.

    recall.py pairs NAMES SIMILAR.csv DNSTWIST_FOLDER OUT   writes OUT/tranco.tsv and OUT/dnstwist.tsv
    recall.py phishing URL NAMES PHISHING.csv               asks a running service
    recall.py times URL NAMES                               asks it one question after the other, what is strange too

DNSTWIST_FOLDER is where `pip install --target` put dnstwist, which is run as a program, a process a name.
"""

import collections
import csv
import http.client
import json
import os
import random
import subprocess
import sys
import time
import urllib.request

BRANDS = """
paypal microsoft facebook instagram whatsapp netflix amazon google apple linkedin twitter telegram outlook office365
dropbox adobe docusign coinbase binance metamask blockchain kraken ledger trezor opensea uniswap roblox steam
steamcommunity discord twitch spotify ebay walmart alibaba aliexpress shopee costco target bestbuy dhl fedex usps
chronopost laposte evri royalmail swisspost correos americanexpress mastercard visa wellsfargo chase citibank hsbc
barclays santander lloyds natwest bankofamerica capitalone usbank tdbank scotiabank citizens intesa bnpparibas
creditagricole societegenerale caixabank bbva rabobank abnamro postbank sparkasse commerzbank deutschebank raiffeisen
itau bradesco nubank mercadolivre orange vodafone telstra verizon comcast xfinity spectrum bt ameli impots gov
anydesk teamviewer yahoo icloud hotmail gmail wetransfer sharepoint onedrive allegro vinted leboncoin booking airbnb
""".split()[:100]


STRANGE = f"""
a.com 0.com m.com xn--a.com 111.com 123456.com {"1" * 31}.com {"oo0" * 5}.com {"il" * 31}.com {"il1o0" * 12}.com
{"rn" * 31}.com {"a" * 63}.com {"rnvvcl" * 4}.com xn--80ak6aa92e.com ---.com com co.uk github.io 192.0.2.1 2001:db8::1
{"a" * 64}.com .. *.com {"a." * 130}com %00.com
""".split()


TECHNIQUES = """
other-suffix skeleton homoglyph transposition repetition omission hyphenation plural vowel-swap keyboard bit-flip
insertion replacement faux-suffix added-word combosquatting two-edits near-combosquatting
""".split()


def is_one_edit(a, b):
    """Whether one edit makes one text the other, or two neighbours that change places."""
    start = 0
    while a[start : start + 1] == b[start : start + 1] != "":
        start += 1
    a, b = a[start:], b[start:]
    while a[-1:] == b[-1:] != "":
        a, b = a[:-1], b[:-1]
    return len(a) <= 1 and len(b) <= 1 or len(a) == 2 and a == b[::-1]


def is_within(brand, label):
    """Whether a part of the label is one edit from the brand (Sellers' algorithm)."""
    row = list(range(len(brand) + 1))
    for char in label:
        corner, row[0] = row[0], 0
        for at, own in enumerate(brand, 1):
            replaced = corner + (own != char)
            corner = row[at]
            row[at] = min(replaced, corner + 1, row[at - 1] + 1)
        if row[-1] <= 1:
            return True
    return False


def how(brand, label):
    """How a label has a brand in it: of few letters as a word of its own, of more anywhere, or with one edit."""
    words = label.split("-")
    if len(brand) < 6:
        return "as it is spelt" if brand in words else None
    if brand in label:
        return "as it is spelt"
    if any(is_one_edit(brand, word) for word in words):
        return "as a word with one edit"
    return "one edit from a part of it" if is_within(brand, label) else None


def pairs(names, similar, dnstwist, out):
    known = [line.strip() for line in open(names)]
    with open(f"{out}/tranco.tsv", "w") as file:
        for row in csv.DictReader(open(similar)):
            file.write(f"{row['domain']}\t{row['similar']}\n")
    start, count = time.time(), 0
    with open(f"{out}/dnstwist.tsv", "w") as file:
        for name in known[:1000]:
            run = [sys.executable, f"{dnstwist}/dnstwist.py", "--format", "list", name]
            made = subprocess.run(run, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": dnstwist})
            for line in made.stdout.split():
                count += 1
                file.write(f"{name}\t{line}\n")
    print(f"dnstwist: {count / 1000:.0f} permutations a name, {time.time() - start:.0f} ms a name, its start included")


def phishing(url, names, masks):
    known = {line.strip() for line in open(names)}
    hosts = {row["host"] for row in csv.DictReader(open(masks))}
    # The registrable part, by the names that there are.
    registrable = set()
    for host in hosts:
        labels = host.split(".")
        parts = (".".join(labels[at:]) for at in range(len(labels)))
        registrable.update([part for part in parts if part in known][:1])

    def rows(query):
        return [row["domain"] for row in json.load(urllib.request.urlopen(f"{url}/api/v1/similar?{query}"))["rows"]]

    every, found, missed = collections.Counter(), collections.Counter(), []
    first, first_max = 0, 0
    for brand in BRANDS:
        name = f"{brand}.com"
        about = {n: way for n in registrable if n != name and (way := how(brand, n.split(".")[0]))}
        best = rows(f"domain={name}&limit=50")
        # A thousand rows at most are told of each technique.
        alike = {row for technique in TECHNIQUES for row in rows(f"domain={name}&limit=1000&technique={technique}")}
        every.update(about.values())
        found.update(way for n, way in about.items() if n in alike)
        missed += [f"{brand} {n}" for n in about if n not in alike]
        first += len(set(best) & about.keys())
        first_max += min(50, len(about))
    print(f"phishing: {len(registrable)} names, about one of {len(BRANDS)} brands:")
    for way in every:
        print(f"  {way}: {every[way]}, {found[way] / every[way]:.1%} found")
    print(f"  in the first 50 rows {first / first_max:.1%} of those that fit in")
    random.seed(1)
    print("  not found:", ", ".join(random.sample(missed, min(15, len(missed)))))


def times(url, names):
    known = [line.strip() for line in open(names)]
    random.seed(3)
    connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def ask(name):
        start = time.perf_counter()
        connection.request("GET", f"/api/v1/similar?domain={name}")
        answer = connection.getresponse()
        answer.read()
        return (time.perf_counter() - start) * 1e3, name, answer.status

    # Twice: the first time the pages of the file are read from disk and checked.
    for what, asked in (("popular", known[:1000]), ("any", random.sample(known, 1000)), ("strange", STRANGE)) * 2:
        took = sorted(ask(name) for name in asked)
        at = lambda share: took[int((len(took) - 1) * share)][0]
        worst = ", ".join(f"{ms:.1f} ({name[:20]}: {status})" for ms, name, status in took[-3:])
        print(f"/similar, {what}: p50 {at(.5):.1f} ms, p90 {at(.9):.1f}, p99 {at(.99):.1f}; worst {worst}")


if __name__ == "__main__":
    {"pairs": pairs, "phishing": phishing, "times": times}[sys.argv[1]](*sys.argv[2:])
