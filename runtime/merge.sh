#!/bin/sh
# merge.sh OUTPUT WORK ARCHIVE...: one archive of one object, whose only global symbols are the entry points.
set -eu
output=$1
work=$2
shift 2
mkdir -p "$work"
${LD:-ld} -r --whole-archive "$@" -o "$work/merged.o"
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='osp_ws_*' "$work/merged.o" "$work/osprey_ws.o"
rm -f "$output"
${AR:-ar} rcsD "$output" "$work/osprey_ws.o"
