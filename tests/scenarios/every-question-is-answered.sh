#!/bin/bash
# Every question of samples/questions, asked by a reader: while there is no frame, of frames whose names tell no
# plate, and of plates with known faults, which the answers name. They ask through one line, their columns are as
# docs/questions.md shows them, and none reads all the months.
#
#   every-question-is-answered.sh --write     puts what is answered into docs/questions.md
. "$(dirname "$0")/harness.bash"
# shellcheck source=tests/scenarios/questions.bash
. "$(dirname "$0")/questions.bash"
page=$tree/docs/questions.md
answers=$folder/answers # what is shown of each question

asked="with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until \
from scopestream.newest_plates where place = 1)"

# --- as written ---

# The generator of the dashboards puts other words in place of the line, and drops psql's own.
form_is_kept() { # NAME
    local file=$tree/samples/questions/$1.sql
    [ "$(grep -cE "^with asked as .*\)[,]?$" "$file")" = 1 ] && grep -qxF -e "$asked" -e "$asked," "$file" ||
        fail "$1: does not ask through the one line"
    [[ $(head -n 1 "$file") =~ ^--\ .*\?( |$) ]] || fail "$1: does not begin with a question"
    [ "$(grep -n '^\\' "$file" | cut -d: -f1)" = "$(grep -q '^\\' "$file" && wc -l < "$file" || true)" ] ||
        fail "$1: psql's own line is not the last"
    grep -qF "\`$1.sql\`" "$tree/samples/questions/README.md" || fail "$1: not in the README"
}

columns_are_plain() { # NAME
    local column type
    while IFS=$'\t' read -r column type; do
        [[ $column =~ ^[a-z][a-z0-9_]*$ ]] || fail "$1: a column is called '$column'"
        [ "$column" != time ] || [ "$type" = "timestamp with time zone" ] || fail "$1: time is $type"
    done < <(columns_of "$1")
    [ -n "$(columns_of "$1")" ] || fail "$1: has no columns"
}

# --- asked ---

answer() { # NAME COLUMN
    ask "$1" --tuples-only --no-align --field-separator=$'\t' | cut -f "$2" | sort -u | tr '\n' ' '
}

# These have no answer here, and no other may have none.
rows_but_for() { # NAME...
    local name rows
    for name in $(question_names); do
        rows=$(ask "$name" --tuples-only --no-align | sed '/^$/d' | wc -l) || fail "$name does not run"
        case " $* " in
            *" $name "*) [ "$rows" = 0 ] || fail "$name: $rows rows where none was to be" ;;
            *) [ "$rows" -gt 0 ] || fail "$name: no answer" ;;
        esac
    done
}

no_rows_but_for() { # NAME...
    local name others=()
    for name in $(question_names); do
        case " $* " in *" $name "*) ;; *) others+=("$name") ;; esac
    done
    rows_but_for "${others[@]}"
}

