#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME, one after another.
set -eu
go=${GO:-go}
time=${FUZZTIME:-30s}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | while read -r file; do
	dir=$(dirname "$file")
	sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file" | while read -r target; do
		echo "== $dir $target"
		"$go" test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
	done
done
