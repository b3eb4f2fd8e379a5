#!/usr/bin/env bash
# Tries the README's two commands on a machine where nothing of KithDB was installed: a Debian made by
# debootstrap with only Node and one Rust toolchain copied in. What is committed is what is tried.
#
# KITH_FRESH="base start test" names the parts to do; KITH_FRESH_DIR keeps the machine between runs.
# The packages come from where this machine's clients get theirs: their configuration is copied, no host is named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/prove/lib/debian.sh
repository=$PWD
parts=${KITH_FRESH:-base start test}
keep=${KITH_FRESH_DIR:-}
dir=${keep:-$(mktemp -d)}
machine=$dir/machine
mkdir -p "$dir"

[[ $(id -u) == 0 ]] || { echo "fresh-machine makes a chroot: run it as root" >&2; exit 1; }

clean_up() {
  local status=$?
  for mounted in proc dev; do umount "$machine/$mounted" 2>/dev/null || true; done
  if [[ -n $keep ]]; then
    say "kept in $dir"
  elif has_mounts "$dir"; then
    say "still mounted, so not removed: $machine" # or the removal would empty this machine's /dev
  else
    rm -rf --one-file-system "$dir"
  fi
  exit "$status"
}
trap clean_up EXIT

copy_node() {
  local npm
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  install -D -m 755 "$(readlink -f "$(command -v node)")" "$machine/usr/local/bin/node"
  mkdir -p "$machine/usr/local/lib/node_modules"
  cp -a "$npm" "$machine/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$machine/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$machine/usr/local/bin/npx"
}

make_base() {
  if ! command -v debootstrap >/dev/null; then
    say "installing debootstrap"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
  fi
  say "debootstrap bookworm"
  make_debian "$machine"
  say "copying Node, Rust and the clients' configuration"
  copy_configuration "$machine"
  copy_node
  copy_rust "$machine"
}

# Runs a command in the clone with a new environment: what the registries' clients need, and nothing else.
inside() {
  local name vars=(HOME=/root LANG=C.UTF-8 TERM=dumb "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
  for name in $(compgen -e | grep -E 'CERT|CA_BUNDLE|CAINFO|^PIP_|^npm_config_(cafile|proxy)|^RUSTUP_AUTO|_proxy$|_PROXY$'); do
    vars+=("$name=${!name}")
  done
  chroot "$machine" /usr/bin/env -i "${vars[@]}" /bin/sh -c "cd /root/kithdb && $1"
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# Starts the demo, waits until it answers, searches, and stops it.
try_start() {
  local port started=$SECONDS log=$dir/start-$1.log
  port=$(free_port)
  say "npm start ($1)"
  set -m # a process group of its own, to be stopped as a whole
  inside "exec npm start -- --listen 127.0.0.1:$port" >"$log" 2>&1 </dev/null &
  local job=$!
  set +m
  until node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$port/healthz"; do
    if ! kill -0 "$job" 2>/dev/null || ((SECONDS - started > 1500)); then
      tail -n 30 "$log"
      kill -TERM -- "-$job" 2>/dev/null || true
      return 1
    fi
    sleep 1
  done
  say "answers after $((SECONDS - started)) s"
  local found=0
  node --input-type=module -e '
    const body = JSON.stringify({ text: "very tall quadruped with a long neck that lives in Africa", k: 1 });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(process.argv[1], { method: "POST", headers, body });
    const text = await answer.text();
    console.log(`  ${answer.status} ${text.slice(0, 300)}`);
    process.exit(answer.ok && text.includes("giraffe") ? 0 : 1);
  ' "http://127.0.0.1:$port/v1/collections/wordnet/search" || found=1
  kill -TERM -- "-$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || true
  return "$found"
}

try_test() {
  local started=$SECONDS log=$dir/test-$1.log
  say "npm test ($1)"
  inside 'npm test' >"$log" 2>&1 </dev/null || { tail -n 60 "$log"; return 1; }
  say "passed after $((SECONDS - started)) s: $(grep -E '^[0-9]+ passed' "$log" | tail -n 1)"
}

if [[ ! -e $machine/root/.rustup/settings.toml ]]; then make_base; fi
mount -t proc proc "$machine/proc"
mount --bind /dev "$machine/dev"
rm -rf "$machine/root/kithdb"
git clone --quiet "$repository" "$machine/root/kithdb"
say "cloned $(git -C "$machine/root/kithdb" rev-parse --short HEAD); cc: $(inside 'command -v cc || echo none'), python: $(inside 'command -v python3 || echo none')"

for part in $parts; do
  case $part in
    base) say "$(inside '/root/.cargo/bin/rustc --version && node --version && npm --version' | tr '\n' ' ')" ;;
    start) # two lines: `a && b` would hide the failure of a
      try_start first
      try_start again
      ;;
    test)
      try_test first
      try_test again
      ;;
    *) echo "unknown part: $part" >&2; exit 1 ;;
  esac
done
say "done"
