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

# Five at once, so that both cores are busy to the end: the types; two halves of the tests that wait
# for processes, leases and servers most of their time; and two of the rest, which compute. Each has
# servers of its own: none sees the others.
waiting=(tests/processes tests/durability tests/test_*.py)
jobs=(tests/background tests/examples)
pages=(tests/api tests/commands tests/deploy)
computing=()
for folder in tests/*/; do
    folder="${folder%/}"
    case " ${waiting[*]} ${jobs[*]} ${pages[*]} tests/live " in
    *" $folder "*) ;;
    *) if compgen -G "$folder/**/test_*.py" >/dev/null || compgen -G "$folder/test_*.py" >/dev/null; then
        computing+=("$folder")
    fi ;;
    esac
done
logs="$(mktemp -d)"
trap 'rm -rf "$logs"' EXIT
# A cache and a folder each: they would write over, and tidy up, what is each other's.
tests_of() { # name, niceness, paths ...
    nice -n "$2" "$venv/bin/python" -m pytest -o "cache_dir=.pytest_cache/$1" \
        --basetemp "$logs/$1.d" "${@:3}"
}
# What computes yields to what waits, whose deadlines are other people's time-outs.
nice -n 15 "$venv/bin/mypy" --no-error-summary . >"$logs/types" 2>&1 &
running=("types $!")
tests_of waiting 0 "${waiting[@]}" >"$logs/waiting" 2>&1 &
running+=("waiting $!")
tests_of jobs 0 "${jobs[@]}" >"$logs/jobs" 2>&1 &
running+=("jobs $!")
tests_of pages 0 "${pages[@]}" >"$logs/pages" 2>&1 &
running+=("pages $!")
failed=0
echo "Tests that compute (and beside them the others, told when they are done):"
tests_of computing 10 "${computing[@]}" 2>&1 | tee "$logs/computing" || failed=1
for one in "${running[@]}"; do
    read -r name number <<<"$one"
    [[ $name == types ]] || echo "Tests of $name:"
    wait "$number" || failed=1
    cat "$logs/$name"
done
echo
told=("$logs/computing" "$logs/waiting" "$logs/jobs" "$logs/pages")
if grep -qh '^SKIPPED' "${told[@]}"; then
    echo "These tests did not run here, for want of what they name:"
    grep -h '^SKIPPED' "${told[@]}"
else
    echo "Every test ran; none was skipped."
fi
exit "$failed"
