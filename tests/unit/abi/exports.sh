#!/bin/sh
# exports.sh ARCHIVE TABLE NEEDS [PREFIX]: the archive defines the table's entry points but for those of the cluster,
# osp_ws_sleep, what the cluster needs of it, and no other global symbol (in a build that counts calls for fault
# injection, also that counter's, which programs may share), but for hidden ones that begin with the prefix. PLAT-3
set -eu
found=$(nm -g --defined-only "$1" | awk 'NF == 3 && $3 !~ /^(__|ws_fault_|DW\.ref)/ { print $3 }' | sort)
if [ $# -gt 3 ]; then
  visible=$(readelf -sW "$1" | awk '$5 == "GLOBAL" && $6 != "HIDDEN" && $7 != "UND" { print $8 }' | sort)
  found=$(echo "$found" | grep -v "^$4" | sort)
  [ "$visible" = "$found" ] || found=$visible
fi
wanted=$({
  echo osp_ws_sleep
  sed -n 's/^WS_BUILTIN([A-Za-z]*, [A-Za-z]*, \(osp_ws_[a-z_]*\),.*/\1/p' "$2" | grep -v cluster
  [ $# -gt 3 ] || sed 's/^/osp_ws_in_/' "$3"
} | sort)
if [ "$found" != "$wanted" ]; then
  echo "defined and not in the table, or the reverse:"
  printf '%s\n%s\n' "$found" "$wanted" | sort | uniq -u
  exit 1
fi
echo "$(echo "$wanted" | wc -l) entry points"
