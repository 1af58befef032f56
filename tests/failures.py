#!/usr/bin/env python3
"""Prints why each test failed.

usage: tests/failures.py RESULTS

RESULTS is the folder that `dotnet test --report-ctrf --results-directory RESULTS` writes to.
"""
import glob, json, os, sys

LONGEST = 4000

if len(sys.argv) != 2:
    sys.exit(__doc__)
for file in sorted(glob.glob(os.path.join(sys.argv[1], "*.ctrf"))):
    with open(file, encoding="utf-8") as report:
        for test in json.load(report)["results"]["tests"]:
            if test["status"] == "failed":
                print(f"-- {test['name']}\n{test.get('message', '')[:LONGEST]}\n{test.get('trace', '')[:LONGEST]}")
