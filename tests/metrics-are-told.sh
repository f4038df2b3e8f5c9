#!/bin/bash
# metrics-are-told: docs/metrics.md holds word for word what --list-metrics prints.
#
#   tests/metrics-are-told.sh             exit status 1 and the difference if not
#   tests/metrics-are-told.sh --write     puts it there
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${SCOPESTREAM_BIN:-build/sanitize/bin}
page=docs/metrics.md

# The page, the rows of its last table replaced by the list.
page_as_it_should_be() {
    sed '/^| metric | type |/,$d' "$page"
    "$bin/scopestream-store" --list-metrics
}

if [ "${1:-}" = --write ]; then
    text=$(page_as_it_should_be)
    printf '%s\n' "$text" > "$page"
else
    page_as_it_should_be | diff "$page" -
fi
