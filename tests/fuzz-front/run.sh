#!/bin/sh
# Fuzzes the front end for FUZZ_SECONDS (10 by default), beginning with the programs of the tests.
# Usage: run.sh FUZZ_FRONT SEEDS TESTS DICTIONARY
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
/usr/bin/python3 "$2" "$3" "$corpus"
# libFuzzer's own status for a crash, 77, would skip the test.
"$1" -error_exitcode=1 -max_total_time="${FUZZ_SECONDS:-10}" -timeout=20 -rss_limit_mb=2048 -max_len=16384 -dict="$4" \
  -artifact_prefix="${FUZZ_ARTIFACTS:-./}" "$corpus"
