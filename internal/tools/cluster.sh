# Three servers on this machine, with a sample loaded, until Ctrl-C: sh cluster.sh PROGRAM FOLDER. Their data stays in the folder. They
# listen on HOST, an address of loopback.
set -eu
program=$1
folder=$2
host=${HOST:-127.0.0.1}
mkdir -p "$folder"
pids=

stop() {
	trap '' INT TERM
	trap - EXIT
	echo
	echo "Stopping."
	# shellcheck disable=SC2086
	kill $pids 2>/dev/null || true
	status=0
	for pid in $pids; do
		wait "$pid" || status=$?
	done
	exit "${1:-$status}"
}
trap 'stop' INT TERM
trap 'stop 1' EXIT

for n in 1 2 3; do
	join=
	if [ "$n" -gt 1 ]; then join="--join $host:7400"; fi
	# In a session of its own, so that Ctrl-C is the script's.
	# shellcheck disable=SC2086
	setsid "$program" server --data "$folder/n$n" --name "n$n" --listen "$host:74$((n - 1))0" --profile local --drain 2s --quiet $join 2>"$folder/n$n.err" &
	pids="$pids $!"
done

export RAINSQL_CONNECT=$host:7400,$host:7410,$host:7420
unset RAINSQL_CERTS RAINSQL_TOKEN
tries=0
until [ "$("$program" nodes --format csv --wait 1s 2>/dev/null | grep -c ',active,yes,')" = 3 ]; do
	tries=$((tries + 1))
	for pid in $pids; do
		if ! kill -0 "$pid" 2>/dev/null; then
			echo "A server has ended:" >&2
			cat "$folder"/n?.err >&2
			exit 1
		fi
	done
	if [ "$tries" -gt 120 ]; then
		echo "The servers have not found each other; see $folder/n1/logs/rainsql.log" >&2
		exit 1
	fi
	sleep 0.25
done

"$program" nodes --format table
if ! "$program" fs stat signs.csv >/dev/null 2>&1; then
	"$program" gen signs --rows 200000 -o "$folder/signs.csv"
	"$program" fs put "$folder/signs.csv" signs.csv
fi
query="FROM 'signs.csv' AGGREGATE count(*) AS n BY Category SORT n DESC LIMIT 5"
echo "$query"
"$program" --format table -c "$query"
cat <<TEXT

Three servers run, with signs.csv loaded. In another terminal, try:

  export RAINSQL_CONNECT=$host:7400,$host:7410,$host:7420
  $program                                     # the prompt; queries run on the three
  $program -c "EXPLAIN ANALYZE $query"
  $program jobs                                # what has run, and what runs
  $program fs locate signs.csv                 # which server has which block
  kill -9 $(echo $pids | cut -d' ' -f3)                               # the third; queries go on
  $program nodes

Ctrl-C stops them; their data stays in $folder.
TEXT
# shellcheck disable=SC2086
wait $pids || true
