# Run by bin/test beside engines of its own: what needs a database.
set -euo pipefail

say() { printf 'bespoke  | %s\n' "$*"; }

say "manage.py makemigrations --check"
DEBUG=0 ALLOW_HTTP=1 python manage.py makemigrations --check --dry-run
say "manage.py check --deploy, set as in production"
DEBUG=0 ALLOW_HTTP=0 SITE_URL=https://bespoke.example ALLOWED_HOSTS=bespoke.example \
  python manage.py check --deploy --fail-level WARNING
report() { [ -z "${ARTIFACTS:-}" ] || printf -- '--junitxml=%s/%s.xml' "$ARTIFACTS" "$1"; }
clients=
if [ -n "${ARTIFACTS:-}" ]; then
  # Beside the tests, at the lowest priority. Node, for TypeScript, is not everywhere: hence the last. The path is
  # that of whoever makes them by hand, without our tools.
  PATH=${PATH//"$PWD/.venv/bin:"/} CLIENTS_DIR=$ARTIFACTS/clients nice -n 19 bash bin/clients collection python typescript \
    >"$ARTIFACTS/clients.log" 2>&1 &
  clients=$!
fi
say "pytest $*"
# The processes share the cores: threads of their own would only wait for one another.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1} DEBUG=0 ALLOW_HTTP=1
failed=0 none=5 # pytest's answer when nothing was chosen
python -m pytest -n "${TEST_PROCESSES:-auto}" --dist loadfile -m "not alone" $(report tests) "$@" || failed=$?
say "pytest, the tests that want the servers for themselves"
alone=0
python -m pytest -m alone $(report tests-alone) "$@" || alone=$?
if [ -n "$clients" ]; then
  wait "$clients" || say "Not every client could be made: $ARTIFACTS/clients.log"
  say "pytest, the clients made from the API's document"
  CLIENTS_DIR=$ARTIFACTS/clients python -m pytest tests/test_made_clients.py || failed=1
  rm -rf -- "$ARTIFACTS/clients/.venv" "$ARTIFACTS/clients/typescript/node_modules"
fi
if [ "$failed" -eq "$none" ] && [ "$alone" -eq "$none" ]; then exit "$none"; fi
[ "$failed" -eq 0 ] || [ "$failed" -eq "$none" ] || exit "$failed"
[ "$alone" -eq "$none" ] || exit "$alone"
