#!/bin/sh
# merge.sh [-n NEEDS] OUTPUT WORK ARCHIVE...: one archive of one object, whose only global symbols are the entry points.
# The names that the file NEEDS lists, one a line, are global too, with the prefix osp_ws_in_: by these the archive of
# the cluster calls that of the runtime.
set -eu
needs=/dev/null
if [ "$1" = -n ]; then
  needs=$2
  shift 2
fi
output=$1
work=$2
shift 2
mkdir -p "$work"
sed 's/.*/& osp_ws_in_&/' "$needs" >"$work/names"
${LD:-ld} -r --whole-archive "$@" -o "$work/merged.o"
${OBJCOPY:-objcopy} --redefine-syms="$work/names" "$work/merged.o"
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='osp_ws_*' "$work/merged.o" "$work/osprey_ws.o"
rm -f "$output"
${AR:-ar} rcsD "$output" "$work/osprey_ws.o"
