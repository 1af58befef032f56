#!/usr/bin/env python3
"""Measures the custody ledger, and prints the tables of docs/benchmarks.md: appends, verification at growing sizes, proofs.

    benchmarks/ledger.py EVIDENCE BENCHMARKS DISK [MEMORY]

EVIDENCE is the published command, BENCHMARKS the built program benchmarks/Evidence.Benchmarks/bin/Release/net10.0/Evidence.Benchmarks. DISK is a folder on a
disk, MEMORY one on tmpfs (/dev/shm without it), where a flush costs nothing. Takes some 2 GB of DISK for a ledger of a million entries.
"""
import os, shutil, subprocess, sys, tempfile, time

evidence, benchmarks, disk = sys.argv[1:4]
memory = sys.argv[4] if len(sys.argv) > 4 else "/dev/shm"
MILLION = 1_000_000


def run(command, home=None):
    """Standard output, wall seconds, processor seconds, and the largest resident set in MiB."""
    environment = dict(os.environ, EVIDENCE_HOME=home or "/nonexistent", XDG_CACHE_HOME=os.path.join(disk, "cache"), EVIDENCE_ACTOR="bench")
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}\n{output.decode()[:2000]}")
    return output.decode(), time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def parts(*arguments):
    """Wall and processor seconds of each part, and the process's peak."""
    output, _, _, peak = run([benchmarks, "ledger", *map(str, arguments)])
    return [tuple(map(float, line.split())) for line in output.splitlines()], peak


def appends():
    print("| batch | entries | to a disk, flushed | to memory | ratio |\n|---|---|---|---|---|")
    for batch, entries in ((1, 400), (16, 3_200), (256, 25_600), (4096, 81_920)):
        rates = []
        for where in (disk, memory):
            folder = tempfile.mkdtemp(prefix="append-", dir=where)
            [(wall, _)], _ = parts("append", folder, entries, batch)
            shutil.rmtree(folder)
            rates.append(entries / wall)
        print(f"| {batch:,} | {entries:,} | {rates[0]:,.0f} a second | {rates[1]:,.0f} a second | {rates[1] / rates[0]:.1f} |", flush=True)


def verification():
    print("\n| entries | hashing | signatures | their share | an entry | peak memory | one more entry (`note`) | its peak |\n|---|---|---|---|---|---|---|---|")
    for entries in (10_000, 100_000, MILLION):
        folder = os.path.join(disk, f"ledger-{entries}")
        os.makedirs(folder)
        run([benchmarks, "ledger", "make", folder, str(entries)])
        [(_, hashing), (_, judging)], peak = parts("check", folder)
        _, _, note, note_peak = run([evidence, "--vault", os.path.join(folder, "vault"), "note", "one more"], os.path.join(folder, "home"))
        print(
            f"| {entries:,} | {hashing:.2f} s | {judging:.2f} s | {judging / (hashing + judging):.0%} | {(hashing + judging) / entries * 1e6:.0f} µs | {peak:.0f} MiB "
            f"| {note:.2f} s | {note_peak:.0f} MiB |", flush=True)


def proofs():
    folder = os.path.join(disk, f"ledger-{MILLION}")
    home, vault = os.path.join(folder, "home"), os.path.join(folder, "vault")
    image = os.path.join(disk, "image")
    with open(image, "wb") as file:
        for _ in range(320):
            file.write(os.urandom(1 << 20))
    small = os.path.join(disk, "small")
    os.makedirs(small)
    small_home, small_vault = os.path.join(small, "home"), os.path.join(small, "vault")
    run([evidence, "--vault", small_vault, "--quiet", "acquire", image, "--item", "disk", "--digest", "none", "--no-verify"], small_home)
    os.unlink(image)
    print("\n| proof | size | made (processor) | peak | checked (processor) | peak |\n|---|---|---|---|---|---|")
    for name, v, h, arguments in (
        ("an entry of 1,000,000", vault, home, ["500000"]),
        ("an entry of 3", small_vault, small_home, ["2"]),
        ("an image", small_vault, small_home, ["disk"]),
        ("4 KiB of an image", small_vault, small_home, ["disk", "--range", "1MiB+4KiB"]),
        ("16 MiB", small_vault, small_home, ["disk", "--range", "1MiB+16MiB"]),
        ("256 MiB", small_vault, small_home, ["disk", "--range", "1MiB+256MiB"]),
    ):
        proof, policy = os.path.join(disk, "proof"), os.path.join(disk, "policy")
        for path in (proof, policy):
            if os.path.exists(path):
                os.unlink(path)
        run([evidence, "--vault", v, "witness", "policy", "--output", policy], h)
        _, _, made, made_peak = run([evidence, "--vault", v, "prove", *arguments, "--output", proof], h)
        _, _, checked, checked_peak = run([evidence, "check", proof, "--policy", policy])
        size = os.path.getsize(proof)
        print(f"| {name} | {size / 1024:,.1f} KiB | {made:.2f} s | {made_peak:.0f} MiB | {checked:.2f} s | {checked_peak:.0f} MiB |", flush=True)


disk = tempfile.mkdtemp(prefix="ledger-", dir=disk)
try:
    appends()
    verification()
    proofs()
finally:
    shutil.rmtree(disk)
