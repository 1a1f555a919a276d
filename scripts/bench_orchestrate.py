"""What bf-orchestrate costs on its own. Called by scripts/bench-orchestrate."""

import datetime as dt
import glob
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

BIN = os.environ["BF_BIN_DIR"]
FIRST = dt.date(2020, 1, 1)

CONFIG = """polling: {interval_seconds: 1, progress_update_interval: 1000}
dialects:
  - {name: bench, run_start: '^(?P<total>\\d+) days', success: '^ok (?P<date>\\S+) (?P<records>\\d+)', end: '^over$'}
"""
SUITE = """suite: bench
table: bench.days
date_column: day
primary_key: [day]
checks:
  - {name: rows, level: critical, row_count: {}, at_least: 1}
"""
JOB = """#!/bin/sh
printf '1 days\\nok %s 1\\n' "$1"
sleep 0.02
echo over
"""


def call(*args):
    """Runs a tool to its end; its seconds, and the most memory of it in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [f"{BIN}/{args[0]}", *args[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(args)}: {said.decode()[-2000:]}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def prepare(days):
    os.makedirs("warehouse")
    os.makedirs("logs")
    with sqlite3.connect("warehouse/bench.db") as database:
        database.execute("create table days (day text primary key, n integer)")
        rows = [(str(FIRST + dt.timedelta(days=at)),) for at in range(days)]
        database.executemany("insert into days values (?, 1)", rows)
    for name, text in ("config.yaml", CONFIG), ("suite.yaml", SUITE), ("job.sh", JOB):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod("job.sh", 0o755)


def alone(days):
    """The seconds of the job and of the validator, each alone."""
    day = str(FIRST)
    jobs, validators = [], []
    for _ in range(20):
        began = time.monotonic()
        subprocess.run(["./job.sh", day], stdout=subprocess.DEVNULL, check=True)
        jobs.append(time.monotonic() - began)
        validators.append(
            call("bf-validate", "--suite", "suite.yaml", day, day, "--config", "config.yaml")[0]
        )
    return statistics.median(jobs), statistics.median(validators)


def gaps():
    """From each gate that opened to the next intent to start, by the journal's own times, in milliseconds."""
    journal = max(glob.glob(".bf/runs/*/journal.ndjson"), key=os.path.getmtime)
    closed, found = None, []
    with open(journal, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            at = dt.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))
            step = record["what"]["step"]
            if step == "gate_closed":
                closed = at
            elif step == "job_starting" and closed:
                found.append((at - closed).total_seconds() * 1000)
                closed = None
    return found


def report(title, count, plan):
    with open("plan.yaml", "w", encoding="utf-8") as file:
        file.write(plan)
    job, validator = alone(count)
    took, memory = call("bf-orchestrate", "run", "plan.yaml", "--config", "config.yaml")
    own = (took / count - job - validator) * 1000
    found = gaps()
    print(
        f"{title:<24} {took:8.1f} s {job * 1000:8.1f} ms {validator * 1000:9.1f} ms {own:9.1f} ms"
        f" {memory:7.1f} MiB {statistics.median(found):7.1f} ms"
    )


def main():
    phases, windows = int(sys.argv[1]), int(sys.argv[2])
    days = max(phases, windows)
    print(f"{'':<24} {'in all':>10} {'job':>11} {'validator':>12} {'own, each':>12} {'memory':>11} {'to next':>10}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(days)
        each = "".join(
            f"  - name: p{at}\n    validate: [{{suite: suite.yaml}}]\n    dialect: bench\n"
            f"    range: {{start: {FIRST + dt.timedelta(days=at)}, end: {FIRST + dt.timedelta(days=at)}}}\n"
            "    job: {command: [./job.sh, '{start}']}\n"
            for at in range(phases)
        )
        report(f"{phases} phases", phases, f"name: phases\nconcurrency: 1\nphases:\n{each}")
        last = FIRST + dt.timedelta(days=windows - 1)
        report(
            f"{windows} windows of a day",
            windows,
            f"name: windows\nconcurrency: 1\nrange: {{start: {FIRST}, end: {last}}}\nphases:\n"
            "  - name: days\n    validate: [{suite: suite.yaml}]\n    dialect: bench\n    windows: day\n"
            "    job: {command: [./job.sh, '{start}']}\n",
        )
        os.chdir("/")


main()
