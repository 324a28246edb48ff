#!/bin/bash
# lint.sh [--list | --fix | CHECK...]: the checks of ./dev lint, which has installed the tools, built build/
# and configured build-clang/. A check is a function check_NAME; what it prints goes to
# build/lint/NAME.log and is shown when it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

files() { # files PATTERN...: this tree's own files, by name; build directories and .git left out
  local pattern args=()
  for pattern in "$@"; do args+=(-o -name "$pattern"); done
  find . \( -name 'build*' -o -name .git -o -name .cache \) -type d -prune -o \
    -type f \( "${args[@]:1}" \) -print | sort
}

check_format() { files '*.c' '*.h' '*.cc' | xargs -r clang-format --dry-run -Werror; }

# One file a process: version 14's va_list checker mixes up the files of one run.
check_tidy() {
  # sources that are made, not written
  ninja -C build-clang -t targets all | sed -n 's/^\(core\/.*\.h\): CUSTOM_COMMAND.*/\1/p' |
    xargs ninja -C build-clang >/dev/null
  python3 - <<'END' | xargs -r -P "$(nproc)" -n 1 clang-tidy --quiet -p build-clang
import json
for entry in json.load(open("build-clang/compile_commands.json")):
    name = entry["file"].removeprefix("../")
    if name.startswith(("core/", "plugins/")) and name.endswith(".c"):
        print(name)
END
}

check_cppcheck() {
  { files '*.c' | grep -E '^\./(core|plugins)/' || true; } |
    xargs -r cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j "$(nproc)" \
      --enable=warning,performance,portability --suppress=missingIncludeSystem \
      --suppress=unmatchedSuppression --suppress=shiftNegativeLHS \
      --suppress=autoVariables --suppress=nullPointerRedundantCheck --suppress=nullPointer:core/cli/command.c \
      -D_GNU_SOURCE -D__GNUC__ -I core -I include -I build
}

check_shell() {
  { files '*.sh'; grep -rlE '^#!/(usr/)?bin/(env )?(ba)?sh' dev .ci bench scripts 2>/dev/null | sed 's|^|./|' || true; } |
    sed 's|^\./\./|./|' | sort -u | xargs -r shellcheck -x
}

header() { # header COMPILER LANGUAGE STANDARD
  printf '#include "plugin_api.h"\n' |
    "$1" -x "$2" "-std=$3" -pedantic -Wall -Wextra -Wshadow -Werror -fsyntax-only -I include -
}
check_header-c11-gcc() { header gcc c c11; }
check_header-c11-clang() { header clang c c11; }
check_header-c++17-gcc() { header g++ c++ c++17; }
check_header-c++17-clang() { header clang++ c++ c++17; }

check_rooms() { python3 scripts/check_rooms.py; }
check_functions() { python3 scripts/check_functions.py; }
check_globals() { python3 scripts/check_globals.py build; }
check_hygiene() { python3 scripts/check_hygiene.py; }

mapfile -t all < <(compgen -A function check_ | sed 's/^check_//')
if [ "${1:-}" = --list ]; then
  printf '%s\n' "${all[@]}"
  exit
fi
if [ "${1:-}" = --fix ]; then
  files '*.c' '*.h' '*.cc' | xargs -r clang-format -i
  exit
fi
chosen=("$@")
[ ${#chosen[@]} -gt 0 ] || chosen=("${all[@]}")

mkdir -p build/lint
failed=0
for name in "${chosen[@]}"; do
  declare -F "check_$name" >/dev/null || { echo "lint: there is no check '$name'; --list names them" >&2; exit 2; }
  started=$SECONDS
  # A child shell: `set -e` is off inside the condition of an `if`, and a pipeline's failure must count.
  verdict=pass
  (set -euo pipefail; "check_$name") >"build/lint/$name.log" 2>&1 </dev/null || verdict=fail
  printf '%-22s %s (%d s)\n' "$name" "$verdict" $((SECONDS - started))
  python3 scripts/count.py step build/results "lint $name" $verdict
  if [ $verdict = fail ]; then
    failed=$((failed + 1))
    grep -v 'warnings generated\|^Suppressed ' "build/lint/$name.log" | tail -n 60 >&2 || true
  fi
done
echo "lint: $((${#chosen[@]} - failed)) checks passed, $failed failed"
[ $failed = 0 ]
