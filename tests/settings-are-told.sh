#!/bin/bash
# settings-are-told: docs/settings.md holds word for word what --sample-config prints.
#
#   tests/settings-are-told.sh             exit status 1 and the difference if not
#   tests/settings-are-told.sh --write     puts it there
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${SCOPESTREAM_BIN:-build/sanitize/bin}
page=docs/settings.md

# The page, its last block replaced by the sample.
page_as_it_should_be() {
    sed '/^```ini$/q' "$page"
    "$bin/scopestream-ingest" --sample-config
    echo '```'
}

if [ "${1:-}" = --write ]; then
    text=$(page_as_it_should_be)
    printf '%s\n' "$text" > "$page"
else
    page_as_it_should_be | diff "$page" -
fi
