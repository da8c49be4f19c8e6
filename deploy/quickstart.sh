#!/bin/bash
# From a bare Debian 12 to metered calls: installs what is missing, builds, starts Tollgate on its
# embedded store in front of the sample upstream, makes one call of every action and shows what each
# cost. Then it keeps serving until Ctrl-C; with --once it ends after the tour, with exit status 1 when
# any charge is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

once=no
case "${1:-}" in
  "") ;;
  --once) once=yes ;;
  *) echo "usage: deploy/quickstart.sh [--once]" >&2; exit 2 ;;
esac

fail() { echo "quickstart: $*" >&2; exit 1; }

# ---- install and build ---------------------------------------------------------------------------

deploy/install-packages.sh build run
echo "Building (a few minutes the first time)..."
cmake --preset release >/dev/null
cmake --build --preset release --target tollgate tollgate-sample-upstream

# ---- start ---------------------------------------------------------------------------------------

pids=()
if [ "$once" = yes ]; then state=$(mktemp -d); else state=$PWD/var/quickstart; mkdir -p "$state"; fi

stop_all() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  [ "$once" = no ] || rm -rf "$state"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The first free port from the given one on, except ports that were already chosen.
chosen=" "
choose_port() {
  local candidate=$1
  while is_taken "$candidate" || [[ $chosen == *" $candidate "* ]]; do candidate=$((candidate + 1)); done
  chosen+="$candidate "
  port=$candidate
}

# Starts each program in its own session: Ctrl-C reaches only this script, which stops them in
# order.
start() {
  local name=$1
  shift
  setsid "$@" >"$state/$name.log" 2>&1 </dev/null &
  pids=("$!" "${pids[@]}")
}

wait_for() {
  local name=$1 url=$2
  for _ in $(seq 600); do
    curl -fs -o /dev/null --max-time 2 "$url" && return
    kill -0 "${pids[0]}" 2>/dev/null || break
    sleep 0.1
  done
  cat "$state/$name.log" >&2
  fail "$name did not start"
}

random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

choose_port 9100; upstream=127.0.0.1:$port
choose_port 8080; data=127.0.0.1:$port
choose_port 8081; admin=127.0.0.1:$port
token=${TOLLGATE_ADMIN_TOKEN:-$(random_hex)}
export TOLLGATE_ADMIN_TOKEN=$token TOLLGATE_LISTEN=$data TOLLGATE_ADMIN_LISTEN=$admin
export TOLLGATE_STORE=embedded:$state/store
export TOLLGATE_JOURNAL=$state/journal
# The shipped configuration, with the sample upstream in place of all platforms.
config=config/tollgate.yaml
export TOLLGATE_OPENAI_URL=http://$upstream TOLLGATE_ANTHROPIC_URL=http://$upstream
export TOLLGATE_PLATFORM_URL=http://$upstream
unset OPENAI_API_KEY ANTHROPIC_API_KEY TOLLGATE_PLATFORM_KEY

start upstream build/release/tollgate-sample-upstream --listen "$upstream"
wait_for upstream "http://$upstream/sample/stats"
start tollgate build/release/tollgate run --config "$config"
wait_for tollgate "http://$admin/readyz"

# ---- a customer ----------------------------------------------------------------------------------

# admin METHOD PATH [JSON]: the body of a successful answer.
admin() {
  curl -fsS --max-time 10 -X "$1" "http://$admin/admin/v1$2" -H "Authorization: Bearer $token" \
    ${3:+-H 'Content-Type: application/json' -d "$3"}
}
# field NAME: the value of the first member of that name, in compact JSON on standard input.
field() { sed -nE "s/.*\"$1\": ?\"?([^\",}]*).*/\1/p" | head -n 1; }

# The plan grants its credits once per cycle: a repeated tour continues with the remaining ones.
admin PUT /orgs/demo '{"plan":"starter"}' >/dev/null
key=$(admin POST /orgs/demo/keys '{}' | field key)
[ -n "$key" ] || fail "the admin API gave no key"

# ---- the tour ------------------------------------------------------------------------------------

