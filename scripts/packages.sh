# shellcheck shell=bash
# Which packages of the distribution each part of ./dev needs, and how the missing ones come in.
# Sourced by ./dev. `need SET WHY` is the one function for others.
#
# A word is a package, or alternatives in order of preference: a|b. A word with a slash is a path
# (a pattern) that proves the thing is here, then the package that brings it: path=package.
# Only what is missing is installed: a machine that has it all is never touched.

debian_packages() { # SET
  case $1 in
    build)
      echo gcc libc6-dev pkgconf\|pkg-config meson ninja-build libmicrohttpd-dev \
        libcurl4-openssl-dev\|libcurl4-gnutls-dev libpq-dev libhiredis-dev libssl-dev nettle-dev libyaml-dev \
        libjansson-dev zlib1g-dev libsqlite3-dev libpcre2-dev libseccomp-dev libsystemd-dev
      ;;
    test)
      echo libcmocka-dev g++ clang make python3 curl openssl redis-server prometheus prometheus-alertmanager prometheus-node-exporter prometheus-redis-exporter procps \
        '/usr/lib/postgresql/*/bin/initdb=postgresql'
      ;;
    browser) echo chromium /usr/bin/node=nodejs /usr/bin/npm=npm ;; # the pictures of the mail
    soak) echo python3 prometheus-alertmanager ;;
    lint) echo clang clang-format clang-tidy cppcheck shellcheck g++ python3 binutils ;;
    fuzz) echo clang '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*=libclang-rt-dev' ;;
    bench)
      echo python3 curl nginx-light\|nginx prometheus-pushgateway prometheus-alertmanager collectd-core libprotobuf-c1 monit wrk redis-server \
        '/usr/lib/postgresql/*/bin/initdb=postgresql'
      ;;
  esac
}

fedora_packages() { # SET
  case $1 in
    build)
      echo gcc pkgconf-pkg-config meson ninja-build libmicrohttpd-devel libcurl-devel libpq-devel \
        hiredis-devel openssl-devel nettle-devel libyaml-devel jansson-devel zlib-devel sqlite-devel pcre2-devel \
        libseccomp-devel systemd-devel
      ;;
    test)
      echo libcmocka-devel gcc-c++ clang make python3 curl openssl procps-ng libasan libubsan libtsan \
        /usr/bin/redis-server=redis\|valkey-compat-redis /usr/bin/initdb=postgresql-server \
        /usr/bin/promtool=golang-github-prometheus
      ;;
    browser) echo chromium /usr/bin/node=nodejs /usr/bin/npm=nodejs-npm\|npm ;;
    soak) echo python3 ;;
    lint) echo clang clang-tools-extra cppcheck ShellCheck gcc-c++ python3 binutils ;;
    fuzz) echo clang compiler-rt ;;
    bench) echo python3 curl nginx collectd monit wrk redis postgresql-server ;;
  esac
}

# Debian names the libFuzzer package after the compiler's version; the `clang` package knows it.
clang_runtime_package() {
  local version
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
  echo "libclang-rt-${version:-14}-dev"
}

family() { # debian, fedora or unknown
  local ID='' ID_LIKE=''
  # shellcheck disable=SC1091
  [ -r /etc/os-release ] && . /etc/os-release
  case " $ID $ID_LIKE " in
    *" debian "* | *" ubuntu "*) echo debian ;;
    *" fedora "* | *" rhel "*) echo fedora ;;
    *) echo unknown ;;
  esac
}

has_package() { # FAMILY NAME
  if [ "$1" = debian ]; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null)" = installed ]
  else
    rpm -q --quiet --whatprovides "$2" 2>/dev/null
  fi
}

missing_packages() { # FAMILY SET: prints the packages to install, one a line
  local word name have proof
  for word in $("${1}_packages" "$2"); do
    have=no proof=
    case $word in
      */*=*)
        proof=${word%%=*} word=${word#*=}
        compgen -G "$proof" >/dev/null && have=yes
        ;;
      *)
        for name in ${word//|/ }; do
          if has_package "$1" "$name"; then have=yes; break; fi
        done
        ;;
    esac
    [ $have = yes ] && continue
    [ "$word" = libclang-rt-dev ] && word=$(clang_runtime_package)
    echo "$word"
  done
}

need() { # SET WHY: installs what SET lacks, or says who must install what, and exits
  local fam missing as_root log names
  fam=$(family)
  if [ "$fam" = unknown ]; then
    echo "dev: this distribution is neither Debian's nor Fedora's kin; its packages are yours to install" >&2
    return 0
  fi
  set -f # patterns in the list are for compgen, not for the shell
  missing=$(missing_packages "$fam" "$1" | sort -u)
  set +f
  [ -z "$missing" ] && return 0
  names=$(tr '\n' ' ' <<<"$missing")
  names=${names% }

  as_root=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
      as_root=(sudo)
    else
      echo "dev: packages are missing for $2, and this user may not install them." >&2
      echo "dev: as root, run:" >&2
      if [ "$fam" = debian ]; then
        echo "    apt-get update && apt-get install --no-install-recommends ${names//|+([^ ])/}" >&2
      else
        echo "    dnf install ${names//|+([^ ])/}" >&2
      fi
      echo "dev: then run this again." >&2
      exit 1
    fi
  fi

  echo "dev: installing for $2: ${names//|+([^ ])/}"
  log=$(mktemp "${TMPDIR:-/tmp}/toiletmon-install.XXXXXX")
  # shellcheck disable=SC2086
  if ! "${as_root[@]}" bash "$ROOT/scripts/install-packages.sh" "$fam" $names >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    echo "dev: could not install them (the whole log: $log)" >&2
    exit 1
  fi
  rm -f "$log"
}
