# Makes Debian systems in folders with debootstrap, for proofs that want one on which nothing of KithDB was installed.
# Sourced by them. Packages come from where this machine's clients get theirs: their configuration is copied, no host is named.

say() { printf '  [%4d s] %s\n' "$SECONDS" "$*"; }

# Whether anything is mounted in a folder: removing it would then remove what is mounted.
has_mounts() { # FOLDER
  local folder
  folder=$(realpath "$1")
  awk -v folder="$folder/" 'index($2 "/", folder) == 1 { found = 1 } END { exit !found }' /proc/self/mounts
}

# Where this machine's apt gets Debian from: the first address of its first source.
mirror() {
  sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([^ ]+).*/\3/p' /etc/apt/sources.list.d/*.sources \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1
}

# Debian 12 with what it cannot do without.
make_debian() { # SYSTEM [OPTION OF DEBOOTSTRAP]...
  local system=$1 log=$1.log
  shift
  debootstrap --variant=minbase "$@" bookworm "$system" "$(mirror)" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

copy_file() { # SYSTEM FILE... to the same places of the system, where they exist
  local system=$1 file
  shift
  for file; do
    if [[ -f $file ]]; then install -D -m 644 "$file" "$system$file"; fi
  done
}

# The clients' configuration, so that the system reaches the registries that this machine reaches.
copy_configuration() { # SYSTEM
  local system=$1 file
  rm -f "$system/etc/apt/sources.list" # debootstrap's; twice the same source is a warning each time
  copy_file "$system" /etc/resolv.conf /etc/hosts /etc/pip.conf "$HOME/.npmrc" "$(npm config get globalconfig)"
  copy_file "$system" "${CARGO_HOME:-$HOME/.cargo}/config.toml" /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources
  for file in $(grep -lE '^ *Acquire' /etc/apt/apt.conf.d/* || true) /etc/apt/auth.conf.d/*; do copy_file "$system" "$file"; done
  # As local certificates: installing ca-certificates over there then trusts what this machine trusts.
  local certificates=$system/usr/local/share/ca-certificates
  mkdir -p "$certificates"
  awk -v dir="$certificates" '/BEGIN CERT/ { file = sprintf("%s/host-%03d.crt", dir, ++n) } file { print > file }
    /END CERT/ { close(file); file = "" }' "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}"
}

# As rustup leaves it: the proxies in ~/.cargo/bin, not on PATH until one logs in again.
copy_rustup() { # SYSTEM
  mkdir -p "$1/root/.cargo" "$1/root/.rustup/toolchains"
  cp -a "${CARGO_HOME:-$HOME/.cargo}/bin" "$1/root/.cargo/bin"
}

# rustup, and one toolchain, the default.
copy_rust() { # SYSTEM
  local system=$1 sysroot name rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
  sysroot=$(rustc --print sysroot)
  name=$(basename "$sysroot")
  copy_rustup "$system"
  tar -C "$(dirname "$sysroot")" --exclude="$name/share/doc" -cf - "$name" | tar -C "$system/root/.rustup/toolchains" -xf -
  printf 'version = "12"\nprofile = "default"\ndefault_toolchain = "%s"\n' "$name" >"$system/root/.rustup/settings.toml"
  if [[ -d $rustup_home/update-hashes ]]; then cp -a "$rustup_home/update-hashes" "$system/root/.rustup/"; fi
}
