#!/bin/bash
# install-packages.sh debian|fedora PACKAGE...   (as root; called by scripts/packages.sh)
#
# Installs packages and leaves the machine's services as they were: servers that come for the tests
# are neither started nor enabled, and no PostgreSQL cluster is made. What is changed to get that
# (policy-rc.d, createcluster.conf) is put back on the way out.
set -euo pipefail
umask 022
family=$1
shift

if [ "$family" = fedora ]; then
  first=()
  for name in "$@"; do first+=("${name%%|*}"); done
  exec dnf -y --setopt=install_weak_deps=False install "${first[@]}"
fi

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
cluster_conf=/etc/postgresql-common/createcluster.conf
mark='# put here by toiletmon for the time of an installation'

restore() {
  if [ -e "$policy" ] && grep -qF "$mark" "$policy"; then rm -f "$policy"; fi
  if [ -e "$policy.toiletmon" ]; then mv "$policy.toiletmon" "$policy"; fi
  if [ -e "$cluster_conf.toiletmon" ]; then mv "$cluster_conf.toiletmon" "$cluster_conf"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
restore # what a killed run may have left

if [ -e "$policy" ]; then mv "$policy" "$policy.toiletmon"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

apt() { apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }
known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# The lists are fetched where there are none, or where they do not know a package.
updated=no
for name in "$@"; do
  if ! known "${name%%|*}"; then
    apt update
    updated=yes
    break
  fi
done

wanted=()
for name in "$@"; do
  choice=${name%%|*}
  for alternative in ${name//|/ }; do
    if known "$alternative"; then choice=$alternative; break; fi
  done
  wanted+=("$choice")
done

get() { # tries once more with fresh lists: old ones name files that mirrors no longer have
  apt --no-install-recommends install "$@" && return 0
  [ $updated = yes ] && return 1
  apt update
  updated=yes
  apt --no-install-recommends install "$@"
}

services() { compgen -G '/lib/systemd/system/*.service' | sort || true; }
before=$(services)

if [[ " ${wanted[*]} " == *" postgresql "* ]]; then
  get postgresql-common
  cp -p "$cluster_conf" "$cluster_conf.toiletmon"
  echo 'create_main_cluster = false' >>"$cluster_conf"
fi
get "${wanted[@]}"

# Not started above; not at the next boot either.
comm -13 <(echo "$before") <(services) | while read -r unit; do
  case ${unit##*/} in
    redis-server.service | prometheus*.service | postgresql.service | nginx.service | collectd.service | monit.service)
      DPKG_MAINTSCRIPT_PACKAGE=toiletmon deb-systemd-helper disable "${unit##*/}" >/dev/null || true
      ;;
  esac
done
