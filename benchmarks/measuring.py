"""What the benchmarks share: the file that they image, and how the run of a tool is measured."""
import os, random, subprocess, sys, time

MIB = 1 << 20


def make_source(path):
    """1 GiB: half random, a quarter log text, a quarter zeros."""
    log = random.Random(7)
    with open(path, "wb") as file:
        for _ in range(512):
            file.write(os.urandom(MIB))
        for _ in range(256):
            lines = []
            size = 0
            while size < MIB:
                line = "2012-01-19T%02d:%02d:%02dZ storage-%d httpd[%d]: GET /d/%08x HTTP/1.1 %d %d\n" % (
                    log.randrange(24), log.randrange(60), log.randrange(60), log.randrange(9), log.randrange(30000),
                    log.getrandbits(32), log.choice((200, 200, 200, 206, 304, 404)), log.randrange(10**7))
                lines.append(line)
                size += len(line)
            file.write("".join(lines).encode()[:MIB])
        file.write(bytes(256 * MIB))


def run(command, environment, may_fail=False):
    """Wall seconds, processor seconds, the largest resident set in MiB, and whether it succeeded."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0 and not may_fail:
        sys.exit("failed: " + " ".join(command))
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status == 0
