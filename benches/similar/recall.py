"""Pairs for `recall`, and how well real phishing is found and ranked.

    recall.py pairs NAMES SIMILAR.csv DNSTWIST_FOLDER OUT   writes OUT/tranco.tsv and OUT/dnstwist.tsv
    recall.py phishing URL NAMES PHISHING.csv               asks a running service

DNSTWIST_FOLDER is where `pip install --target` put dnstwist, which is run as a program, a process a name.
"""

import csv
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


def within_one(brand, label):
    """Whether a part of the label is the brand, or one edit from it (Sellers' algorithm)."""
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
        at = next((".".join(labels[i:]) for i in range(len(labels)) if ".".join(labels[i:]) in known), None)
        if at:
            registrable.add(at)
    all_, found, first, first_max, strict, strict_found = 0, 0, 0, 0, 0, 0
    for brand in BRANDS:
        name = f"{brand}.com"
        # Of few letters a word of its own is meant, of more any part, also with one edit.
        def is_about(label):
            if len(brand) < 6:
                return brand in label.replace("-", " ").split()
            return within_one(brand, label)
        about = {n for n in registrable if is_about(n.split(".")[0]) and n != name}
        if not about:
            continue
        plain = {n for n in about if brand in n.split(".")[0]}
        request = f"{url}/api/v1/similar?domain={name}&limit=1000"
        rows = [row["domain"] for row in json.load(urllib.request.urlopen(request))["rows"]]
        all_ += len(about)
        found += len(about & set(rows))
        strict += len(plain)
        strict_found += len(plain & set(rows))
        first += len(about & set(rows[:50]))
        first_max += min(50, len(about))
    print(f"phishing: {len(registrable)} names, {all_} about a brand, {found / all_:.1%} found")
    print(f"  {strict} have it as it is spelt, {strict_found / strict:.1%} found")
    print(f"  in the first 50 rows {first / first_max:.1%} of those that fit in")


if __name__ == "__main__":
    {"pairs": pairs, "phishing": phishing}[sys.argv[1]](*sys.argv[2:])
