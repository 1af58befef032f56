#!/usr/bin/env bash
# What four file-system images that share content take in a vault, beside restic: both uncompressed, and both compressed as by default.
# Usage: benchmarks/deduplication.sh EVIDENCE FOLDER     (EVIDENCE is the published command; FOLDER has the images of make-images.sh)
set -euo pipefail
evidence=${1:?usage: deduplication.sh EVIDENCE FOLDER}
images=(${2:?usage: deduplication.sh EVIDENCE FOLDER}/*.img)
work=$(mktemp -d "$2/dedup.XXXX")
trap 'rm -rf "$work"' EXIT
export EVIDENCE_HOME="$work/home" XDG_CACHE_HOME="$work/cache" RESTIC_PASSWORD=x
size() { du -sb "$1" | cut -f1; }

total=$(du -cb "${images[@]}" | tail -1 | cut -f1)
echo "${#images[@]} images, $total bytes"
for mode in off auto; do
  restic -q init -r "$work/restic-$mode"
  restic -q --no-cache -r "$work/restic-$mode" backup --compression "$mode" "${images[@]}"
done
for mode in none fast best; do
  "$evidence" --vault "$work/vault-$mode" --quiet --json acquire "${images[@]}" --compression "$mode" --read-holes --digest none > "$work/$mode.json"
done
python3 - "$work" "$(size "$work/restic-off")" "$(size "$work/restic-auto")" "$(size "$work/vault-none")" "$(size "$work/vault-fast")" "$(size "$work/vault-best")" <<'PY'
import json, sys
work, off, auto, none, fast, best = sys.argv[1], *map(int, sys.argv[2:])
images = json.load(open(work + "/none.json"))["images"]
segments = sum(int(i["segments"]) for i in images)
data = sum(int(i["size"]) - int(i["zeroBytes"]) for i in images)
new = sum(int(i["newSegments"]) for i in images)
print(f"{segments} segments, {data / segments / 1024:.1f} KiB each on average; {new} of them unique")
print("| | restic | evidence | ratio |\n|---|---|---|---|")
print(f"| uncompressed | {off / 1e6:.0f} MB | {none / 1e6:.0f} MB | {none / off:.3f} |")
print(f"| compressed, each by its default | {auto / 1e6:.0f} MB | {fast / 1e6:.0f} MB | {fast / auto:.3f} |")
print(f"| compressed, ours at best | {auto / 1e6:.0f} MB | {best / 1e6:.0f} MB | {best / auto:.3f} |")
PY
