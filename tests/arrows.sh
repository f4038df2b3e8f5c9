#!/bin/bash
# arrows: which way includes point. Three wings stand on one ground floor: ingest, features and store
# include stream and never each other; stream includes nobody; each outside library is met in one
# place. Prints every include that points elsewhere; exit status 1 if there is one.
#
#   tests/arrows.sh [TREE]     TREE: what is looked at, the project by default
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# room: the rooms whose files it may include, beside its own
rooms=(
    "stream:"
    "ingest:stream"
    "features:stream"
    "store:stream"
)

# room: the rooms of its own wing that it never includes
never=(
    "store/page:store/commands store/pictures"
    "store/pictures:store/commands store/page"
)

# header: the files that may include it, as extended regular expression. Tests may include all.
libraries=(
    'nats(/nats)?\.h:stream/bus[a-z_]*\.[ch]'
    'libpq-fe\.h:store/[a-z_]+\.[ch]'
    'microhttpd\.h:stream/http[a-z_]*\.[ch]'
    'curl/.*:store/webhooks/[a-z_]+\.[ch]'
    'cairo\.h:store/pictures/[a-z_]+\.[ch]'
    'pango/.*:store/pictures/canvas\.c'
    'gdk-pixbuf/.*:store/pictures/picture\.c'
    'vips/.*:features/[a-z_/]+\.[ch]'
    'tiff(io)?\.h:(ingest/format_tiff|features/pixels[a-z_]*)\.c'
    'xxhash\.h:features/measures/measure_pixel_hash\.c'
    'sqlite3\.h:ingest/journal[a-z_]*\.[ch]'
    'sys/inotify\.h:ingest/watch_inotify\.c'
)

main() {
    local failed=0
    no_arrow_between_rooms || failed=1
    no_arrow_within_a_wing || failed=1
    every_library_in_its_place || failed=1
    no_path_that_climbs || failed=1
    return $failed
}

# "file: header" of every include in the four rooms, without brackets and quotes.
includes() {
    grep -rHoE --include='*.c' --include='*.h' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' \
        stream ingest features store | sed -E 's/:[^:]*[<"]/: /'
}

no_arrow_between_rooms() {
    local row room allowed wrong=0
    for row in "${rooms[@]}"; do
        room=${row%%:*} allowed=${row#*:}
        tell "belongs to another wing" < <(includes | grep -E "^$room/" |
            grep -E ': (stream|ingest|features|store|samples|tests)/' |
            grep -vE ": ($room${allowed:+|$allowed})/") || wrong=1
    done
    return $wrong
}

no_arrow_within_a_wing() {
    local row room wrong=0
    for row in "${never[@]}"; do
        room=${row%%:*}
        tell "is a room that $room does not know" < <(includes | grep -E "^$room/" |
            grep -E ": ($(tr " " "|" <<< "${row#*:}"))/") || wrong=1
    done
    return $wrong
}

every_library_in_its_place() {
    local row wrong=0
    for row in "${libraries[@]}"; do
        tell "is met in one place only (${row#*:})" < <(includes | grep -E ": ${row%%:*}\$" |
            grep -vE "^${row#*:}: ") || wrong=1
    done
    return $wrong
}

# Headers of the project are spelled by folder.
no_path_that_climbs() {
    tell "is not spelled by folder" < <(grep -rnE --include='*.c' --include='*.h' \
        '#[[:space:]]*include "(\.\.?/|[^/"]+")' stream ingest features store |
        grep -vE '"[a-z_]+\.list"') || return 1
}

# Prints the lines of standard input with REASON; fails if there was one.
tell() { # REASON
    local line found=0
    while read -r line; do
        echo "$line $1"
        found=1
    done
    return $found
}

main
