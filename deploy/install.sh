#!/usr/bin/env bash
# Install the workers under systemd or supervisor, with this checkout's paths filled in.
# Shows what it would write; writes only with --apply.
#
#   deploy/install.sh                               show the systemd units
#   deploy/install.sh --apply --count 4             install them, for four workers
#   deploy/install.sh --target supervisor --apply   install the supervisor programs
#
#   --target systemd|supervisor   which of the two (default: systemd)
#   --count N                     workers on this host (default: 2)
#   --user NAME                   who they run as (default: the owner of the checkout)
#   --root DIR                    the checkout that they run from (default: this one)
#   --env-file FILE               settings for systemd (default: ROOT/.env)
#   --dest DIR                    where to write (default: the target's own folder)
#   --log-dir DIR                 logs under supervisor (default: ROOT/var/log)
#   --apply                       write, instead of showing
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$here")"
target=systemd
count=2
user=""
dest=""
env_file=""
log_dir=""
apply=no

fail() {
    echo "install.sh: $1" >&2
    exit 64
}

while [[ $# -gt 0 ]]; do
    case "$1" in
    --apply)
        apply=yes
        shift
        continue
        ;;
    -h | --help)
        sed -n '2,17s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --target | --count | --user | --root | --env-file | --dest | --log-dir)
        [[ $# -ge 2 ]] || fail "$1 needs a value"
        ;;
    *) fail "unknown option $1; see --help" ;;
    esac
    case "$1" in
    --target) target="$2" ;;
    --count) count="$2" ;;
    --user) user="$2" ;;
    --root) root="$2" ;;
    --env-file) env_file="$2" ;;
    --dest) dest="$2" ;;
    --log-dir) log_dir="$2" ;;
    esac
    shift 2
done

[[ "$count" =~ ^[1-9][0-9]{0,2}$ ]] || fail "--count must be 1 to 999"
root="$(cd "$root" 2>/dev/null && pwd)" || fail "--root is no folder"
[[ -f "$root/worker.py" ]] || fail "$root is no checkout of the worker"
user="${user:-$(stat -c %U "$root")}"
env_file="${env_file:-$root/.env}"
log_dir="${log_dir:-$root/var/log}"
# A space would split an ExecStart line, and % is a sign of its own to both programs.
for value in "$root" "$user" "$env_file" "$log_dir"; do
    [[ "$value" =~ ^[A-Za-z0-9/._@+-]+$ ]] || fail "cannot use '$value': letters, digits and / . _ @ + - only"
done

case "$target" in
systemd)
    dest="${dest:-/etc/systemd/system}"
    files=("systemd/video-worker@.service" "systemd/video-workers.target")
    next=("systemctl daemon-reload"
        "systemctl enable --now video-workers.target video-worker@{1..$count}")
    ;;
supervisor)
    dest="${dest:-/etc/supervisor/conf.d}"
    files=("supervisor/video-workers.conf")
    next=("supervisorctl update" "supervisorctl status 'video-worker:*'")
    ;;
*) fail "--target must be systemd or supervisor" ;;
esac

filled() {
    sed -e "s|@ROOT@|$root|g" -e "s|@USER@|$user|g" -e "s|@COUNT@|$count|g" \
        -e "s|@ENV_FILE@|$env_file|g" -e "s|@LOG_DIR@|$log_dir|g" "$here/$1"
}

for file in "${files[@]}"; do
    path="$dest/$(basename "$file")"
    if [[ "$apply" == yes ]]; then
        mkdir -p "$dest"
        filled "$file" >"$path.new"
        mv "$path.new" "$path"
        echo "wrote $path"
    else
        echo "# ---- would write $path"
        filled "$file"
    fi
done
if [[ "$apply" == yes ]]; then
    # The units may write here only, and supervisor does not make its log folder.
    folders=("$root/var" "$log_dir")
    mkdir -p "${folders[@]}"
    if ! id "$user" >/dev/null 2>&1; then
        echo "first: useradd --system $user && chown -R $user $root/var"
    elif [[ "$(id -u)" == 0 && "$user" != "$(stat -c %U "$root/var")" ]]; then
        chown -R "$user" "$root/var"
    fi
    [[ -x "$root/.venv/bin/python" ]] || echo "first: $root/run_worker.sh setup"
    echo "next:"
else
    echo "# ---- nothing written; add --apply. Then:"
fi
printf '  %s\n' "${next[@]}"
