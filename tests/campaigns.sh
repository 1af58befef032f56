#!/usr/bin/env bash
# The long campaigns: every system call with every fault, every state that a power cut can leave, a hundred kills, every byte of a vault and of a ledger. Takes hours.
# Prints how many of each were tried, and a line `ok CAMPAIGN` or `FAILED CAMPAIGN`; the exit code is the number of failures.
#   tests/campaigns.sh [NAME...]: only those, of faults, power-cuts, kills, witness, bytes, tamper
set -uo pipefail
cd "$(dirname "$0")/.."
export EVIDENCE_LONG=1 CI=true DOTNET_NOLOGO=1
failures=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

dotnet build Evidence.sln -c Release > "$log" 2>&1 || { tail -40 "$log"; exit 1; }

campaign() { # campaign NAME PROJECT CLASS
  if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $1 "* ]]; then return; fi
  local began=$SECONDS
  # What a test counts is printed as it goes.
  "tests/$2/bin/Release/net10.0/$2" -class "$2.$3" -showLiveOutput 2>&1 | tee "$log" | sed -unE 's/^.*\[OUTPUT\] (.*)$/   \1/p'
  if [ "${PIPESTATUS[0]}" = 0 ]; then echo "ok $1, $((SECONDS - began)) s"; else
    echo "FAILED $1, $((SECONDS - began)) s"; failures=$((failures + 1)); grep -v OUTPUT "$log" | head -200
  fi
}

wanted=("$@")
campaign faults Evidence.Interop.Tests Crashes.FaultTests
campaign power-cuts Evidence.Interop.Tests Crashes.PowerCutTests
campaign kills Evidence.Interop.Tests Crashes.KillTests
campaign witness Evidence.Interop.Tests Crashes.WitnessFaultTests
campaign bytes Evidence.Tests Verification.EveryByteTests
campaign tamper Evidence.Tests Ledger.TamperTests
exit "$failures"
