# Runs the image localhost/kithdb as docs/OPERATIONS.md tells, and says what each part of that came to; the first that is
# not as it should be ends it. Started by tests/prove/image.sh, which has `podman`, `say` and the folder `dir`.
set -euo pipefail

image=localhost/kithdb
KITH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export KITH_TOKEN
url=http://127.0.0.1:9091
ip link set lo up
mkdir -p /var/lib/cni
mount -t tmpfs none /var/lib/cni # podman notes addresses there, which are of this network alone

fail() {
  say "wrong: $*" >&2
  podman logs server >&2 2>/dev/null || true
  exit 1
}

start() { # VOLUME [OPTION]...
  local volume=$1 tries
  shift
  podman run --detach --name server -p 9091:9091 -v "$volume:/data" -e KITH_TOKEN "$@" "$image" >/dev/null
  for ((tries = 0; tries < 300; tries++)); do
    if curl -fsS -m 2 -o /dev/null "$url/readyz" 2>/dev/null; then return; fi
    [[ $(podman inspect --format '{{.State.Running}}' server) == true ]] || fail "it ended at its start"
    sleep 0.1
  done
  fail "it does not answer"
}

stop() {
  local began=$EPOCHREALTIME status took
  podman stop --time 60 server >/dev/null
  took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
  status=$(podman inspect --format '{{.State.ExitCode}}' server)
  ((status == 0)) || fail "SIGTERM ended it with $status"
  ((took < 5000)) || fail "SIGTERM ended it after $took ms"
  podman rm server >/dev/null
  say "SIGTERM ended it with 0 after $took ms"
}

status_of() { curl -sS -m 10 -o /dev/null -w '%{http_code}' "$@"; }
ask() { curl -fsS -m 10 -H "authorization: Bearer $KITH_TOKEN" -H 'content-type: application/json' "$@"; }

# Runs something that is to be refused, and prints what it says.
refused() {
  local output status=0
  output=$(podman run --rm "$@" 2>&1) || status=$?
  ((status != 0)) || fail "this was not refused: $*"
  printf '%s\n' "$output" | tail -n 1
}

said=$(refused "$image")
[[ $said == *KITH_TOKEN* ]] || fail "without a token it says: $said"
say "without a token: $said"

start kithdb
process=$(podman inspect --format '{{.State.Pid}}' server)
ids=$(awk '/^[UG]id:/ { print $2, $3, $4, $5 }' "/proc/$process/status" | sort -u)
[[ $ids == '10001 10001 10001 10001' ]] || fail "it runs as $ids"
say "it runs as user and group 10001"

code=$(status_of "$url/v1/collections")
((code == 401)) || fail "without the token it answers $code"
code=$(status_of -H 'host: kithdb:9091' "$url/healthz")
((code == 403)) || fail "under a name that it was not told it answers $code"
ask -o /dev/null "$url/v1/collections" -d '{"name": "notes"}'
# Waits for nothing, so that only a close that flushes keeps it.
ask -o /dev/null -X PUT "$url/v1/collections/notes/documents/kept?durability=memory" -d '{"metadata": {"title": "still here"}}'

mapfile -t check < <(podman image inspect --format '{{range .HealthCheck.Test}}{{println .}}{{end}}' "$image" | sed '/^$/d')
[[ ${check[0]} == CMD ]] || fail "the image has no health check that needs no shell: ${check[*]}"
podman healthcheck run server || fail "the health check refuses a server that is well"
kill -STOP "$process"
if podman healthcheck run server >/dev/null 2>&1; then fail "the health check is content with a server that does nothing"; fi
kill -CONT "$process"
podman healthcheck run server || fail "the health check refuses a server that goes on"
said=$(refused --entrypoint "${check[1]}" "$image" "${check[@]:2}")
say "the health check (${check[*]:1}): 0, and not 0 when the server hangs or is not there ($said)"

stop
files=$(podman volume inspect --format '{{.Mountpoint}}' kithdb)
strange=$(find "$files" \( ! -uid 10001 -o ! -gid 10001 -o -perm /077 \) -printf '%M %U:%G %P\n')
[[ -z $strange ]] || fail "others may use these of the volume, or own them: $strange"
[[ -s $files/LOCK && -d $files/c ]] || fail "the volume holds no database: $(ls "$files")"
podman run --rm -v kithdb:/data "$image" verify --data /data >/dev/null || fail "what it left is damaged"
start kithdb -e KITH_ALLOWED_HOST=kithdb
code=$(status_of -H 'host: kithdb:9091' "$url/healthz")
((code == 200)) || fail "under a name that it was told it answers $code"
title=$(ask "$url/v1/collections/notes/documents/kept")
[[ $title == *'still here'* ]] || fail "the document that was put is not in the volume: $title"
stop
podman volume rm kithdb >/dev/null
say "/data is the volume: the document was there again, every file is 10001's alone, verify found no damage"

mkdir "$dir/folder"
said=$(refused -v "$dir/folder:/data" -e KITH_TOKEN "$image")
[[ $said == *'chown -R 10001 /data'* ]] || fail "with a folder of root's it says: $said"
say "with a folder of root's: $said"
chown 10001:10001 "$dir/folder"
start "$dir/folder"
stop
rm -r "$dir/folder"
