#!/usr/bin/env python3
"""embed.py OUTPUT.h FILE...: the bytes of files as arrays of C: alert.html.mustache becomes template_alert_html."""
import pathlib
import sys


def main():
    parts = ["/* Made by core/mail/embed.py of core/mail/templates/. */\n"]
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        data = path.read_bytes()
        rows = (", ".join(map(str, data[at:at + 24])) for at in range(0, len(data), 24))
        word = path.name.removesuffix(".mustache").replace(".", "_")
        parts.append(f"static const unsigned char template_{word}[] = {{\n" + ",\n".join(rows) + "};\n")
    pathlib.Path(sys.argv[1]).write_text("".join(parts))


if __name__ == "__main__":
    main()
