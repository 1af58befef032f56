#!/usr/bin/env python3
"""Hashing in lanes beside `openssl speed`, in one run: what one core does, at its best, and the ratio.

    dotnet build -c Release benchmarks/Evidence.Benchmarks
    benchmarks/lanes.py [ROUNDS]

Both are asked in turn, and of each the best round counts: other work on the machine can only make a round slower. openssl hashes one message at a time,
64 KiB of it, from the cache; a kernel hashes as many as it has lanes, 32 KiB of each from the L2 cache, then 2 MiB of each from memory.
"""
import os, re, subprocess, sys

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ours = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Evidence.Benchmarks/bin/Release/net10.0/Evidence.Benchmarks.dll")
openssl, lanes = {}, {}


def keep(best, key, value):
    best[key] = max(best.get(key, 0), value)


for _ in range(rounds):
    for name in ("md5", "sha1", "sha256"):
        out = subprocess.run(["openssl", "speed", "-seconds", "1", "-bytes", "65536", "-evp", name], capture_output=True, text=True, check=True).stdout
        keep(openssl, name, float(re.search(r"([0-9.]+)k\s*$", out).group(1)) * 1000)
    for line in subprocess.run(["dotnet", ours, "lanes"], capture_output=True, text=True, check=True).stdout.splitlines():
        name, kernel, cached, memory = line.split("\t")
        keep(lanes, (name.lower(), kernel, "cached"), float(cached))
        keep(lanes, (name.lower(), kernel, "memory"), float(memory))

version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
print(f"One core, best of {rounds} rounds, GB/s; in brackets, times openssl {version} of the same run\n")
print("| kernel | L2 cache | memory |")
print("|---|---|---|")
for name, speed in openssl.items():
    print(f"| openssl {name} | {speed / 1e9:.2f} (1.0) | |")
    for kernel in [k for n, k, place in lanes if n == name and place == "cached"]:
        print("| " + kernel + " | " + " | ".join(
            f"{lanes[name, kernel, place] / 1e9:.2f} ({lanes[name, kernel, place] / speed:.1f})" for place in ("cached", "memory")) + " |")
