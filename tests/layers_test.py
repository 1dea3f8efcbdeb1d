#!/usr/bin/env python3
"""Holds the layer table of gateway/README.md against the #include lines.

An arrow is an include, and arrows point down: engines do not include each other, policies do not include each other, the
session never sees libuv. Each outside library has one door. Prints every line that disagrees and fails.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

ENGINES = ["smtp", "mail", "dns", "tls", "crypto", "milter"]

# folder: the folders it may include besides itself
LAYERS = {
    "gateway/base": [],
    **{f"gateway/{engine}": ["gateway/base"] for engine in ENGINES},
    "gateway/signature": ["gateway/mail", "gateway/crypto", "gateway/base"],
    "gateway/async": ["gateway/base"],
    "gateway/io": ["gateway/base", "gateway/async", "gateway/dns"],
    "gateway/resolver": ["gateway/io", "gateway/async", "gateway/dns", "gateway/base"],
    "gateway/control": ["gateway/base"],
    "gateway/uv": ["gateway/io", "gateway/async", "gateway/dns", "gateway/base"],
    "gateway/state": ["gateway/io", "gateway/async", "gateway/base"],
    "gateway/report": ["gateway/io", "gateway/async", "gateway/dns", "gateway/base"],
    "policies/api": ["gateway/base", "gateway/mail", "gateway/crypto", "gateway/signature", "gateway/async", "gateway/io",
                     "gateway/dns"],
    "policies/*": ["policies/api", "gateway/base", "gateway/mail", "gateway/crypto", "gateway/signature",
                   "gateway/async", "gateway/io", "gateway/dns"],
    "policies": ["policies/*", "policies/api", "gateway/base", "gateway/io", "gateway/async"],
    "lua/engine": ["policies/api", "gateway/base", "gateway/mail", "gateway/async", "gateway/io"],
    # The settings of the modules it fills.
    "gateway/config": ["gateway/base", "policies", "policies/*", "policies/api", "lua/engine", "gateway/tls",
                       "gateway/resolver"],
    "gateway/session": ["gateway/config", "policies/api", "gateway/resolver", "gateway/smtp", "gateway/mail",
                        "gateway/dns", "gateway/tls", "gateway/crypto", "gateway/milter", "gateway/io",
                        "gateway/async", "gateway/base"],
    "gateway/app": ["*"],
    "gateway": ["*"],
}
# Where gateway/config may look: at settings, not at what is done with them.
SETTINGS_ONLY = {"gateway/config": {"policies", "policies/*", "lua/engine", "gateway/tls", "gateway/resolver"}}

# outside header: the folders (or single files) that may see it
DOORS = {
    r"uv\.h": ["gateway/uv"],
    r"ldns/": ["gateway/dns/wire.cpp"],
    r"openssl/": ["gateway/tls", "gateway/crypto"],
    r"(lua|lauxlib|lualib)\.h(pp)?": ["lua/engine"],
    r"re2/": ["gateway/base/regex.cpp", "lua/engine"],
    r"fmt/": ["gateway/base"],
    r"idn2\.h": ["gateway/base/a_labels.cpp"],
    r"libpsl\.h": ["gateway/base/public_suffix.cpp"],
    r"nlohmann/": ["gateway/base", "gateway/control", "gateway/config", "gateway/app"],
    r"toml\+\+/": ["gateway/config"],
    r"CLI/": ["gateway/app"],
    r"systemd/": ["gateway/app"],
    r"sqlite3\.h|hiredis/": ["gateway/state"],
    r"zlib\.h": ["gateway/report"],
}


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "policies":
        if len(parts) == 2:
            return "policies"
        return "policies/api" if parts[1] == "api" else "policies/*"
    if parts[0] == "gateway":
        return "gateway" if len(parts) == 2 else f"gateway/{parts[1]}"
    return "/".join(parts[:2])


def folder_of(path):
    return path.rsplit("/", 1)[0]


def complaints():
    files = [f for top in ("gateway", "policies", "lua") for f in (ROOT / top).rglob("*.*")
             if f.suffix in (".h", ".cpp")]
    if not files:
        yield "no sources found: is this test run from the project's tree?"
    for file in sorted(files):
        path = file.relative_to(ROOT).as_posix()
        layer = layer_of(path)
        if layer not in LAYERS:
            yield f"{path}: the folder is not in the layer table"
            continue
        allowed = LAYERS[layer]
        for number, line in enumerate(file.read_text().splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            outside = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if own:
                target = own.group(1)
                there = layer_of(target)
                if "*" in allowed or folder_of(target) == folder_of(path):
                    continue
                if there == layer and layer != "policies/*":
                    continue
                if there not in allowed:
                    yield f"{path}:{number}: {layer} may not include {target}"
                elif there in SETTINGS_ONLY.get(layer, ()) and not re.search(r"(settings|stage)\.h$", target):
                    yield f"{path}:{number}: {layer} may include only the settings of {there}, not {target}"
            elif outside:
                for pattern, doors in DOORS.items():
                    if re.match(pattern, outside.group(1)) and not any(
                            path == door or path.startswith(door + "/") for door in doors):
                        yield f"{path}:{number}: <{outside.group(1)}> is seen by {', '.join(doors)} only"


def main():
    found = list(complaints())
    for complaint in found:
        print(complaint)
    if found:
        sys.exit(f"{len(found)} includes disagree with the layer table")
    print("layers: all includes point down")


main()
