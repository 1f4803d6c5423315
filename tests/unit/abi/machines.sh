#!/bin/sh
# machines.sh HEADER COMPILER...: PLAT-6: the preprocessor refuses 32-bit and big-endian processors, by name.
set -eu
header=$1
shift
refused() {
  name=$1
  shift
  if said=$("$@" -E "$header" 2>&1 >/dev/null); then
    echo "not refused: $name"
    exit 1
  fi
  case $said in *"is not for $name processors"*) ;; *) echo "$said"; exit 1 ;; esac
}
"$@" -E "$header" >/dev/null
refused 32-bit "$@" -U__SIZEOF_POINTER__ -D__SIZEOF_POINTER__=4
refused big-endian "$@" -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__
