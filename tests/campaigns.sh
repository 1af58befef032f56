#!/usr/bin/env bash
# The long campaigns: every system call with every fault, every state that a power cut can leave, a hundred kills, every byte of a vault, a ledger and a proof, a hundred
# thousand mutants of each thing that strangers send, and files of gigabytes. Takes hours.
# Prints how many of each were tried, and a line `ok CAMPAIGN` or `FAILED CAMPAIGN`; the exit code is the number of failures.
#   tests/campaigns.sh [NAME...]: only those, of faults, power-cuts, kills, witness, replication, documents, bytes, tamper, proofs, mutants, large
set -uo pipefail
cd "$(dirname "$0")/.."
export EVIDENCE_LONG=1 CI=true DOTNET_NOLOGO=1
failures=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

dotnet build Evidence.sln -c Release > "$log" 2>&1 || { tail -40 "$log"; exit 1; }

campaign() { # campaign NAME PROJECT CLASS...
  if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $1 "* ]]; then return; fi
  local began=$SECONDS name=$1 project=$2
  shift 2
  # What a test counts is printed as it goes.
  "tests/$project/bin/Release/net10.0/$project" $(printf -- "-class $project.%s " "$@") -showLiveOutput -noColor 2>&1 | tee "$log" | sed -unE 's/^.*\[OUTPUT\] (.*)$/   \1/p'
  if [ "${PIPESTATUS[0]}" = 0 ]; then echo "ok $name, $((SECONDS - began)) s"; else
    echo "FAILED $name, $((SECONDS - began)) s"; failures=$((failures + 1)); grep -v OUTPUT "$log" | head -200
  fi
}

wanted=("$@")
campaign faults Evidence.Interop.Tests Crashes.FaultTests
campaign power-cuts Evidence.Interop.Tests Crashes.PowerCutTests
campaign kills Evidence.Interop.Tests Crashes.KillTests
campaign witness Evidence.Interop.Tests Crashes.WitnessFaultTests
campaign replication Evidence.Interop.Tests Replicating.ReplicationCrashTests
campaign documents Evidence.Interop.Tests Crashes.DocumentPowerCutTests
campaign bytes Evidence.Tests Verification.EveryByteTests
campaign tamper Evidence.Tests Ledger.TamperTests
campaign proofs Evidence.Tests Proofs.ProofTests
campaign mutants Evidence.Tests Sources.Ewf.EwfMutationTests Formats.Nbd.NbdServerTests Sources.Nbd.NbdNegotiationTests Sources.Nbd.NbdReadTests
campaign large Evidence.Interop.Tests Ewf.EwfExportTests
exit "$failures"
