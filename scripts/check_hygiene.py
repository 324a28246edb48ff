#!/usr/bin/env python3
"""Small things that a review should not have to mention.

Trailing blanks, tabs in C, a missing last newline, merge markers, Python
that does not parse, links in Markdown that lead nowhere, and names of hosts that this machine fetches
its packages from (a mirror's address is nobody else's business).
"""
import ast
import os
import pathlib
import re
import sys

SKIP = re.compile(r"^(build.*|\.git|\.cache|__pycache__|node_modules)$")
TEXT = {".c", ".h", ".cc", ".py", ".sh", ".md", ".yaml", ".yml", ".build", ".txt", ".json", ""}
PUBLIC = re.compile(r"(^|\.)(debian\.org|ubuntu\.com|fedoraproject\.org|npmjs\.org|pypi\.org|pythonhosted\.org"
                    r"|github\.com|localhost)$|^127\.|^\[?::1")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def tree():
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if not SKIP.match(name)]
        for name in names:
            path = pathlib.Path(folder, name)
            if path.suffix in TEXT and path.is_file() and not path.is_symlink() and "regression" not in path.parts:
                yield path


def private_hosts():
    """Hosts in this machine's settings of package tools and of git, public ones left out."""
    found = set()
    places = [*pathlib.Path("/etc/apt").rglob("*.list"), *pathlib.Path("/etc/apt").rglob("*.sources"),
              *(pathlib.Path(name).expanduser() for name in
                ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/npmrc", "~/.npmrc", ".git/config"))]
    for place in places:
        try:
            text = place.read_text(errors="replace")
        except OSError:
            continue
        found.update(host for host in re.findall(r"https?://(?:[^@/\s]+@)?([\w.-]+\.[\w-]+)", text)
                     if not PUBLIC.search(host))
    return found


def main():
    problems = []
    hosts = private_hosts()
    for path in sorted(tree()):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            if path.suffix:
                problems.append(f"{path}: not UTF-8")
            continue
        if text and not text.endswith("\n"):
            problems.append(f"{path}: no newline at the end")
        code = path.suffix in (".c", ".h", ".cc")
        for number, line in enumerate(text.splitlines(), 1):
            if line.rstrip() != line:
                problems.append(f"{path}:{number}: blanks at the end")
            if code and "\t" in line:
                problems.append(f"{path}:{number}: a tab")
            if re.match(r"^(<{7}|>{7})( |$)", line):
                problems.append(f"{path}:{number}: a merge left this")
        problems += [f"{path}: names {host}" for host in hosts if host in text]
        if path.suffix == ".py":
            try:
                ast.parse(text, str(path))
            except SyntaxError as error:
                problems.append(f"{path}:{error.lineno}: {error.msg}")
        if path.suffix == ".md":
            for target in LINK.findall(text):
                if not re.match(r"^[a-z]+:", target) and not (path.parent / target).exists():
                    problems.append(f"{path}: the link to {target} leads nowhere")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
