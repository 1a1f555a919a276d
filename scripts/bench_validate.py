"""What scripts/bench-validate needs beside a shell: rows from SQLite into DuckDB, and a stopwatch.

    bench_validate.py load WAREHOUSE FILE       copies both tables into a DuckDB file
    bench_validate.py grow WAREHOUSE TIMES      repeats each game under TIMES ids, in the tables and the schedule
    bench_validate.py export WAREHOUSE FOLDER   the same as FOLDER/bench.duckdb and FOLDER/parquet, by the duckdb program
    bench_validate.py measure RUNS NAME COMMAND [NAME COMMAND ...]
"""

import csv
import os
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

TABLES = ("team_offense_game_summary", "player_game_summary")


def load(warehouse: str, file: str) -> None:
    import duckdb

    source = sqlite3.connect(f"file:{warehouse}/nba_analytics.db?mode=ro", uri=True)
    target = duckdb.connect(file)
    for table in TABLES:
        rows = source.execute(f"SELECT * FROM {table}")
        with tempfile.NamedTemporaryFile("w", newline="", suffix=".csv") as text:
            writer = csv.writer(text)
            writer.writerow(column[0] for column in rows.description)
            writer.writerows(rows)
            text.flush()
            target.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_csv('{text.name}', header = true, sample_size = -1)"
            )
    target.close()


def grow(warehouse: str, times: int) -> None:
    for name, tables in ("nba_analytics", TABLES), ("nba_reference", ("nba_schedule",)):
        with sqlite3.connect(f"{warehouse}/{name}.db") as database:
            database.execute("PRAGMA synchronous = OFF")
            for table in tables:
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                values = ["game_id || '_' || n" if column == "game_id" else column for column in columns]
                database.execute(
                    f"INSERT INTO {table} ({', '.join(columns)})"
                    f" WITH RECURSIVE copies (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM copies WHERE n < {times})"
                    f" SELECT {', '.join(values)} FROM {table}, copies"
                )


def export(warehouse: str, folder: str) -> None:
    """Dates get their type; everything else keeps the one that it has."""
    statements = []
    for name, tables in ("nba_analytics", TABLES), ("nba_reference", ("nba_schedule",)):
        source = sqlite3.connect(f"file:{warehouse}/{name}.db?mode=ro", uri=True)
        os.makedirs(f"{folder}/parquet/{name}", exist_ok=True)
        statements.append(f"CREATE SCHEMA {name}")
        for table in tables:
            text = f"{folder}/{table}.csv"
            with open(text, "w", newline="", encoding="utf-8") as file:
                rows = source.execute(f"SELECT * FROM {table}")
                writer = csv.writer(file)
                writer.writerow(column[0] for column in rows.description)
                writer.writerows(rows)
            statements.append(
                f"CREATE TABLE {name}.{table} AS SELECT * FROM read_csv('{text}', header = true, sample_size = -1)"
            )
            statements.append(f"COPY {name}.{table} TO '{folder}/parquet/{name}/{table}.parquet' (FORMAT parquet)")
    duckdb = os.environ.get("BF_DUCKDB", "duckdb")
    subprocess.run([duckdb, f"{folder}/bench.duckdb"], input=";\n".join(statements) + ";", text=True, check=True)


def peak_kib(words: list[str]) -> int | None:
    """The peak of resident memory, from GNU time: a small process, as a child begins with its parent's."""
    program = shutil.which("time")
    if program is None:
        return None
    with tempfile.NamedTemporaryFile("r") as figures:
        subprocess.run(
            [program, "-f", "%M", "-o", figures.name, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return int(figures.read().split()[-1])


def measure(runs: int, commands: list[tuple[str, str]]) -> None:
    print(f"\n{'command':<40}{'shortest':>12}{'median':>12}{'peak memory':>14}")
    for name, command in commands:
        words = shlex.split(command)
        times = []
        for run in range(runs + 1):
            began = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # The first run warms the page cache.
            if run > 0:
                times.append(1000 * (time.perf_counter() - began))
        peak = peak_kib(words)
        memory = "needs GNU time" if peak is None else f"{peak / 1024:.1f} MiB"
        print(f"{name:<40}{min(times):>9.1f} ms{statistics.median(times):>9.1f} ms{memory:>14}")
    print(f"\n{runs} runs each, {os.cpu_count()} processors")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["load", warehouse, file]:
            load(warehouse, file)
        case ["grow", warehouse, times]:
            grow(warehouse, int(times))
        case ["export", warehouse, folder]:
            export(warehouse, folder)
        case ["measure", runs, *words] if len(words) % 2 == 0:
            measure(int(runs), list(zip(words[::2], words[1::2])))
        case _:
            sys.exit(__doc__)
