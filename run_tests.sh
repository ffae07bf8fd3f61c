#!/usr/bin/env bash
# All test set-up and all tests. Needs Python 3.11 or newer and nothing else.
#
#   ./run_tests.sh                  lint, types, every test
#   ./run_tests.sh tests/redis_queue -k X  these tests only, options as pytest has them
#   ./run_tests.sh live [--yes]     one cheap real call per paid provider whose key is set
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$here"
./run_worker.sh setup 2>&1 | grep -v '^Installed' || true
venv="$here/.venv"
stamp="$venv/installed-requirements-dev.txt"
if ! cat requirements.txt requirements-dev.txt | cmp -s - "$stamp"; then
    echo "Installing requirements-dev.txt into .venv (once) ..." >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt >&2
    cat requirements.txt requirements-dev.txt >"$stamp"
fi
if [[ "${1:-}" == live ]]; then
    exec "$venv/bin/python" -m tests.live "${@:2}"
fi
if [[ $# -gt 0 ]]; then
    exec "$venv/bin/python" -m pytest "$@"
fi
"$venv/bin/ruff" format --check --quiet .
"$venv/bin/ruff" check --quiet .

# Three at once: the types; tests that wait for processes, leases and servers most of their time;
# and the rest, which computes. Each has servers of its own, so none sees the others.
waiting=(tests/processes tests/durability tests/test_*.py)
computing=()
for folder in tests/*/; do
    folder="${folder%/}"
    case " ${waiting[*]} tests/live " in
    *" $folder "*) ;;
    *) if compgen -G "$folder/**/test_*.py" >/dev/null || compgen -G "$folder/test_*.py" >/dev/null; then
        computing+=("$folder")
    fi ;;
    esac
done
logs="$(mktemp -d)"
trap 'rm -rf "$logs"' EXIT
# What computes yields to what waits, whose deadlines are other people's time-outs.
# A cache and a folder each: the two would write over, and tidy up, what is the other's.
nice -n 15 "$venv/bin/mypy" --no-error-summary . >"$logs/types" 2>&1 &
types=$!
"$venv/bin/python" -m pytest -o cache_dir=.pytest_cache/waiting \
    --basetemp "$logs/w" "${waiting[@]}" >"$logs/waiting" 2>&1 &
waits=$!
failed=0
nice -n 15 "$venv/bin/python" -m pytest -o cache_dir=.pytest_cache/computing \
    --basetemp "$logs/c" "${computing[@]}" || failed=1
wait "$types" || failed=1
cat "$logs/types"
echo "Tests that wait for processes and servers:"
wait "$waits" || failed=1
cat "$logs/waiting"
exit "$failed"
