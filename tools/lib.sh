# Shared by tools/run and tools/test: packages and builds.
# Messages go to standard error: standard output belongs to the program or the tests. If it is a terminal, a line on it
# shows what is being done and how far it is.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ME=tools/$(basename "$0")

BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config llvm-19-dev libssl-dev zlib1g-dev libjansson-dev)

say() { printf '%s: %s\n' "$ME" "$*" >&2; }
die() { say "$*"; exit 1; }

if [ -t 2 ]; then read -r _ WIDTH < <(stty size <&2) || true; fi
[ "${WIDTH:-0}" -gt 1 ] || WIDTH=80

# Shows a text on the terminal in place of the one that this showed before.
show() {
  local text=${*//[^[:print:]]/}
  [ ! -t 2 ] || printf '\r\e[K%s' "${text:0:WIDTH - 1}" >&2
}

# Runs a command with its output in a file, and shows the lines of that.
logged() {
  local log=$1 line
  shift
  if [ -t 2 ]; then
    "$@" 2>&1 | tee "$log" | { while IFS= read -r line; do show "$ME: $line"; done; show; }
  else
    "$@" >"$log" 2>&1
  fi
}

# Runs a command without output. If it fails, prints its output and exits.
quietly() {
  local log
  log=$(mktemp)
  if ! logged "$log" "$@"; then
    cat "$log" >&2
    rm -f "$log"
    die "failed: $*"
  fi
  rm -f "$log"
}

# Prints the packages that are not installed. PACKAGE=COMMAND counts as installed if the command exists, PACKAGE:ARCH
# only if it is installed for that architecture, where a package may be installed for several.
lacking() {
  local wanted package native
  native=$(dpkg --print-architecture 2>/dev/null) || native=none
  for wanted in "$@"; do
    package=${wanted%%=*}
    if [ "$package" != "$wanted" ] && command -v "${wanted#*=}" >/dev/null; then continue; fi
    [[ $package == *:* ]] || package+=:$native
    dpkg-query -W -f '${Architecture} ${db:Status-Status}\n' "${package%:*}" 2>/dev/null |
      grep -qxE "(all|${package##*:}) installed" || printf '%s\n' "${package%":$native"}"
  done
}

# Installs the packages that are missing. PACKAGE:ARCHITECTURE is for another architecture, which dpkg is told of.
need() {
  local missing as_root=()
  mapfile -t missing < <(lacking "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${missing[*]} (there is no apt-get)"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "please install as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  local architecture
  for architecture in $(grep -o ':[^ ]*' <<<"${missing[*]}" | sort -u); do
    "${as_root[@]}" dpkg --add-architecture "${architecture#:}"
  done
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get install -y -q --no-install-recommends "${missing[@]}")
  logged /dev/null "${install[@]}" && return 0
  quietly "${as_root[@]}" apt-get update -q
  quietly "${install[@]}"
}

# configure DIR [MESON OPTION...]: sets up a build directory, or reconfigures it if packages were installed since.
# A lock serializes processes that share the directory.
configure() {
  local dir=$1 lock
  shift
  mkdir -p "$dir"
  exec {lock}>"$dir/.lock"
  flock "$lock"
  if [ ! -f "$dir/build.ninja" ]; then
    say "configuring and building in ${dir#"$ROOT"/}"
    quietly meson setup "$@" "$dir" "$ROOT"
  elif [ "$dir/.configured" -ot /var/lib/dpkg/status ]; then
    quietly meson setup --reconfigure "$@" "$dir" "$ROOT"
  fi
  touch "$dir/.configured"
  exec {lock}>&-
}

# build DIR [TARGET...]: builds the targets, or all.
build() {
  local dir=$1 lock
  shift
  exec {lock}>"$dir/.lock"
  flock "$lock"
  quietly ninja -C "$dir" "$@"
  exec {lock}>&-
}

# Peers from npm, of versions that were tried.
WS=ws@8.23.0
case $(uname -m) in x86_64) BUN=@oven/bun-linux-x64@1.4.5 ;; *) BUN=@oven/bun-linux-aarch64@1.4.5 ;; esac

# need_npm FOLDER PACKAGE@VERSION...: installs those of which the folder has no version.
need_npm() {
  local folder=$1 wanted missing=0
  shift
  for wanted in "$@"; do [ -d "$folder/node_modules/${wanted%@*}" ] || missing=1; done
  [ "$missing" = 1 ] || return 0
  mkdir -p "$folder"
  quietly npm install --no-save --no-audit --no-fund --ignore-scripts --prefix "$folder" "$@"
}