# Money is counted in millionths here, too: "0.1" -> 100000.
micro() {
  local whole=${1%%.*} part=000000
  [[ $1 != *.* ]] || part=${1#*.}000000
  echo $((10#$whole * 1000000 + 10#${part:0:6}))
}
# 100000 -> "0.1"
credits() { printf '%d.%06d\n' $(($1 / 1000000)) $(($1 % 1000000)) | sed -E 's/\.?0+$//'; }

balance() { admin GET /orgs/demo/balance | field "$1"; }

# A call is settled in parallel to its answer: shortly after the client has read it.
wait_for_settlement() {
  for _ in $(seq 200); do [ "$(balance held)" != 0 ] || break; sleep 0.1; done
}

is_audio() { [[ $1 == /v1/audio/* ]]; }

row() { printf '  %-30s %6s %10s %10s %12s  %s\n' "$@"; }

wrong=0
expected=$(micro "$(balance available)")

# call WHAT STATUS PRICE PATH [CURL OPTIONS]: makes one call through Tollgate and prints a line of
# the table.
call() {
  local what=$1 want_status=$2 price=$3 path=$4 status charged remaining verdict=ok before
  shift 4
  # The price of audio is known once it has passed, after the answer's head, so it is read from the
  # ledger.
  if is_audio "$path"; then wait_for_settlement; before=$(micro "$(balance available)"); fi
  status=$(curl -sS --max-time 20 -o "$state/body" -D "$state/head" -w '%{http_code}' \
    "http://$data$path" -H "Authorization: Bearer $key" "$@")
  header() { tr -d '\r' <"$state/head" | sed -nE "s/^$1: *(.*)/\1/Ip" | tail -n 1; }
  charged=$(header X-Credits-Charged)
  remaining=$(header X-Credits-Remaining)
  if is_audio "$path"; then
    wait_for_settlement
    remaining=$(balance available)
    charged=$(credits $((before - $(micro "$remaining"))))
  fi
  expected=$((expected - $(micro "$price")))
  if [ "$status" != "$want_status" ] || [ "$(micro "${charged:-0}")" != "$(micro "$price")" ]; then
    verdict=WRONG
  elif [ -n "$remaining" ] && [ "$(micro "$remaining")" != "$expected" ]; then
    verdict=WRONG
  fi
  if [ "$verdict" = WRONG ]; then
    wrong=1
    cat "$state/head" "$state/body" >"$state/wrong.txt"
  fi
  row "$what" "$status" "$price" "${charged:-0}" "${remaining:--}" "$verdict"
}

json=(-H 'Content-Type: application/json' -d)
hello='"messages":[{"role":"user","content":"Say hello."}]'
knowledge=/v1/knowledge-bases/handbook/query
# The sample upstream speaks 15 characters per second. Every started second is charged: 5 here.
said='Every second of this speech costs a twelfth of a credit, no matter what.'
seconds=4.8

[ "$once" = no ] || [ "$(balance available)" = 20000 ] || fail "the plan did not bring its 20000 credits"
printf '\nOne call of every action, through Tollgate, with the %s credits of the plan "starter":\n\n' \
  "$(balance available)"
row ACTION STATUS PRICE CHARGED REMAINING ''
call 'GPT-4 chat' 200 10 /v1/chat/completions "${json[@]}" "{\"model\":\"gpt-4\",$hello}"
call 'GPT-4 chat, streamed' 200 10 /v1/chat/completions "${json[@]}" "{\"model\":\"gpt-4\",\"stream\":true,$hello}"
call 'Claude message' 200 8 /v1/messages "${json[@]}" "{\"model\":\"claude-sonnet-4\",\"max_tokens\":99,$hello}"
call 'GPT-3.5 chat' 200 2 /v1/chat/completions "${json[@]}" "{\"model\":\"gpt-3.5-turbo\",$hello}"
call 'Knowledge base query' 200 1 $knowledge "${json[@]}" '{"query":"What is a hold?"}'
call 'Knowledge base, batch of 3' 200 3 $knowledge "${json[@]}" '{"queries":["one","two","three"]}'
call 'API request (an agent)' 200 0.1 /v1/agents/a1
call 'API request (models)' 200 0.1 /v1/models
call 'GPT-4, upstream fails with 500' 500 0 /v1/chat/completions -H 'x-sample-status: 500' "${json[@]}" "{\"model\":\"gpt-4\",$hello}"
call 'An endpoint without a price' 404 0 /v1/unpriced
call "Text-to-speech, $seconds s" 200 0.416667 /v1/audio/speech "${json[@]}" "{\"model\":\"tts-1\",\"voice\":\"alloy\",\"input\":\"$said\"}"
cp "$state/body" "$state/speech.mp3"
call "Speech-to-text, $seconds s" 200 0.25 /v1/audio/transcriptions -F model=whisper-1 -F "file=@$state/speech.mp3"

# ---- the books -----------------------------------------------------------------------------------

wait_for_settlement
available=$(balance available)
if [ "$(micro "$available")" != "$expected" ] || [ "$(balance held)" != 0 ]; then
  wrong=1
  printf '\n  The ledger disagrees: %s credits available.\n' "$available"
fi
printf '\nThe ledger says: %s credits available, %s settled, %s held.\n' \
  "$available" "$(balance settled)" "$(balance held)"
build/release/tollgate verify --config "$config" || wrong=1
echo
build/release/tollgate statement demo --config "$config" || wrong=1

if [ "$wrong" = 1 ]; then
  [ ! -e "$state/wrong.txt" ] || { echo "The last wrong answer:"; cat "$state/wrong.txt"; } >&2
  fail "a charge is wrong"
fi
[ "$once" = no ] || { echo "Every charge is right."; exit 0; }

cat <<END

Serving until Ctrl-C:
  the API        http://$data          (an OpenAI base URL: http://$data/v1)
  an API key     $key
  dashboard      http://$admin/  (log in with the token, or with the key)
  admin API      http://$admin/admin/v1  (token $token)
  metrics        http://$admin/metrics
  logs           $state/

  curl http://$data/v1/chat/completions -H 'Authorization: Bearer $key' \\
    -H 'Content-Type: application/json' -d '{"model":"gpt-4","messages":[]}' -i
END
wait -n "${pids[@]}" || true
fail "a program ended; see $state/*.log"
