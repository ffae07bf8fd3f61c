#!/usr/bin/env bash
# All test set-up and all tests. Needs Python 3.11 or newer and nothing else.
#
#   ./run_tests.sh                  lint, types, every test; as root with apt-get it first installs
#                                   what some tests look with (tests/tools.sh), elsewhere those are
#                                   skipped, and named at the end
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
tools="$here/var/tools"
export PATH="$PATH:$tools/usr/bin"
if [[ $# -gt 0 ]]; then
    exec "$venv/bin/python" -m pytest "$@"
fi
tests/tools.sh "$tools"
"$venv/bin/ruff" format --check --quiet .
"$venv/bin/ruff" check --quiet .

# Four at once: the types; two halves of the tests that wait for processes, leases and servers most
# of their time; and the rest, which computes. Each has servers of its own: none sees the others.
waiting=(tests/processes tests/durability tests/test_*.py)
jobs=(tests/background tests/examples)
computing=()
for folder in tests/*/; do
    folder="${folder%/}"
    case " ${waiting[*]} ${jobs[*]} tests/live " in
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
"$venv/bin/python" -m pytest -o cache_dir=.pytest_cache/jobs \
    --basetemp "$logs/j" "${jobs[@]}" >"$logs/jobs" 2>&1 &
others=$!
failed=0
nice -n 15 "$venv/bin/python" -m pytest -o cache_dir=.pytest_cache/computing \
    --basetemp "$logs/c" "${computing[@]}" | tee "$logs/computing" || failed=1
wait "$types" || failed=1
cat "$logs/types"
echo "Tests that wait for processes and servers:"
wait "$waits" || failed=1
cat "$logs/waiting"
echo "Tests of background jobs and examples:"
wait "$others" || failed=1
cat "$logs/jobs"
echo
if grep -qh '^SKIPPED' "$logs/computing" "$logs/waiting" "$logs/jobs"; then
    echo "These tests did not run here, for want of what they name:"
    grep -h '^SKIPPED' "$logs/computing" "$logs/waiting" "$logs/jobs"
else
    echo "Every test ran; none was skipped."
fi
exit "$failed"
