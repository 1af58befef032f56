#!/usr/bin/env python3
"""Runs `evidence acquire` beside the tools that people use today, in turn, and prints times, memory and ratios.

    benchmarks/speed.py EVIDENCE FOLDER [ROUNDS]

EVIDENCE is the published command; FOLDER gets a 1 GiB file (half random, a quarter log text, a quarter zeros: data that any
tool can shrink to a bit over half) and every tool's output, so it decides what is measured: a folder on a disk, or on tmpfs.
The file is read once before, so it is in the page cache. Tools: dc3dd, ewfacquire, restic, openssl.
"""
import os, shutil, statistics, subprocess, sys

from measuring import make_source, run

evidence, folder = sys.argv[1], sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
source = os.path.join(folder, "source.img")
out = os.path.join(folder, "out")
environment = dict(os.environ, EVIDENCE_HOME=os.path.join(folder, "home"), XDG_CACHE_HOME=os.path.join(folder, "cache"), RESTIC_PASSWORD="x")


def acquire(*options):
    return [evidence, "--vault", os.path.join(out, "vault"), "--quiet", "acquire", source, *options]


def restic(*options):
    return ["restic", "-q", "--no-cache", "-r", os.path.join(out, "restic"), "backup", source, *options]


contenders = {
    "openssl dgst -md5 (one chain, nothing stored)": ["openssl", "dgst", "-md5", source],
    "openssl dgst -sha256 (the same)": ["openssl", "dgst", "-sha256", source],
    "dc3dd, raw copy, md5 sha1 sha256": ["dc3dd", "if=" + source, "of=" + out + "/copy.img", "hash=md5", "hash=sha1", "hash=sha256"],
    "ewfacquire, E01 uncompressed, md5 sha256": ["ewfacquire", "-u", "-q", "-c", "deflate:none", "-d", "sha256", "-S", "4GiB", "-t", out + "/image", source],
    "ewfacquire, E01 deflate fast, md5 sha256": ["ewfacquire", "-u", "-q", "-c", "deflate:fast", "-d", "sha256", "-S", "4GiB", "-t", out + "/image", source],
    "restic backup, uncompressed, no whole digests": restic("--compression", "off"),
    "restic backup, compressed, no whole digests": restic(),
    "evidence, uncompressed, no read-back": acquire("--compression", "none", "--no-verify"),
    "evidence, uncompressed, read back": acquire("--compression", "none"),
    "evidence, uncompressed, no read-back, md5 sha256": acquire("--compression", "none", "--no-verify", "--digest", "md5,sha256"),
    "evidence, uncompressed, no read-back, sha256": acquire("--compression", "none", "--no-verify", "--digest", "sha256"),
    "evidence, compressed, no read-back": acquire("--no-verify"),
    "evidence, compressed, no read-back, sha256": acquire("--no-verify", "--digest", "sha256"),
    "evidence, compressed, read back (the default)": acquire(),
    "evidence, uncompressed, no read-back, no whole digests": acquire("--compression", "none", "--no-verify", "--digest", "none"),
    "evidence, compressed, no read-back, no whole digests": acquire("--no-verify", "--digest", "none"),
}


def fresh():
    shutil.rmtree(out, ignore_errors=True)
    os.mkdir(out)
    subprocess.run(["restic", "-q", "init", "-r", out + "/restic"], check=True, env=environment)
    subprocess.run(["sync"], check=True)


os.makedirs(folder, exist_ok=True)
if not os.path.exists(source):
    make_source(source)
with open(source, "rb") as file:
    while file.read(1 << 24):
        pass
results = {name: [] for name in contenders}
for number in range(rounds + 1):
    for name, command in contenders.items():
        fresh()
        measured = run(command, environment)
        if number > 0:  # the first round warms up
            results[name].append(measured)
shutil.rmtree(out, ignore_errors=True)

md5, sha256 = (statistics.median(r[0] for r in results[name]) for name in list(contenders)[:2])
print(f"{os.path.getsize(source) / 2**30:.0f} GiB, {rounds} rounds, {os.cpu_count()} cores; median wall seconds (min-max)\n")
print("| work | wall | of openssl md5 | of openssl sha256 | processor | peak memory |")
print("|---|---|---|---|---|---|")
for name, measured in results.items():
    walls = [m[0] for m in measured]
    print(f"| {name} | {statistics.median(walls):.2f} s ({min(walls):.2f}-{max(walls):.2f}) | {statistics.median(walls) / md5:.2f} | {statistics.median(walls) / sha256:.2f} "
          f"| {statistics.median(m[1] for m in measured):.1f} s | {max(m[2] for m in measured):.0f} MiB |")
