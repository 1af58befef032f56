#!/usr/bin/env python3
"""Runs E01 out and in beside libewf's tools, in turn, and prints times, memory and ratios.

    benchmarks/ewf.py EVIDENCE FOLDER [ROUNDS]

EVIDENCE is the published command; FOLDER gets a 1 GiB file (half random, a quarter log text, a quarter zeros), a vault that has it, and every tool's output, so it decides
what is measured: a folder on a disk, or on tmpfs. What is read was written or read just before, so it is in the page cache. libewf flushes nothing; evidence flushes all.
Out: ewfacquire reads the raw file, evidence its vault, whose segments it checks. In: ewfverify reads the E01 and stores nothing; evidence reads it and stores it in an empty vault.
"""
import os, shutil, statistics, sys

from measuring import make_source, run

evidence, folder = sys.argv[1], sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
source = os.path.join(folder, "source.img")
out = os.path.join(folder, "out")
kept = os.path.join(folder, "kept")
environment = dict(os.environ, EVIDENCE_HOME=os.path.join(folder, "home"), XDG_CACHE_HOME=os.path.join(folder, "cache"))


def export(*options):
    return [evidence, "--vault", kept + "/vault", "--quiet", "export", "disk", "--no-record", "--output", out + "/image.E01", "--format", "e01", "--split", "4GiB", *options]


def acquire(compression):
    return ["ewfacquire", "-u", "-q", "-c", "deflate:" + compression, "-d", "sha1", "-d", "sha256", "-S", "4GiB", "-t", out + "/image", source]


def take(name, *options):
    return [evidence, "--vault", out + "/vault", "--quiet", "acquire", kept + "/" + name, "--no-verify", "--compression", "none", "--digest", "md5,sha256", *options]


groups = {
    "out, deflate fast": {"ewfacquire, md5 sha1 sha256": acquire("fast"), "evidence export, md5 sha1 sha256": export("--compression", "fast")},
    "out, uncompressed": {"ewfacquire, md5 sha1 sha256": acquire("none"), "evidence export, md5 sha1 sha256": export("--compression", "none")},
    "in, uncompressed": {"ewfverify -d sha256": ["ewfverify", "-q", "-d", "sha256", kept + "/none.E01"], "evidence acquire, md5 sha256, stored": take("none.E01")},
    "in, deflate fast": {"ewfverify -d sha256": ["ewfverify", "-q", "-d", "sha256", kept + "/fast.E01"], "evidence acquire, md5 sha256, stored": take("fast.E01")},
}


def fresh():
    shutil.rmtree(out, ignore_errors=True)
    os.mkdir(out)
    run([evidence, "--vault", out + "/vault", "--quiet", "init"], environment)


os.makedirs(kept, exist_ok=True)
if not os.path.exists(source):
    make_source(source)
if not os.path.exists(kept + "/vault"):
    run([evidence, "--vault", kept + "/vault", "--quiet", "acquire", source, "--item", "disk"], environment)
for name in ("none", "fast"):
    if not os.path.exists(f"{kept}/{name}.E01"):
        run(["ewfacquire", "-u", "-q", "-c", "deflate:" + name, "-S", "4GiB", "-t", f"{kept}/{name}", source], environment)
results = {(group, name): [] for group, contenders in groups.items() for name in contenders}
for number in range(rounds + 1):
    for group, contenders in groups.items():
        for name, command in contenders.items():
            fresh()
            measured = run(command, environment)
            if number > 0:  # the first round warms up
                results[group, name].append(measured)
shutil.rmtree(out, ignore_errors=True)

print(f"{os.path.getsize(source) / 2**30:.0f} GiB, {rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median wall seconds (min-max)\n")
print("| work | tool | wall | times faster, median (best of each) | processor | peak memory |")
print("|---|---|---|---|---|---|")
for group, contenders in groups.items():
    peer = [m[0] for m in results[group, next(iter(contenders))]]
    for name in contenders:
        measured = results[group, name]
        walls = [m[0] for m in measured]
        print(f"| {group} | {name} | {statistics.median(walls):.2f} s ({min(walls):.2f}-{max(walls):.2f}) | {statistics.median(peer) / statistics.median(walls):.2f} ({min(peer) / min(walls):.2f}) "
              f"| {statistics.median(m[1] for m in measured):.1f} s | {max(m[2] for m in measured):.0f} MiB |")
