#!/bin/sh
# Installs the Debian packages of the given groups of deploy/packages.txt, and only what is missing.
# Usage: deploy/install-packages.sh GROUP...       deploy/install-packages.sh --list GROUP...
#
# POSIX sh and dpkg only: this script runs first on a bare Debian 12.
set -eu

fail() { echo "install-packages: $*" >&2; exit 1; }

list_file="$(dirname "$0")/packages.txt"
[ -r "$list_file" ] || fail "cannot read $list_file"

list_only=no
if [ "${1:-}" = --list ]; then list_only=yes; shift; fi
[ $# -gt 0 ] || fail "usage: $0 [--list] GROUP...  (the groups stand in $list_file)"

packages_of() {
  while read -r group packages; do
    [ "$group" = "$1" ] && printf '%s\n' $packages
  done < "$list_file"
  return 0
}

wanted=""
for group in "$@"; do
  of_group=$(packages_of "$group")
  [ -n "$of_group" ] || fail "no group '$group' in $list_file"
  wanted="$wanted $of_group"
done
wanted=$(printf '%s\n' $wanted | sort -u)
if [ "$list_only" = yes ]; then printf '%s\n' $wanted; exit 0; fi

command -v dpkg-query >/dev/null || fail "this is not Debian: install by hand what fits:" $wanted

# "npm" counts as installed if another package provides the command (NodeSource's nodejs does).
is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
    { [ "$1" = npm ] && command -v npm >/dev/null; }
}

missing=""
for package in $wanted; do is_installed "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null ||
    fail "these packages are missing, and there is neither root nor sudo to install them:$missing"
  as_root="sudo"
fi

# The packaged services (redis-server, nginx) must not start: Tollgate and the tests run their own.
# Debian asks /usr/sbin/policy-rc.d before it starts anything; exit code 101 means "don't".
policy=/usr/sbin/policy-rc.d
own_policy=no
remove_policy() { [ "$own_policy" = no ] || $as_root rm -f "$policy"; }
trap remove_policy EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
  own_policy=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -o Dpkg::Use-Pty=0 "$@"; }
echo "install-packages:$missing" >&2
apt update >&2 || fail "apt-get update failed (is the package mirror reachable?)"
apt install -y --no-install-recommends $missing >&2 || fail "could not install:$missing"
