#!/usr/bin/env bash
# The programs of the system that some tests look at the project with: a browser, Prometheus,
# shells, the clients that READMEs show. Installed where that takes neither a question nor a password, which is as root with
# apt-get; anywhere else, or if it fails, those tests are skipped and the run says so at its end.
#
#   tests/tools.sh FOLDER     what cannot be installed without a daemon goes to FOLDER/usr/bin
set -uo pipefail
folder="$1"
#: Longest time for one step, in s: a mirror that hangs must not hold up the tests.
limit=600

# program:package; the first program found of several counts.
wanted=(chromium,chrome:chromium prometheus:prometheus systemd-analyze:systemd zsh:zsh fish:fish
    redis-cli:redis-tools curl:curl)

has() {
    local name
    for name in ${1//,/ }; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

missing=()
PATH="$folder/usr/bin:$PATH"
for entry in "${wanted[@]}"; do
    has "${entry%%:*}" || missing+=("${entry##*:}")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
if [[ $EUID -ne 0 ]] || ! has apt-get; then
    echo "Not here, and not installed without root and apt-get: ${missing[*]}" >&2
    exit 0
fi
echo "Installing for the tests (once): ${missing[*]} ..." >&2
quietly() {
    DEBIAN_FRONTEND=noninteractive timeout "$limit" "$@" >/dev/null 2>&1 </dev/null
}
quietly apt-get update
for package in "${missing[@]}"; do
    if [[ $package == prometheus ]]; then
        # Unpacked only: its package would start a server of its own.
        mkdir -p "$folder"
        (cd "$folder" && quietly apt-get download prometheus && quietly dpkg-deb -x prometheus_*.deb .)
    else
        quietly apt-get install --yes --no-install-recommends "$package"
    fi || echo "$package could not be installed; the tests that need it are skipped" >&2
done
exit 0
