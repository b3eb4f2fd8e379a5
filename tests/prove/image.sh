#!/usr/bin/env bash
# Builds deploy/Dockerfile from what is committed and runs the image as docs/OPERATIONS.md says (tests/prove/lib/container.sh).
# Nothing comes from a registry of images: debootstrap makes what debian:bookworm-slim stands for, and the same with a C
# compiler and the Rust that the Dockerfile names, from rustup, is what rust:*-slim-bookworm stands for.
#
# KITH_IMAGE_DIR keeps the images between runs. All that podman makes is in that folder, or in one that goes away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/prove/lib/debian.sh

skip() { echo "skipped: $*, and the container image is not tried"; exit 0; }
[[ $(id -u) == 0 ]] || skip "only root makes systems with debootstrap"
for program in podman debootstrap curl ip unshare git; do
  command -v "$program" >/dev/null || skip "$program is missing"
done

# In mounts of its own: whatever is mounted here goes when the last process of it does, and is never seen from outside.
if [[ ${KITH_IMAGE_MOUNTS:-} != own ]]; then KITH_IMAGE_MOUNTS=own exec unshare --mount bash "$PWD/tests/prove/image.sh"; fi

keep=${KITH_IMAGE_DIR:-}
dir=${keep:-$(mktemp -d)}
mkdir -p "$dir"
export CONTAINERS_CONF=$dir/containers.conf
export DISABLE_HC_SYSTEMD=true # the health check is asked by hand; there may be no systemd to ask it at its times

podman() { command podman --root "$dir/storage" --runroot "$dir/run" --tmpdir "$dir/tmp" --network-config-dir "$dir/networks" "$@"; }

clean_up() {
  local status=$?
  podman rm --all --force --time 1 >/dev/null 2>&1 || true
  podman volume rm --all --force >/dev/null 2>&1 || true
  if [[ -n $keep ]]; then
    say "kept in $dir"
  else
    podman rmi --all --force >/dev/null 2>&1 || true
    umount "$dir/storage/overlay" 2>/dev/null || true # podman has it as a mount of its own
    if has_mounts "$dir"; then say "still mounted, so not removed: $dir"; else rm -rf --one-file-system "$dir"; fi
  fi
  exit "$status"
}
trap clean_up EXIT

# No more than this shell may have: podman asks for a million, which only some of root's processes may.
limit() { # LETTER OF ulimit
  local hard
  hard=$(ulimit -H "$1")
  if [[ $hard == unlimited ]] || ((hard > 16384)); then hard=16384; fi
  echo "$hard:$hard"
}

configure_podman() {
  local runtime
  # crun 1.8 refuses where both versions of cgroups are mounted; runc does not.
  runtime=$(command -v runc >/dev/null && echo runc || echo crun)
  cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=$(limit -n)", "nproc=$(limit -u)"]
[engine]
runtime = "$runtime"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
}

import() { # SYSTEM IMAGE [CHANGE]...
  local system=$1 image=$2 changes=()
  shift 2
  rm -rf "$system"/var/cache/apt/archives/*.deb "$system"/var/lib/apt/lists/*
  for change; do changes+=(--change "$change"); done
  tar -C "$system" --one-file-system -cf - . | podman import --quiet "${changes[@]}" - "localhost/$image" >/dev/null
  rm -rf --one-file-system "$system"
}

make_run_base() { # IMAGE
  local system=$dir/debian
  say "debootstrap stands in for $1"
  make_debian "$system"
  import "$system" "$1" 'CMD ["bash"]'
}

make_build_base() { # IMAGE
  local system=$dir/rust version
  version=$(sed -E 's/^rust:([0-9.]+)-slim-bookworm$/\1/' <<<"$1")
  say "debootstrap, gcc and Rust $version stand in for $1"
  make_debian "$system" --include=ca-certificates,gcc,libc6-dev
  copy_configuration "$system"
  chroot "$system" update-ca-certificates >/dev/null 2>&1
  if RUSTUP_HOME=$system/root/.rustup rustup toolchain install "$version" --profile minimal --no-self-update >"$dir/rustup.log" 2>&1; then
    copy_rustup "$system"
  else
    say "rustup gives no Rust $version (rustup.log), so that this machine's is taken: $(rustc --version)"
    copy_rust "$system"
  fi
  import "$system" "$1" 'ENV PATH=/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENV CARGO_HOME=/root/.cargo' 'ENV RUSTUP_HOME=/root/.rustup'
}

configure_podman
bases=$(sed -nE 's/^FROM ([^ ]+).*/\1/p' deploy/Dockerfile)
for base in $bases; do
  if podman image exists "localhost/$base"; then continue; fi
  case $base in
    rust:*-slim-bookworm) make_build_base "$base" ;;
    debian:bookworm-slim) make_run_base "$base" ;;
    *) echo "deploy/Dockerfile begins from $base, and nothing here stands in for that" >&2; exit 1 ;;
  esac
done

rm -rf "$dir/export"
mkdir "$dir/export"
git archive HEAD | tar -C "$dir/export" -xf -
say "building the image of $(git rev-parse --short HEAD)"
# In Docker's format, as OCI's knows no HEALTHCHECK; with the host's network, as there may be no other that has a way out.
(cd "$dir/export" && podman build --pull=never --format docker --network host --ignorefile deploy/Dockerfile.dockerignore \
  --file deploy/Dockerfile --tag localhost/kithdb . >"$dir/build.log" 2>&1) || { tail -n 40 "$dir/build.log"; exit 1; }
of_base=$(podman image inspect --format '{{.Size}}' localhost/debian:bookworm-slim)
of_image=$(podman image inspect --format '{{.Size}}' localhost/kithdb)
say "built: its own layers have $(((of_image - of_base) / 1000000)) MB, the base $((of_base / 1000000)) MB"

# In a network of its own, where port 9091 is free and podman's bridge is seen by nobody else.
export dir
export -f podman say
unshare --net bash tests/prove/lib/container.sh
say "done"
