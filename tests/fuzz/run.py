#!/usr/bin/env python3
"""Runs the fuzz targets: all of them, or one, each for so many seconds, and says how many executions that were.

    ./dev fuzz                     all, 60 s each
    ./dev fuzz data_reader 600     one, ten minutes

A finding stops with the path of the input that made it; put it into corpus/TARGET/ with the fix, and it is a test for ever.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def programs(build):
    return {p.name.removeprefix("fuzz_"): p for p in sorted(build.rglob("fuzz_*")) if p.is_file() and p.suffix == ""}


def fuzz(name, program, seconds):
    """True when nothing was found."""
    seeds = HERE / "corpus" / name
    dictionary = HERE / "smtp.dict"
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as grown:
        argv = [str(program), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1",
                f"-artifact_prefix={pathlib.Path.cwd()}/fuzz-{name}-"]
        if dictionary.exists():
            argv.append(f"-dict={dictionary}")
        argv += [grown, *([str(seeds)] if seeds.is_dir() else [])]
        run = subprocess.run(argv, capture_output=True, text=True, errors="replace")
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
    print(f"{name:16} {int(found.group(1)) if found else 0:>12} executions  {'ok' if run.returncode == 0 else 'FOUND SOMETHING'}",
          flush=True)
    if run.returncode != 0:
        print(run.stderr[-4000:], file=sys.stderr)
    return run.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("target", nargs="?")
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    args = parser.parse_args()
    found = programs(args.build.resolve())
    if args.target and args.target.isdigit() and args.target not in found:  # ./dev fuzz 30
        args.target, args.seconds = None, int(args.target)
    if not found:
        sys.exit(f"no fuzz targets under {args.build}: was it built with the fuzz preset?")
    if args.target and args.target not in found:
        sys.exit(f"no target {args.target}; there are: {', '.join(found)}")
    names = [args.target] if args.target else list(found)
    return 0 if all([fuzz(name, found[name], args.seconds) for name in names]) else 1


sys.exit(main())
