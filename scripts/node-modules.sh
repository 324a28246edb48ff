#!/bin/bash
# node-modules.sh: what the test of the mail's pictures needs of npm, into .cache/browser. Nothing is run by it, no browser
# comes with it, and nothing of it is part of what we build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# the newest that runs on Debian 12's Node.js 18
wanted='playwright-core@1.61.0 axe-core@4.14.1'
folder=.cache/browser
[ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ] && exit 0
mkdir -p "$folder"
echo "dev: installing from npm for the tests: $wanted"
# shellcheck disable=SC2086
if ! npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts $wanted \
  >"$folder/npm.log" 2>&1 </dev/null; then
  tail -n 15 "$folder/npm.log" >&2
  echo "dev: could not install them; without them the test of the mail's pictures is skipped (in CI: fails)" >&2
  [ "${CI:-}" != true ]
  exit
fi
echo "$wanted" >"$folder/installed"
