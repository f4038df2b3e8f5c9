# frames: image files on disk against rows in PostgreSQL, both ways, without asking any program of
# the stream: find lists the files, SQL compares. Sourced by deploy/demo and by the scenarios.
#
# PGHOST, PGPORT, PGDATABASE and PGUSER say where the rows are; a reader's rights are enough.
# shellcheck shell=bash

# psql for answers: bare values, a tab between columns.
frames_sql() { # ARGUMENT...
    psql --no-psqlrc --quiet --tuples-only --no-align --field-separator=$'\t' \
        --set ON_ERROR_STOP=1 "$@"
}

# What ingest takes for an image and what it passes over: settings include and exclude of a source,
# here at their defaults.
frames_include="*.tif *.tiff *.png"
frames_exclude="._* .* *.part *.tmp *.partial *.crdownload *.filepart ~* *_thumb*"

# Every file below FOLDER that is an image by its name: path,size,mtime in nanoseconds as CSV, the
# path encoded as on the wire (docs/wire.md).
frames_on_disk() { # FOLDER
    local -a include=() exclude=()
    local name
    set -f
    for name in $frames_include; do include+=(-o -iname "$name"); done
    for name in $frames_exclude; do exclude+=(-o -iname "$name"); done
    set +f
    # What may not be read is passed over: ingest cannot see it either.
    { LC_ALL=C find "$1" -mindepth 1 \
        \( -false "${exclude[@]}" \) -prune \
        -o -type f \( -false "${include[@]}" \) \
        -printf '%s %T@ %P\0' 2>/dev/null || true; } |
        LC_ALL=C perl -0ne '
            chomp;
            my ($size, $seconds, $nanoseconds, $path) = /^(\d+) (-?\d+)\.(\d{9})\d* (.*)$/s or next;
            my $plain = qr/[\x20-\x24\x26-\x7e] | [\xc2-\xdf][\x80-\xbf] | \xe0[\xa0-\xbf][\x80-\xbf]
                | [\xe1-\xec\xee\xef][\x80-\xbf]{2} | \xed[\x80-\x9f][\x80-\xbf]
                | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3}
                | \xf4[\x80-\x8f][\x80-\xbf]{2}/x;
            $path =~ s/($plain)|(.)/defined $1 ? $1 : sprintf "%%%02X", ord $2/gse;
            $path =~ s/"/""/g;
            printf qq{"%s",%s,%d\n}, $path, $size, $seconds . $nanoseconds;'
}

# Compares FOLDER with the rows of SOURCE and prints, one a line,
#     no row      PATH   a file some of whose pages have no row, and no event says why
#     no file     PATH   a row whose file is not there (any more)
#     changed     PATH   a row of an earlier version of a file that is there
# Rows are told apart by path, size and time of modification, as frames are.
frames_compare() { # FOLDER SOURCE
    frames_on_disk "$1" | frames_sql --set source="$2" --file <(
        cat <<'END'
create temporary table disk (path text, size_bytes bigint, mtime_ns bigint);
\copy disk from pstdin with (format csv)
create temporary table stored as
    select path, size_bytes, mtime_ns, max(pages) as pages, count(distinct page) as rows
    from scopestream.frames where source = :'source' and status is not null
    group by path, size_bytes, mtime_ns;
select 'no row', path from disk
    left join stored using (path, size_bytes, mtime_ns)
    where rows is distinct from pages or rows is null
    except
    select 'no row', path from scopestream.events
    where source = :'source' and event in ('unfinished', 'unreadable')
union all
select case when disk.path is null then 'no file' else 'changed' end, stored.path from stored
    left join disk using (path)
    where disk.path is null
    or (disk.size_bytes, disk.mtime_ns) <> (stored.size_bytes, stored.mtime_ns)
order by 1, 2;
END
    )
}
