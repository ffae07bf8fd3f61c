#!/usr/bin/env bash
# Start a worker, a local stack, or one video from nothing. Installs what it needs into .venv,
# once. Needs Python 3.11 or newer and nothing else.
#
#   ./run_worker.sh demo [--product-name TEXT ...]   one finished video in out/demo/
#   ./run_worker.sh up                               an embedded Redis, two workers, the dashboard
#   ./run_worker.sh worker-1                         one worker on REDIS_URL
#   ./run_worker.sh completion bash --install        complete commands by Tab; zsh and fish too
#   ./run_worker.sh setup                            only install
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="$here/.venv"

find_python() {
    local name
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "run_worker.sh: needs Python 3.11 or newer; set PYTHON to one." >&2
    exit 69
}

# Installs only when the requirements differ from what was installed last.
install() {
    local requirements="$1" stamp="$2"
    if cmp -s "$requirements" "$stamp"; then
        return
    fi
    if [[ ! -x "$venv/bin/python" ]]; then
        "$(find_python)" -m venv "$venv" || {
            echo "run_worker.sh: could not make .venv (on Debian: apt install python3-venv)." >&2
            exit 69
        }
    fi
    echo "Installing $(basename "$requirements") into .venv (once, about 600 MB) ..." >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
    cp "$requirements" "$stamp"
}

install "$here/requirements.txt" "$venv/installed-requirements.txt"
case "${1:-}" in
setup)
    echo "Installed. Next: ./run_worker.sh demo" >&2
    ;;
demo | up | completion)
    exec "$venv/bin/python" "$here/cli.py" "$@"
    ;;
-h | --help)
    sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    ;;
*)
    exec "$venv/bin/python" "$here/worker.py" "$@"
    ;;
esac
