#!/bin/bash
# prometheus-rules: the configuration and the rules of deploy/prometheus are in order, each rule does
# what its test says, and every metric they name is one the programs tell, every warning one that
# docs/metrics.md explains and a test tries. Exit status 77, skipped, where promtool is not here.
set -euo pipefail
tree=$(cd "$(dirname "$0")/.." && pwd)
bin=${SCOPESTREAM_BIN:-$tree/build/sanitize/bin}
rules=$tree/deploy/prometheus/rules/scopestream.rules.yml
tests=$tree/deploy/prometheus/rules/scopestream.test.yml

main() {
    command -v promtool > /dev/null || exit 77
    promtool check config "$tree/deploy/prometheus/prometheus.yml"
    promtool test rules "$tests"
    told=$("$bin/scopestream-store" --list-metrics)
    no_strange_metric "$rules"
    no_strange_metric "$tests"
    every_warning_is_told_and_tried
}

# Names of metrics, without what a histogram puts behind them.
no_strange_metric() { # FILE
    local name
    for name in $(grep -oE '\bscopestream_(ingest|features|store|nats)_[a-z_]+' "$1" | sort -u); do
        [[ $told == *"| \`${name%_bucket}\` |"* ]] || complain "$1 names $name, which nobody tells"
    done
}

every_warning_is_told_and_tried() {
    local warning page
    page=$(cat "$tree/docs/metrics.md")
    for warning in $(sed -n 's/.*- alert: //p' "$rules"); do
        [[ $page == *"\`$warning\`"* ]] || complain "docs/metrics.md does not tell $warning"
        warns_in_a_test "$warning" || complain "$tests never sees $warning"
    done
}

# Whether a test expects it to warn, and not only to be silent.
warns_in_a_test() { # WARNING
    grep -A 1 "^ *alertname: $1\$" "$tests" | grep -c exp_alerts > /dev/null
}

complain() { # WORDS
    echo "$*" >&2
    exit 1
}

main
