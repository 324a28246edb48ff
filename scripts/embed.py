#!/usr/bin/env python3
"""embed.py OUTPUT.h PREFIX FILE...: files as arrays of C, for what a program carries with it.

With the prefix `template`, alert.html.mustache becomes template_alert_html: its bytes, and a NUL that is not of
the file. TEMPLATE_LIST(X) is X("alert_html", template_alert_html) and so on, sorted by name.
"""
import pathlib
import sys


def main():
    output, prefix = sys.argv[1:3]
    parts = [f"/* Made by scripts/embed.py: {prefix}. */\n"]
    words = {}
    for path in sorted(map(pathlib.Path, sys.argv[3:])):
        stem = path.name.rsplit(".", 1)[0]
        word = f"{prefix}_{stem.replace('.', '_').replace('-', '_')}"
        data = path.read_bytes() + b"\0"
        rows = (", ".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24))
        parts.append(f"static const unsigned char {word}[] = {{\n" + ",\n".join(rows) + "};\n")
        words[stem] = word
    parts.append(f"#define {prefix.upper()}_LIST(X) " + " ".join(f'X("{stem}", {word})' for stem, word in words.items()) + "\n")
    pathlib.Path(output).write_text("".join(parts))


if __name__ == "__main__":
    main()