# What is asked is a few rows among those of many months: no step of a plan meets a tenth of all there are. Without
# sequential scans, which are cheap yet at so many, and dear at ten million. What lies in functions is not seen here;
# tests/bench has that.
no_month_is_read_whole() { # NAME
    local whole
    whole=$({ echo "set jit = off; set enable_seqscan = off; explain (analyze, costs off, timing off, summary off)"
        sed '/^\\crosstabview/d' "$tree/samples/questions/$1.sql"; } | frames_sql | awk -v most="$most_rows" '
            function judge() { if (met > most) print step; met = 0 }
            /->/ { judge(); step = "" }
            /Scan .*on (frame|result|priority|thumbnail)_[0-9].*\(actual/ {
                step = $0
                match(step, /rows=[0-9]+/); rows = substr(step, RSTART + 5, RLENGTH - 5)
                match(step, /loops=[0-9]+/); loops = substr(step, RSTART + 6, RLENGTH - 6)
                met = rows * loops
            }
            /Rows Removed by/ && step != "" { met += $NF * loops }
            END { judge() }')
    [ -z "$whole" ] || fail "$1 reads more than $most_rows rows at once: $whole"
}

# --- shown ---

# The answer as the page shows it: twelve rows, no line longer than 150, of ids in the last column the beginning.
shown() { # NAME
    ask "$1" | awk '
        NR == 1 && / [a-z_]*frame_id *$/ { name = $NF }
        NR == 2 && name != "" { match($0, /.*\+/); ids_from = RLENGTH }
        NF > 0 { text[++count] = $0 }
        END {
            for (i = 1; i <= count && i <= 14; i++) {
                line = text[i]
                if (ids_from > 0)
                    line = substr(line, 1, ids_from) \
                        (i == 1 ? " " name : i == 2 ? "-------------" : substr(line, ids_from + 1, 9) "...")
                line = substr(line, 1, 150)
                sub(/ +$/, "", line)
                print line
            }
            if (count > 14) print "..."
        }'
}

show_all() { # NAME...
    local name
    mkdir -p "$answers"
    for name; do shown "$name" > "$answers/$name"; done
}

# Prints the page with what was answered in the block below each question's heading.
page_with_answers() {
    awk -v answers="$answers" '
        /^### `.*\.sql`$/ { name = $0; gsub(/^### `|\.sql`$/, "", name) }
        /^```/ && inside { inside = 0; name = "" }
        !inside { print }
        /^```text$/ && name != "" {
            inside = 1
            while ((getline line < (answers "/" name)) > 0) print line
        }' "$page"
}

# What is answered differs from day to day, and with its width where a long line is cut; what it is called does not.
page_tells() { # NAME
    local there here
    there=$(awk -v name="$1" '$0 == "### `" name ".sql`" { here = 1 } here && text { print; exit }
        here && /^```text$/ { text = 1 }' "$page" | tr -s ' ')
    here=$(head -n 1 "$answers/$1" | tr -s ' ')
    [ -n "$there" ] && [ -n "$here" ] && [[ "$here" = "$there"* || "$there" = "$here"* ]] ||
        fail "docs/questions.md, $1: '$there', but it is '$here'; --write makes it anew"
}

# What is usual of so few frames is counted when the stream pauses.
light_is_usual() { [ "$(sql "select count(*) > 0 from scopestream.plate_trends where feature = 'illum_cv'")" = t ]; }

# --- the questions ---

start_everything
wait_until 60 catalogue_is_there
for name in $(question_names); do
    form_is_kept "$name"
    columns_are_plain "$name"
done
no_rows_but_for what-does-this-number-mean

image_nameless
wait_until 60 light_is_usual
no_rows_but_for what-does-this-number-mean is-the-plate-in-focus-now is-focus-drifting is-saturation-getting-worse \
    which-fields-are-empty-or-full is-the-light-even what-does-the-light-look-like is-the-light-or-the-camera-drifting \
    is-the-ice-good how-many-frames-are-in-each-tier how-far-is-the-plate which-frames-look-different
expect "ice of squares" "$(answer is-the-ice-good 1,2)" "square-1	4 square-2	4 square-3	4 "
show_all is-the-ice-good

image_screen
image_stack
expect "planes off" "$(answer did-autofocus-choose-the-sharpest-plane 2)" "-1 -3 0 "
show_all which-plane-is-sharpest did-autofocus-choose-the-sharpest-plane

image_lapse
expect "wells that bleach abnormally" "$(answer which-wells-are-bleaching 2,3,8 | tr ' ' '\n' | grep '2.t$')" "A03	2	t"
show_all which-sites-are-changing how-fast-does-each-channel-bleach which-wells-are-bleaching

image_today
expect "out of focus" "$(answer which-wells-are-out-of-focus 1,2)" "B02	1 B02	2 C05	1 C05	2 "
expect "saturated" "$(answer which-frames-are-saturated 2,4)" "D03	2 "
expect "empty fields" "$(answer which-fields-are-empty-or-full 1,2)" "empty	A04 "
expect "empty wells" "$(answer which-wells-are-empty 1)" "A04 "
expect "empty wells among those that stray" "$(answer which-wells-stray-from-row-and-column 2 | grep -ow A04)" ""
expect "blurred, had all wells fewer cells" \
    "$(sed 's/0\.7 \* u/99 * u/' "$tree/samples/questions/which-wells-have-fewer-cells.sql" | frames_sql |
        awk -F '\t' '$6 > 0 { print $1, $2 }' | sort | tr '\n' ' ')" "B02 1 B02 2 C05 1 C05 2 "
expect "dim" "$(answer which-wells-are-dim 1)" "A06 B06 C06 D06 "
expect "the same pixels" "$(answer is-the-camera-stuck 6)" \
    "$(awk -F, '$9 ~ /stuck/ { print $1 }' "$written" | sort | tr '\n' ' ')"
expect "missing or twice" "$(answer what-is-missing-or-twice 1,3,4)" \
    "missing picture	C03	1 missing picture	D02	2 the same pixels	A03	2 unfinished		 "
expect "plates whose controls separate" \
    "$(ask do-the-controls-separate-from-plate-to-plate --tuples-only --no-align --field-separator=$'\t' |
        awk -F '\t' '$4 == "mean" && $7 > 0.5 { print $2 }' | sort -u | tr '\n' ' ')" "P1 P4 "
rows_but_for which-sites-are-changing which-plane-is-sharpest did-autofocus-choose-the-sharpest-plane \
    how-fast-does-each-channel-bleach which-wells-are-bleaching
for name in $(question_names); do
    [ -e "$answers/$name" ] || show_all "$name"
done

image_months
most_rows=$(sql "select count(*) / 10 from scopestream.frames")
for name in $(question_names); do
    [ "$name" = how-far-is-the-plate ] || no_month_is_read_whole "$name" # asks for the last thousand rows, of so few
done

if [ "${1:-}" = --write ]; then
    page_with_answers > "$folder/page"
    cp "$folder/page" "$page"
fi
for name in $(question_names); do page_tells "$name"; done
