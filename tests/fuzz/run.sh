#!/bin/sh
# Fuzzes one target for FUZZ_SECONDS (default 10), starting with its seeds.
# FUZZ_CORPUS names a directory that keeps corpora.
# Usage: run.sh NAME TARGET SEEDS DICTIONARY
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
kept=
if [ -n "${FUZZ_CORPUS:-}" ]; then
  kept=$FUZZ_CORPUS/$1
  mkdir -p "$kept"
fi
/usr/bin/python3 "$3" "$1" "$corpus"
"$2" -error_exitcode=1 -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 -max_len=20000 -dict="$4" \
  -artifact_prefix="${FUZZ_ARTIFACTS:-./}" -print_final_stats=1 $kept "$corpus"
