#!/usr/bin/env python3
"""Reads an image through `evidence mount` and through `ewfmount`, in turn, and prints rates and ratios. Needs root.

    benchmarks/mount.py EVIDENCE FOLDER [ROUNDS]

EVIDENCE is the published command; FOLDER gets a 1 GiB file (half random, a quarter log text, a quarter zeros), its E01 and a vault. Every run has
a mount of its own, so nothing of it is in the page cache; what is below the mount is.
"""
import os, random, statistics, subprocess, sys, threading, time

from measuring import MIB, make_source

evidence, folder = sys.argv[1], sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
source, where = os.path.join(folder, "source.img"), os.path.join(folder, "mounted")
environment = dict(os.environ, EVIDENCE_HOME=os.path.join(folder, "home"), XDG_CACHE_HOME=os.path.join(folder, "cache"))


def quiet(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def sequential(path):
    """The whole of it, as `cp` and `sha256sum` read; bytes a second."""
    start, total = time.monotonic(), 0
    with open(path, "rb", buffering=0) as file:
        while part := file.read(MIB):
            total += len(part)
    return total / (time.monotonic() - start)


def at_random(path, readers, count):
    """4 KiB at random places, by several at once; reads a second."""
    size = os.path.getsize(path)
    file = os.open(path, os.O_RDONLY)

    def read(seed):
        places = random.Random(seed)
        for _ in range(count // readers):
            os.pread(file, 4096, places.randrange(size // 4096) * 4096)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(readers)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(file)
    return count / (time.monotonic() - start)


def mounted(command, name, work):
    os.makedirs(where, exist_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    path = os.path.join(where, name)
    while not os.path.exists(path):
        if process.poll() is not None:
            sys.exit("failed: " + " ".join(command))
        time.sleep(0.05)
    try:
        return work(path)
    finally:
        subprocess.run(["umount", where], check=True)
        process.wait()


def main():
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(source):
        make_source(source)
        for kind, ewf, own in (("uncompressed", "deflate:none", "none"), ("compressed", "deflate:fast", "fast")):
            quiet("ewfacquire", "-u", "-q", "-c", ewf, "-S", "4GiB", "-t", os.path.join(folder, kind), source)
            quiet(evidence, "--vault", os.path.join(folder, kind), "--quiet", "acquire", source, "--item", "image", "--compression", own, "--no-verify")
    works = (
        ("sequential, 1 MiB at a time", "64MiB", lambda path: sequential(path) / MIB, "MiB/s"),
        ("random, 4,000 of 4 KiB, one reader", "64MiB", lambda path: at_random(path, 1, 4000), "reads/s"),
        ("random, 4,000 of 4 KiB, eight readers", "64MiB", lambda path: at_random(path, 8, 4000), "reads/s"),
        ("random, 100,000, one reader, --cache 1GiB", "1GiB", lambda path: at_random(path, 1, 100_000), "reads/s"),
        ("random, 100,000, eight readers, --cache 1GiB", "1GiB", lambda path: at_random(path, 8, 100_000), "reads/s"),
    )
    print("| image | work | ewfmount | evidence mount | times |\n|---|---|---|---|---|")
    for kind in ("uncompressed", "compressed"):
        for title, cache, work, unit in works:
            peers = (
                (["ewfmount", os.path.join(folder, kind + ".E01"), where], "ewf1"),
                ([evidence, "--vault", os.path.join(folder, kind), "mount", "image", where, "--no-record", "--cache", cache], "image.raw"),
            )
            # In turn, so that what else the machine does falls on both.
            figures = [[mounted(command, name, work) for command, name in peers] for _ in range(rounds)]
            theirs, ours = (statistics.median(pair[side] for pair in figures) for side in (0, 1))
            print(f"| {kind} | {title} | {theirs:,.0f} {unit} | {ours:,.0f} {unit} | {ours / theirs:.1f} |", flush=True)


main()
