#!/usr/bin/env python3
"""How much of the parsers the seed corpora alone reach, in lines; fails under the bound.

    ./dev fuzz coverage            a table by source file

Each target's replay program runs over its own seeds, as it does in the tests, in a build that counts lines. Which sources
are the parsers is written below: what turns octets of strangers into values, and nothing beside it.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PARSERS = [
    "gateway/smtp/body_reader.cpp",
    "gateway/smtp/chunk_reader.cpp",
    "gateway/smtp/command.cpp",
    "gateway/smtp/content_lines.cpp",
    "gateway/smtp/enhanced_code.cpp",
    "gateway/smtp/extensions.cpp",
    "gateway/smtp/octets.cpp",
    "gateway/smtp/parameters.cpp",
    "gateway/smtp/path.cpp",
    "gateway/smtp/proxy_header.cpp",
    "gateway/smtp/xclient.cpp",
    "gateway/smtp/reply_parser.cpp",
    "gateway/smtp/server_parser.cpp",
    "gateway/dns/wire.cpp",
    "gateway/crypto/der.cpp",
    "gateway/mail/auth_results.cpp",
    "gateway/mail/author_domains.cpp",
    "gateway/mail/field_text.cpp",
    "gateway/mail/header.cpp",
    "gateway/signature/arc_chain.cpp",
    "gateway/signature/key_record.cpp",
    "gateway/signature/signature_field.cpp",
    "gateway/signature/tag_list.cpp",
    "gateway/config/document.cpp",
    "gateway/config/key_path.cpp",
    "gateway/config/load.cpp",
    "gateway/config/overrides.cpp",
    "gateway/settings/value_type.cpp",
    "gateway/settings/value_types.cpp",
    "policies/dmarc/record.cpp",
    "policies/spf/macro.cpp",
    "policies/spf/record.cpp",
]


def replays(build):
    return {p.name.removeprefix("fuzz_").removesuffix("_replay"): p for p in sorted(build.rglob("fuzz_*_replay"))}


def run_seeds(programs, folder):
    """Raw profiles, one per target that ran."""
    profiles = []
    for name, program in programs.items():
        profile = folder / f"{name}.profraw"
        subprocess.run([program, HERE / "corpus" / name], check=True, stdout=subprocess.DEVNULL, timeout=600,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
        profiles.append(profile)
    return profiles


def summary(programs, profiles, folder):
    """Source file (from the root): (lines, lines reached)."""
    merged = folder / "all.profdata"
    subprocess.run(["llvm-profdata-16", "merge", "-sparse", "-o", merged, *profiles], check=True, timeout=300)
    first, *others = programs.values()
    argv = ["llvm-cov-16", "export", "-summary-only", f"-instr-profile={merged}", first]
    for other in others:
        argv += ["-object", other]
    export = subprocess.run([*argv, *(ROOT / parser for parser in PARSERS)], check=True, stdout=subprocess.PIPE, timeout=300)
    files = json.loads(export.stdout)["data"][0]["files"]
    return {str(pathlib.Path(file["filename"]).relative_to(ROOT)):
            (file["summary"]["lines"]["count"], file["summary"]["lines"]["covered"]) for file in files}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--at-least", type=float, default=85.0, help="percent of all lines (%(default)s)")
    args = parser.parse_args()
    programs = replays(args.build.resolve())
    if not programs:
        sys.exit(f"no replay programs under {args.build}: was it built with the coverage preset?")
    with tempfile.TemporaryDirectory(prefix="fuzz-coverage-") as name:
        folder = pathlib.Path(name)
        reached = summary(programs, run_seeds(programs, folder), folder)
    missing = [source for source in PARSERS if source not in reached]
    for source, (lines, covered) in sorted(reached.items()):
        print(f"{source:36} {covered:>5} of {lines:>5} lines  {100 * covered / max(lines, 1):5.1f} %")
    total = sum(lines for lines, _ in reached.values())
    percent = 100 * sum(covered for _, covered in reached.values()) / max(total, 1)
    print(f"{'all':36} {percent:33.1f} %")
    for source in missing:
        print(f"{source}: no target reaches it, or it is gone", file=sys.stderr)
    if percent < args.at_least:
        print(f"under {args.at_least} %: give the targets seeds that reach the rest", file=sys.stderr)
    return 0 if not missing and percent >= args.at_least else 1


sys.exit(main())
