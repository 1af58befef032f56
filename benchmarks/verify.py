#!/usr/bin/env python3
"""Runs `evidence verify` beside the tools that verify what they stored, in turn, and prints times and ratios.

    benchmarks/verify.py EVIDENCE FOLDER DISK...

The disks (benchmarks/fleet.py makes some) are stored in FOLDER by each tool, uncompressed: a vault, one E01 of each disk, a restic repository. Then each
verifies all of it, from the page cache or tmpfs, three rounds after a warm-up. Throughput is of the disks' content. Of some disks libewf (20140813) cannot
verify what it has just written uncompressed; it reads and hashes all of it, so its time counts all the same, and how often that was so is printed.
"""
import os, shutil, statistics, sys

from measuring import run

evidence, folder, disks = sys.argv[1], sys.argv[2], sys.argv[3:]
rounds = 3
out = os.path.join(folder, "out")
environment = dict(os.environ, EVIDENCE_HOME=os.path.join(folder, "home"), XDG_CACHE_HOME=os.path.join(folder, "cache"), RESTIC_PASSWORD="x")
shutil.rmtree(out, ignore_errors=True)
os.makedirs(out)
vault = [evidence, "--vault", os.path.join(out, "vault"), "--quiet"]
restic = ["restic", "-q", "--no-cache", "-r", os.path.join(out, "restic")]


run(vault + ["acquire", "--no-verify", "--compression", "none", "--digest", "none", *disks], environment)
run(restic + ["init"], environment)
run(restic + ["backup", "--compression", "off", *disks], environment)
images = []
for number, disk in enumerate(disks):
    images.append(os.path.join(out, f"image-{number}"))
    run(["ewfacquire", "-u", "-q", "-c", "deflate:none", "-d", "sha256", "-S", "4GiB", "-t", images[-1], disk], environment)
contenders = {
    "evidence verify": [vault + ["verify", "--no-record"]],
    "ewfverify -d sha256": [["ewfverify", "-q", "-d", "sha256", image + ".E01"] for image in images],
    "restic check --read-data": [restic + ["check", "--read-data"]],
}
results = {name: [] for name in contenders}
failed = 0
for number in range(rounds + 1):
    for name, commands in contenders.items():
        measured = [run(command, environment, may_fail=command[0] == "ewfverify") for command in commands]
        failed += sum(not m[3] for m in measured)
        if number > 0:  # the first round warms up
            results[name].append((sum(m[0] for m in measured), sum(m[1] for m in measured)))
shutil.rmtree(out, ignore_errors=True)

content = sum(os.path.getsize(disk) for disk in disks)
print(f"{content / 2**30:.1f} GiB on {len(disks)} disks, {rounds} rounds, {os.cpu_count()} cores; median wall seconds (min-max)\n")
print("| work | wall | throughput | times as long as evidence | processor |")
print("|---|---|---|---|---|")
base = statistics.median(m[0] for m in results["evidence verify"])
for name, measured in results.items():
    walls = [m[0] for m in measured]
    wall = statistics.median(walls)
    print(f"| {name} | {wall:.2f} s ({min(walls):.2f}-{max(walls):.2f}) | {content / wall / 1e9:.2f} GB/s | {wall / base:.1f} "
          f"| {min(m[1] for m in measured):.1f} s |")
print(f"\newfverify failed {failed} times of {len(disks) * (rounds + 1)}.")
