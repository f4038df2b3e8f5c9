#!/bin/bash
# What it costs to take new rows into the baselines and to score them, by how many rows the tables hold: from a
# thousand to MOST, tenfold each. Batches of 64 rows, of a plate that is being imaged (each site for the first
# time) and of a time-lapse (each site again, compared with what it showed before), 40 of each after 11 that do
# not count: medians of a batch, and the mean CPU time of a row, with all that falls due now and then. PostgreSQL
# alone, its disk writes not waited for; two models: a blend of quality, novelty and change, and HASTE's logistic.
#
#   tests/bench/a-row-costs-the-same-in-a-large-table.sh [MOST]
most=${1:-1000000}
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

run_sql() { # ARGUMENT...
    PGOPTIONS='--client-min-messages=warning' psql --no-psqlrc --quiet --no-align --tuples-only \
        --set ON_ERROR_STOP=1 --host "$postgres_socket" --port "$postgres_port" --username postgres \
        --dbname bench "$@"
}

make_bench() {
    local file
    postgres_make "fsync = off" "shared_buffers = 1GB" "max_wal_size = 8GB" "log_min_messages = fatal"
    postgres_psql --dbname postgres --command 'create database bench'
    for file in "$tree"/schema/*.sql; do run_sql < "$file"; done > /dev/null
    run_sql <<-'END' > /dev/null
	delete from scopestream_data.rule;
	delete from scopestream_data.model;
	delete from scopestream_data.feature;
	select scopestream_data.announce_measures('{"kind": "catalogue",
	    "pipeline": {"name": "quality", "definition": "bench"}, "measures": [
	    {"name": "vollath_f4"}, {"name": "lap_excess"}, {"name": "plls"}, {"name": "fg_fraction"}, {"name": "mean"},
	    {"name": "sd"}, {"name": "noise"}, {"name": "entropy"}, {"name": "correlation_20"},
	    {"name": "pixel_hash", "kind": "hash"}, {"name": "tile_mean", "kind": "array", "length": 256}]}');
	insert into scopestream_data.policy (name, tiers, bounds) values ('bench', '{low,high}', '{0.5}');
	insert into scopestream_data.model (name, policy, is_default, parts, score) values
	    ('blend', 'bench', true, '{
	        "quality": "logistic(least(z(log(vollath_f4)), z(log(lap_excess))), 1, -3)",
	        "novel": "logistic(coalesce(power(z(fg_fraction), 2), 1) + coalesce(power(z(mean), 2), 1) + coalesce(power(z(log(sd)), 2), 1) + coalesce(power(z(noise), 2), 1) + coalesce(power(z(entropy), 2), 1) + coalesce(power(z(correlation_20), 2), 1) + coalesce(power(z(plls), 2), 1), 1, 20)",
	        "different": "coalesce(logistic(change_z, 1, 4), 0)"}',
	     'case when same_pixels > 0 then 0 else clamp(0.5 * quality + 0.3 * novel + 0.2 * different, 0, 1) end'),
	    ('haste', 'bench', false, '{}', 'logistic(plls, -4.5, -1.4)');

	create schema bench;
	create table bench.took (rows bigint, kind text, batch integer, putting interval, tracking interval, scoring interval,
	                         cpu_us float8); -- of tracking and scoring
	create function bench.at(n float8) returns timestamptz language sql stable as
	$$ select '2026-03-01 00:00Z'::timestamptz + n * interval '250 ms' $$;
	-- CPU time of this session so far: other work on the machine does not count.
	create function bench.cpu_us() returns float8 language sql volatile as
	$$ select split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1000 $$;
	-- Frames and their numbers, straight into the tables; name tells one from the other.
	create function bench.put(name text[], at timestamptz[], plate text, well text[], site integer[], tiles boolean)
	    returns scopestream_data.row_key[] language sql as $$
	    insert into scopestream_data.frame (frame_id, acquired_at, source, experiment, plate, well, site, channel,
	                                        path, naming, width, height, size_bytes, mtime_ns, closed_at)
	    select md5(name)::uuid, at, 'scope', 'screen', put.plate, well, site, 'channel ' || i % 4,
	           put.plate || '/' || well || '_s' || site || '_' || name || '.tif', 'some', 2160, 2160, 9331200, 1, at
	    from unnest(name, at, well, site) with ordinality u(name, at, well, site, i);
	    insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, worker, vollath_f4, lap_excess,
	        plls, fg_fraction, mean, sd, noise, entropy, correlation_20, pixel_hash, tile_mean)
	    select md5(name)::uuid, at, 1, 'ok', 'bench/1', random(), random(), -2 * random(), random(), random(), random(),
	           random(), random(), random(), hashtextextended(name, 0),
	           case when tiles then (select array_agg(random()::real) from generate_series(1, 256) where i >= 0) end
	    from unnest(name, at) with ordinality u(name, at, i);
	    select array(select row(md5(name)::uuid, at, 1)::scopestream_data.row_key from unnest(name, at) u(name, at))
	$$;
	-- Plates of 384 wells, 4 sites and 4 channels, with all that steering keeps of them.
	create function bench.seed(first bigint, last bigint) returns void language plpgsql as $$
	begin
	    perform scopestream_data.ensure_partitions(bench.at(first), bench.at(last));
	    perform bench.put(array_agg(n::text order by n), array_agg(bench.at(n) order by n), 'plate ' || plate,
	        array_agg(chr(65 + (n / 16 % 384 / 24)::integer) || to_char(1 + n / 16 % 24, 'FM00') order by n),
	        array_agg((n / 4 % 4)::integer order by n), false)
	    from (select n, n / 6144 as plate from generate_series(first, last - 1) n) n group by plate;
	    insert into scopestream_data.priority (frame_id, acquired_at, pipeline_id, model_id, score, tier, known)
	    select md5(n::text)::uuid, bench.at(n), 1, (select min(model_id) from scopestream_data.model), random(), 'low', true
	    from generate_series(first, last - 1) n;
	    insert into scopestream_data.pixels_seen (source, pixel_hash, acquired_at, frame_id, file)
	    select 'scope', hashtextextended(n::text, 0), bench.at(n), md5(n::text)::uuid, n
	    from generate_series(greatest(first, last - 2419200), last - 1) n; -- of a week
	    with frame as (
	        select n, 'plate ' || n / 6144 as plate, 'channel ' || (n % 6144 + 1) % 4 as channel,
	               md5(n::text)::uuid as frame_id
	        from generate_series(first, last - 1) n
	    ), counted as (
	        insert into scopestream_data.baseline as b (pipeline_id, source, experiment, plate, channel, frames,
	                                                    first_acquired_at, last_acquired_at)
	        select 1, 'scope', 'screen', plate, channel, count(*), bench.at(min(n)), bench.at(max(n))
	        from frame group by plate, channel
	        on conflict (pipeline_id, source, experiment, plate, channel, z, role)
	        do update set frames = b.frames + excluded.frames, last_acquired_at = excluded.last_acquired_at
	        returning b.baseline_id, b.plate, b.channel
	    )
	    insert into scopestream_data.baseline_sample (baseline_id, sample_key, frame_id, acquired_at, "values")
	    select c.baseline_id, scopestream_data.sample_key(f.frame_id), f.frame_id, bench.at(f.n),
	           array(select random() from generate_series(1, scopestream_data.feature_count()) where n >= 0)
	    from counted c join frame f using (plate, channel)
	    where f.n % 6144 < 4096; -- 1024 of each channel
	end $$;
	-- 64 rows just after the newest: of sites that are new, or of 16 sites and 4 channels once more.
	create function bench.batch(held bigint, kind text, batch integer) returns void language plpgsql as $$
	declare
	    keys scopestream_data.row_key[];
	    started_at timestamptz := clock_timestamp();
	    put_at timestamptz;
	    tracked_at timestamptz;
	    cpu_us float8;
	begin
	    select bench.put(array_agg(concat_ws(' ', held, kind, batch, i) order by i),
	        array_agg(bench.at(held + (64 * batch + i) / 10000.0) order by i), kind || ' ' || held,
	        array_agg(case kind when 'plate' then chr(65 + batch % 16) else 'A' end
	                  || to_char(1 + i / 16 + case kind when 'plate' then 4 * (batch / 16) else 0 end, 'FM00') order by i),
	        array_agg(i / 4 % 4 order by i), kind = 'lapse')
	    into keys from generate_series(0, 63) i;
	    put_at := clock_timestamp();
	    cpu_us := bench.cpu_us();
	    perform scopestream_data.track_frames(keys);
	    tracked_at := clock_timestamp();
	    perform scopestream_data.score_frames(keys);
	    insert into bench.took values (held, kind, batch, put_at - started_at, tracked_at - put_at,
	                                   clock_timestamp() - tracked_at, bench.cpu_us() - cpu_us);
	end $$;
	END
}

seed() { # FROM TO
    local first last
    for ((first = $1; first < $2; first = last)); do
        last=$((first + 1000000 < $2 ? first + 1000000 : $2))
        run_sql --command "select bench.seed($first, $last)" > /dev/null
    done
    run_sql --command 'vacuum analyze'
}

# One session, as the store is one; a transaction a batch.
measure() { # ROWS
    local kind batch
    for kind in plate lapse; do
        for ((batch = 0; batch < 51; batch++)); do echo "select bench.batch($1, '$kind', $batch);"; done
    done | run_sql > /dev/null
}

report() { # ROWS
    run_sql --field-separator '' --command "
    select lpad('$1', 10), string_agg(figures, '   ' order by kind desc) from (
        select kind, to_char(percentile_cont(0.5) within group (order by 1e3 * extract(epoch from putting)), '9990.0')
            || to_char(percentile_cont(0.5) within group (order by 1e3 * extract(epoch from tracking)), '9990.0')
            || to_char(percentile_cont(0.5) within group (order by 1e3 * extract(epoch from scoring)), '9990.0')
            || to_char(avg(cpu_us) / 64, '99990') as figures
        from bench.took where rows = $1 and batch > 10 group by kind) f"
}

make_bench
held=0
printf '%10s   %-27s   %s\n' rows 'plate: ms a batch, CPU us' 'time-lapse: the same'
printf '%10s%7s%7s%7s%6s   %7s%7s%7s%6s\n' held insert track score row insert track score row
for ((rows = 1000; rows <= most; rows *= 10)); do
    seed "$held" "$rows"
    measure "$rows"
    report "$rows"
    held=$rows
done
