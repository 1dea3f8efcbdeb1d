"""Who may include whom: reads the table of gateway/README.md, and compares it with the #include lines of a tree.

complaints(ROOT) yields a line for everything that disagrees. How the table is written stands below it, in the README.
"""
import dataclasses
import pathlib
import re

TABLE = "gateway/README.md"
POLICIES = "policies/*"  # the row that speaks for the folder of each policy

# What the table itself must keep: engines do not include each other, and the session never sees libuv.
ENGINES = ["gateway/smtp", "gateway/mail", "gateway/dns", "gateway/tls", "gateway/crypto", "gateway/milter"]
NEVER = {**{engine: [other for other in ENGINES if other != engine] for engine in ENGINES},
         "gateway/session": ["gateway/uv"]}

# Headers with an extension that belong to the system; those of the standard library have none.
SYSTEM = r"(sys|linux|netinet|arpa)/.*|(unistd|fcntl|poll|time|dirent|ifaddrs|netdb|pwd|grp|glob|malloc|pthread|signal|stdbool|stdlib|syslog|termios)\.h"


@dataclasses.dataclass
class Permission:
    """One folder, or one outside header, that a row names."""
    name: str
    headers: list = dataclasses.field(default_factory=list)  # only these of the folder; none: all
    files: list = dataclasses.field(default_factory=list)  # only in these files; none: all
    used: set = dataclasses.field(default_factory=set)  # of what it gives, what an include needs: the name, headers, files


@dataclasses.dataclass
class Row:
    folder: str
    folders: dict  # path: Permission
    outside: list
    everything: bool
    line: int


def path_of(name):
    """`smtp` is gateway/smtp."""
    if name == "gateway" or name.split("/")[0] in ("policies", "lua"):
        return name
    return f"gateway/{name}"


def folders_of(cell):
    found = {}
    for name, limits in re.findall(r"`([^`]+)`(?: \(only ([^)]*)\))?", cell):
        headers, _, files = limits.partition(" in ")
        found[path_of(name)] = Permission(name, re.findall(r"`([^`]+)`", headers), re.findall(r"`([^`]+)`", files))
    return found


def outside_of(cell):
    return [Permission(name, files=[file] if file else [])
            for name, file in re.findall(r"`([^`]+)`(?: in `([^`]+)`)?", cell)]


def read_table(text):
    """The rows, lowest folder first. A ValueError names the line that is none."""
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.fullmatch(r"`([^`]+)`", cells[0])
        if len(cells) != 3 or not name:
            raise ValueError(f"{TABLE}:{number}: a row is | `folder` | may include | outside headers |")
        folder = path_of(name[1])
        if folder in rows:
            raise ValueError(f"{TABLE}:{number}: {folder} has a row already")
        rows[folder] = Row(folder, folders_of(cells[1]), outside_of(cells[2]), cells[1] == "everything above", number)
    return rows


def folder_of(path):
    """The folder that an includable file belongs to: a policy's own, the table's otherwise."""
    parts = path.split("/")
    if parts[0] in ("gateway", "policies") and len(parts) == 2:
        return parts[0]
    return "/".join(parts[:2])


def row_of(folder):
    return POLICIES if re.fullmatch(r"policies/(?!(api|lists)$).*", folder) else folder


def complaints_of_rows(rows, folders):
    """What is wrong with the table without a look at an include. `folders` are those with sources."""
    with_rows = {row_of(folder) for folder in folders}
    above = []
    for row in rows.values():
        here = f"{TABLE}:{row.line}: {row.folder}"
        if row.folder not in with_rows:
            yield f"{here} has a row, and no sources"
        for path in row.folders:
            if row_of(path) not in above:
                yield f"{here} may not name {path}, which has no row above it"
            elif path != POLICIES and path not in folders:
                yield f"{here} names {path}, which has no sources"
            if path in NEVER.get(row.folder, ()) or row.folder == row_of(path) == POLICIES:
                yield f"{here} may never include {path}"
        above.append(row.folder)
    for folder in sorted(folders):
        if row_of(folder) not in rows:
            yield f"{folder}: the folder has no row in {TABLE}"


def complaint_of_own(path, target, row, above):
    """Why `path` may not include our header `target`; None when it may."""
    mine, folder = folder_of(path), folder_of(target)
    if folder == mine or (row.everything and row_of(folder) in above):
        return None
    permission = row.folders.get(folder) or row.folders.get(row_of(folder))
    header = target.rsplit("/", 1)[1]
    if not permission:
        return f"{row.folder} may not include {target}"
    if permission.headers and header not in permission.headers:
        return f"{row.folder} may include only {', '.join(permission.headers)} of {folder}, not {header}"
    if permission.files and path.rsplit("/", 1)[1] not in permission.files:
        return f"only {', '.join(permission.files)} of {row.folder} may include {target}"
    permission.used |= {permission.name, header, path.rsplit("/", 1)[1]}
    return None


def complaint_of_outside(path, header, row, rows):
    """Why `path` may not include the outside header `header`; None when it may."""
    if not re.search(r"[./]", header) or re.fullmatch(SYSTEM, header):
        return None

    def fits(permission):
        return header == permission.name or (permission.name.endswith("/") and header.startswith(permission.name))

    file = path.rsplit("/", 1)[1]
    for permission in row.outside:
        if fits(permission) and (not permission.files or file in permission.files):
            permission.used |= {permission.name, file}
            return None
    doors = [f"{other.folder}/{(permission.files or ['*'])[0]}"
             for other in rows.values() for permission in other.outside if fits(permission)]
    return f"<{header}> is seen by {', '.join(doors) or 'no folder: its row must name it'} only"


def complaints_of_unused(rows):
    for row in rows.values():
        for permission in [*row.folders.values(), *row.outside]:
            for part in [permission.name, *permission.headers, *permission.files]:
                if part not in permission.used:
                    yield f"{TABLE}:{row.line}: {row.folder} names {part} ({permission.name}), which no include needs"


def complaints(root):
    files = sorted(file for top in ("gateway", "policies", "lua") for file in (pathlib.Path(root) / top).rglob("*.*")
                   if file.suffix in (".h", ".cpp"))
    paths = {file.relative_to(root).as_posix(): file for file in files}
    if not paths:
        yield "no sources found: is this the project's tree?"
    try:
        rows = read_table((pathlib.Path(root) / TABLE).read_text())
    except ValueError as error:
        yield str(error)
        return
    yield from complaints_of_rows(rows, {folder_of(path) for path in paths})
    order = list(rows)
    for path, file in paths.items():
        row = rows.get(row_of(folder_of(path)))
        if not row:
            continue
        above = order[:order.index(row.folder)]
        for number, line in enumerate(file.read_text().splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            outside = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            complaint = (complaint_of_own(path, own[1], row, above) if own else
                         complaint_of_outside(path, outside[1], row, rows) if outside else None)
            if complaint:
                yield f"{path}:{number}: {complaint}"
    yield from complaints_of_unused(rows)
