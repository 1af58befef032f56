#!/usr/bin/env bash
# Builds Evidence.DiscUtils, which is outside the solution, and runs its tests, wherever its packages restore (docs/decisions/0054). Says aloud whether they ran.
# Prints lines `ok NAME` or `FAILED NAME`; the exit code is the number of failures.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
project=tests/Evidence.DiscUtils.Tests

if ! dotnet restore "$project" > "$log" 2>&1; then
  # Only that the feed lacks the packages is no failure.
  if grep -q 'NU110[0-9].*LTRData\.DiscUtils' "$log" && ! grep -E 'error' "$log" | grep -qvE 'NU110[0-9].*LTRData\.DiscUtils'; then
    echo "Evidence.DiscUtils: its packages (LTRData.DiscUtils) do not restore here; it was NOT built, and its tests did NOT run"
    exit 0
  fi
  echo "FAILED Evidence.DiscUtils: restore"
  tail -20 "$log"
  exit 1
fi

sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends lvm2 > "$log" 2>&1 || { echo "FAILED Evidence.DiscUtils: install lvm2"; tail -5 "$log"; exit 1; }
if ! dotnet build "$project" -c Release --no-restore > "$log" 2>&1; then
  echo "FAILED Evidence.DiscUtils: build"
  tail -20 "$log"
  exit 1
fi
echo "ok Evidence.DiscUtils: build, warnings as errors"
"$project/bin/Release/net10.0/Evidence.DiscUtils.Tests" -noColor > "$log" 2>&1
status=$?
summary=$(grep -oE "Total: [0-9].*" "$log" | tail -1)
if [ "$status" -ne 0 ]; then
  echo "FAILED Evidence.DiscUtils: tests ran, $summary"
  grep -E '\[FAIL\]' "$log" | head -20
  exit 1
fi
echo "ok Evidence.DiscUtils: tests ran, $summary"
