#!/bin/bash
# tap.sh PROGRAM: runs a cmocka program and mends its TAP. Old versions (Debian 12's) print a skipped
# case as "not ok 3 # SKIP name", which Meson rightly reads as a failure. The exit status is kept.
set -o pipefail
"$@" | sed -u 's/^not ok \([0-9]*\) # SKIP \(.*\)$/ok \1 - \2 # SKIP it cannot be tried here/'
