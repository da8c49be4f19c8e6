#!/bin/bash
# Does the README work on a bare Debian 12? Makes such a tree, clones HEAD into it, and runs the
# quickstart and all tests there, without any other preparation. Needs root.
#
# Usage: deploy/check-bare.sh [--base DIR] [--keep] [COMMAND...]
#   --base DIR   copy this debootstrap tree instead of making one
#   --keep       keep the tree
#   COMMAND      instead of `deploy/quickstart.sh --once && tests/run.sh`
#
# The tree gets only this machine's network configuration: name resolution, proxies, private
# certificate authorities, npm's registry. Mounts and processes are in separate namespaces, so none
# of them remain, however this script ends.
set -euo pipefail

fail() { echo "check-bare: $*" >&2; exit 1; }

root=$(cd "$(dirname "$0")/.." && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

make_tree() {
  if [ -n "$base" ]; then
    cp -a "$base/." "$tree/"
  else
    "$root/deploy/install-packages.sh" bare
    debootstrap --variant=minbase bookworm "$tree" "$mirror"
  fi
  git clone -q --no-hardlinks "$root" "$tree/root/tollgate"
  git -C "$tree/root/tollgate" log -1 --format='check-bare: %h %s'
}

# Sets `environment` to the variables that programs in the tree need to reach the network.
environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8)
copy_network() {
  local variable file setting value
  for file in /etc/resolv.conf /etc/hosts; do cp -L "$file" "$tree$file"; done
  for file in /etc/apt/apt.conf.d/*; do
    if grep -qs 'Acquire::' "$file"; then cp "$file" "$tree/etc/apt/apt.conf.d/"; fi
  done
  for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!variable:-}" ] || environment+=("$variable=${!variable}")
  done
  for variable in SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS; do
    [ ! -f "${!variable:-}" ] || pass_certificates "$variable" "${!variable}"
  done
  command -v npm >/dev/null || return 0
  for setting in registry proxy https-proxy; do
    value=$(npm config get "$setting" 2>/dev/null) || continue
    [[ $value == null || -z $value ]] || environment+=("npm_config_${setting//-/_}=$value")
  done
  value=$(npm config get cafile 2>/dev/null) || return 0
  [ ! -f "$value" ] || pass_certificates npm_config_cafile "$value"
}

pass_certificates() {
  local copy=/etc/ssl/from-host-$1.pem
  mkdir -p "$tree/etc/ssl"
  cp -L "$2" "$tree$copy"
  environment+=("$1=$copy")
}

# Runs in separate mount and process namespaces.
enter_tree() {
  mount -t proc proc "$tree/proc"
  mount --rbind /dev "$tree/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
  exec chroot "$tree" env -i "${environment[@]}" bash -c 'cd /root/tollgate && '"$command"
}

base="" keep=no
while [ $# -gt 0 ]; do
  case "$1" in
    --base) base=${2:?--base wants a directory}; shift 2 ;;
    --keep) keep=yes; shift ;;
    -*) fail "unknown option $1" ;;
    *) break ;;
  esac
done
command="$*"
[ -n "$command" ] || command='deploy/quickstart.sh --once && tests/run.sh'
[ "$(id -u)" = 0 ] || fail "chroot and mount need root"
[ -z "$base" ] || [ -x "$base/usr/bin/dpkg" ] || fail "$base is no Debian tree"

tree=$(mktemp -d "${TMPDIR:-/var/tmp}/tollgate-bare-XXXXXX")
chmod 755 "$tree"
remove_tree() { if [ "$keep" = yes ]; then echo "check-bare: kept $tree" >&2; else rm -rf --one-file-system "$tree"; fi; }
trap remove_tree EXIT
trap 'exit 130' INT TERM

make_tree
copy_network
export -f enter_tree
began=$SECONDS result=0
declare -p environment >"$tree/root/.environment"
tree=$tree command=$command unshare --mount --propagation private --pid --fork --kill-child \
  bash -c 'set -e; . "$tree/root/.environment"; enter_tree' || result=$?
echo "check-bare: exit status $result after $((SECONDS - began)) s" >&2
exit "$result"
