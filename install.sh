#!/usr/bin/env bash
# Builds the command line in release mode, and installs it with its completions and manual pages.
#
#   ./install.sh                     below ~/.local, for yourself
#   ./install.sh --prefix /usr/local     for everybody on this machine; run it as root
#
# `DESTDIR` is put in front of every path, for packages. Running it again replaces what it installed.
set -euo pipefail

usage() {
    printf 'usage: %s [--prefix DIR]\n' "$0" >&2
    exit 2
}

prefix=${HOME:-}/.local
while (($# > 0)); do
    case $1 in
    --prefix)
        [[ -n ${2:-} ]] || usage
        prefix=$2
        shift 2
        ;;
    *) usage ;;
    esac
done
[[ $prefix == /* ]] || {
    # shellcheck disable=SC2016  # a backquote is one
    printf 'error: the prefix `%s` is not an absolute path\nhint: name a directory such as /usr/local\n' "$prefix" >&2
    exit 2
}

cd "$(dirname "${BASH_SOURCE[0]}")"
# `release` is a directory below whatever directory cargo is configured to build in.
cargo build --locked --release --package bailiwick-cli
target=$(cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
program=$target/release/bailiwick

root=${DESTDIR:-}$prefix
share=$root/share
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT
"$program" completions bash >"$generated/bailiwick"
"$program" completions zsh >"$generated/_bailiwick"
"$program" completions fish >"$generated/bailiwick.fish"
"$program" man "$generated/man" >"$generated/pages"

install -D -m 0755 "$program" "$root/bin/bailiwick"
install -D -m 0644 "$generated/bailiwick" "$share/bash-completion/completions/bailiwick"
install -D -m 0644 "$generated/_bailiwick" "$share/zsh/site-functions/_bailiwick"
install -D -m 0644 "$generated/bailiwick.fish" "$share/fish/vendor_completions.d/bailiwick.fish"
# Pages of commands that no longer exist would stay otherwise.
rm -f "$share"/man/man1/bailiwick.1 "$share"/man/man1/bailiwick-*.1
install -d -m 0755 "$share/man/man1"
install -m 0644 "$generated"/man/*.1 "$share/man/man1/"

printf 'installed %s, completions for bash, zsh and fish, and %s manual pages\n' \
    "$root/bin/bailiwick" "$(wc -l <"$generated/pages")"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) printf 'hint: add its directory to your PATH: %s\n' "export PATH=$prefix/bin:\$PATH" ;;
esac
