#!/usr/bin/env python3
"""Images many disks at once, the same ones in turn, and the same with dc3dd; prints times, memory and ratios.

    benchmarks/fleet.py EVIDENCE FOLDER [ROUNDS [DISKS [MIB [SOURCES]]]]

EVIDENCE is the published command. SOURCES gets that many disks (16) of so many MiB (256), and FOLDER what is made of them: tmpfs, unless the medium is
what one wants to measure. Half of each disk is random, a quarter log text, a quarter zeros; no two share anything. They are read once before, so that they are
in the page cache. All three digests each; --no-verify, since dc3dd reads nothing back. Rounds are of pairs: every way once, then again.
"""
import os, random, shutil, statistics, sys, time

from measuring import run

evidence, folder = sys.argv[1], sys.argv[2]
rounds, count, mib = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((3, 3), (4, 16), (5, 256)))
sources = sys.argv[6] if len(sys.argv) > 6 else os.path.join(folder, "sources")
out = os.path.join(folder, "out")
environment = dict(os.environ, EVIDENCE_HOME=os.path.join(folder, "home"), XDG_CACHE_HOME=os.path.join(folder, "cache"))
disks = [os.path.join(sources, f"disk-{n}.img") for n in range(count)]


def make(path, seed):
    """A disk; its log text is varied by a number in each line, so that no two disks have a segment in common."""
    size = 1 << 20
    log = random.Random(seed)
    lines = []
    length = 0
    while length < size:
        lines.append("2012-01-19T%02d:%02d:%02dZ storage-%d httpd[%%05d]: GET /d/%08x HTTP/1.1 200 %d\n" % (
            log.randrange(24), log.randrange(60), log.randrange(60), seed, log.getrandbits(32), log.randrange(10**7)))
        length += len(lines[-1]) + 2
    with open(path, "wb") as file:
        for _ in range(mib // 2):
            file.write(os.urandom(size))
        for part in range(mib // 4):
            file.write("".join(line % part for line in lines).encode()[:size])
        file.write(bytes(size * (mib - mib // 2 - mib // 4)))


def run_all(commands):
    """Wall seconds, processor seconds and the largest resident set in MiB of commands, one after the other."""
    start = time.monotonic()
    measured = [run(command, environment) for command in commands]
    return time.monotonic() - start, sum(m[1] for m in measured), max(m[2] for m in measured)


def acquire(*options):
    return [evidence, "--vault", os.path.join(out, "vault"), "--quiet", "acquire", "--no-verify", *options]


contenders = {}
for name, options in (("uncompressed", ["--compression", "none"]), ("compressed", [])):
    contenders[f"evidence, {name}, all at once"] = [acquire(*options, *disks)]
    contenders[f"evidence, {name}, one after the other (--jobs 1)"] = [acquire(*options, "--jobs", "1", *disks)]
contenders["dc3dd, raw copies, each in turn"] = [
    ["dc3dd", f"if={disk}", f"of={out}/copy.img", "hash=md5", "hash=sha1", "hash=sha256"] for disk in disks]

os.makedirs(sources, exist_ok=True)
for number, disk in enumerate(disks):
    if not os.path.exists(disk) or os.path.getsize(disk) != mib << 20:
        make(disk, number)
for disk in disks:
    with open(disk, "rb") as file:
        while file.read(1 << 24):
            pass
results = {name: [] for name in contenders}
for _ in range(rounds):
    for name, commands in contenders.items():
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        results[name].append(run_all(commands))
shutil.rmtree(out, ignore_errors=True)

total = count * (mib << 20)
base = statistics.median(r[0] for r in results[next(reversed(contenders))])
print(f"{count} disks of {mib} MiB, {rounds} rounds, {os.cpu_count()} cores; median wall seconds (min-max)\n")
print("| work | wall | throughput | times dc3dd | processor | peak memory |")
print("|---|---|---|---|---|---|")
for name, measured in results.items():
    walls = [m[0] for m in measured]
    wall = statistics.median(walls)
    print(f"| {name} | {wall:.2f} s ({min(walls):.2f}-{max(walls):.2f}) | {total / wall / 1e9:.2f} GB/s | {base / wall:.1f} "
          f"| {statistics.median(m[1] for m in measured):.1f} s | {max(m[2] for m in measured):.0f} MiB |")
