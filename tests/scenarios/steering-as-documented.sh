#!/bin/bash
# docs/steering.md does as it says: its examples, the blocks marked sql and sh, are run in their order by a
# scientist, on plates that the simulated microscope images with faults put in. One that is refused must have
# promised so (ERROR: or scopestream-store:), and no other may fail; a block marked text behind an example is
# its answer, word by word. Of that, numbers with a decimal point, times and ids may differ; ... stands for
# whatever comes there.
. "$(dirname "$0")/harness.bash"
page=$tree/docs/steering.md
steps=$folder/steps

# Examples into $steps/LINE.sql or LINE.sh, by their line in the page, and their answers into LINE.answer.
cut_examples() {
    mkdir "$steps"
    awk -v steps="$steps" '
        /^```/ && inside { inside = 0; close(file); next }
        /^```/ { inside = 1; file = "/dev/null"; kind = substr($0, 4)
            if (kind == "sql" || kind == "sh") {
                line = sprintf("%04d", NR); file = steps "/" line "." kind
            } else if (kind == "text" && line != "") {
                file = steps "/" line ".answer"; line = ""
            }
            next }
        inside { print > file }' "$page"
}

run_sql() { # FILE
    psql --no-psqlrc --quiet --pset pager=off --set ON_ERROR_STOP=1 --set SHOW_CONTEXT=never < "$1" 2>&1
}

# In the folder that holds the folder of images; with no settings, as whoever sits there.
run_sh() { # FILE
    (cd "$folder" && unset SCOPESTREAM_CONFIG && PATH=$bin:$PATH NATS_URL=$nats_url bash -euo pipefail "$1" 2>&1)
}

is_refused() { # ANSWER
    [ -e "$1" ] && grep -qE '^(ERROR|scopestream-store):' "$1"
}

# Whether what was said is the answer.
agrees() { # ANSWER SAID
    perl -e '
        sub slurp { local (@ARGV, $/) = @_; my $text = <> // ""; $text =~ s/[ \t]+/ /g; $text =~ s/ ?\n+ ?/\n/g;
                    $text =~ s/^[ \n]+|[ \n]+$//g; "$text\n" }
        my ($answer, $said) = map { slurp($_) } @ARGV;
        $said =~ s/-{2,}/--/g;
        $answer =~ s/-{2,}/--/g;
        my $known = join "", map {
            my $line = quotemeta;
            $line =~ s/[0-9a-f]{8}(\\-[0-9a-f]{4}){3}\\-[0-9a-f]{12}/[0-9a-f-]{36}/g;
            $line =~ s/\d{4}\\-\d\d\\-\d\d/\\d{4}-\\d\\d-\\d\\d/g;
            $line =~ s/\d\d\\:\d\d(\\:\d\d(\\\.\d+)?)?/\\d\\d:\\d\\d[\\d:.]*/g;
            $line =~ s/(?<![\w\]}])(\\-)?\d+\\\.\d+(e(\\[-+])?\d+)?/-?\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?/g;
            $_ eq "..." ? "(?:.*\n)*?" : $line =~ s/\\\.\\\.\\\./.*/gr . "\n" } split /\n/, $answer;
        exit($said =~ /\A$known\z/ ? 0 : 1)' "$1" "$2"
}

try_example() { # FILE ANSWER SAID
    local status=0
    "run_${1##*.}" "$1" > "$3" || status=$?
    if is_refused "$2"; then [ $status -ne 0 ]; else [ $status -eq 0 ]; fi || return 1
    [ ! -e "$2" ] || agrees "$2" "$3"
}

# What a question asks of may still be on its way; what changes something is done once.
seconds_to_try() { # FILE
    if [[ $1 == *.sql ]] && [ "$(grep -v '^--' "$1" | head -c 6)" = select ]; then echo 40; else echo 0; fi
}

run_example() { # FILE
    local answer=${1%.*}.answer said=${1%.*}.said deadline
    deadline=$((SECONDS + $(seconds_to_try "$1")))
    until try_example "$1" "$answer" "$said"; do
        if [ $SECONDS -ge $deadline ]; then
            cat "$1"; echo "--- said"; cat "$said"; echo "--- was to say"; cat "$answer"
            fail "the example of docs/steering.md, line $((10#$(basename "${1%.*}")))"
        fi
        sleep 0.5
    done
}

cut_examples
start_everything
postgres_psql --dbname scopestream --command 'grant scopestream_scientist to scientist'
for example in "$steps"/*.s*; do
    run_example "$example"
    [[ $example == *.sql ]] || wait_until 120 no_file_without_rows
done
echo "$(find "$steps" -name '*.s[qh]*' | wc -l) examples, $(find "$steps" -name '*.answer' | wc -l) answers"
[ "$(find "$steps" -name '*.answer' | wc -l)" -gt 20 ] || fail "hardly an example was found: is the page's form another?"
