# client: sh, curl
# What a shell script does: a Completions call whole and streamed, and an error with its status.
set -eu
ask() { curl -sS "$@" -H "authorization: Bearer ${API_KEY:-none}" -H "content-type: application/json" "$BASE_URL/completions"; }
ask -d "{\"model\": \"$MODEL\", \"prompt\": \"Say hello\", \"max_tokens\": 8}" | grep -q '"text_completion"'
ask -N -d "{\"model\": \"$MODEL\", \"prompt\": \"Say hello\", \"max_tokens\": 8, \"stream\": true}" | tail -n 2 | grep -q 'data: \[DONE\]'
test "$(ask -o /dev/null -w '%{http_code}' -d "{\"model\": \"$MODEL\", \"prompt\": \"a\", \"suffix\": \"b\"}")" = 400
echo ok
