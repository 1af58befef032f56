#!/usr/bin/env python3
"""Prints the table of docs/requirements.md with what a test run showed of each row.

usage: tests/requirements.py RESULTS...

RESULTS are the files that `dotnet test --report-ctrf` writes, or folders of them. A test shows a row by its trait "Requirement". Ends in 1 where a
row's test failed, where a row that is not said to be "not built yet" has no test that passed, or where a test names a row that there is not.
"""
import glob, json, os, re, sys

ROW = re.compile(r"^\| ((?:ACQ|OUT|SRC)-[0-9]+) \| ([^|]*) \|")
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

rows = {}
with open(os.path.join(root, "docs", "requirements.md"), encoding="utf-8") as table:
    for line in table:
        if match := ROW.match(line):
            rows[match[1]] = (match[2], "not built yet" in line)

results = {}
files = [file for name in sys.argv[1:] for file in (sorted(glob.glob(os.path.join(name, "*.ctrf"))) if os.path.isdir(name) else [name])]
if not files or not rows:
    sys.exit(__doc__)
for file in files:
    with open(file, encoding="utf-8") as report:
        for test in json.load(report)["results"]["tests"]:
            for row in test.get("extra", {}).get("traits", {}).get("Requirement", []):
                results.setdefault(row, {}).setdefault(test["status"], []).append(test["name"])

bad = 0
for row, (words, unbuilt) in rows.items():
    of = results.get(row, {})
    passed, failed = len(of.get("passed", [])), of.get("failed", [])
    others = sum(len(names) for status, names in of.items() if status not in ("passed", "failed"))
    if failed:
        said = f"FAILED: {len(failed)} of {passed + len(failed)} tests"
    elif passed:
        said = f"passed: {passed} tests" + (f", {others} not run" if others else "") + (", not whole" if unbuilt else "")
    else:
        said = "not built yet" if unbuilt else f"NO TEST{f' ran: {others} skipped' if others else ''}"
    wrong = bool(failed) or not (passed or unbuilt)
    bad += wrong
    print(f"{'FAILED' if wrong else 'ok'}: {row:6} {said:34} {words}")
    for name in failed:
        print(f"        {name}")
for row in sorted(results.keys() - rows.keys()):
    bad += 1
    print(f"FAILED: {row} is named by {results[row]} and is no row of docs/requirements.md")
sys.exit(1 if bad else 0)
