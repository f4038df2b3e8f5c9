-- The laboratory of ten-million-frames.sh: three months of two microscopes, a time-lapse and a z-stack, straight into
-- the tables. What frames show comes from a plate that went through the real programs (table document).

set client_min_messages = warning;
create schema bench;

-- One row: what is seeded. tiles_from, thumbnails_from: frames from this on have arrays, and pictures.
create table bench.size (frames bigint, since timestamptz, until timestamptz, step interval, tiles_from bigint,
                         thumbnails_from bigint);

-- {"slot":, "channel":, "row": of result, "thumbnail": {...}, "score":, "parts":, "findings": [{"rule":, ...}]}
create table bench.document (body jsonb);

-- About 60 numbers a row, as a laboratory might choose them; the other columns stay NULL.
create function bench.numbers() returns text[] language sql immutable as $$
    select '{mean,std,min,max,median,mad,q25,q75,p01,p05,p95,p99,p999,pct_max,pct_saturated,pct_zero,n_levels,entropy,
             total_intensity,focus_score,focus,focus_snr,local_focus_20,vollath_f4,lap_var,lap_excess,tenengrad,
             autocorr1_h,correlation_20,plls,psd_slope_mean,psd_aniso,blur_effect,thr_otsu_2w,otsu_separability,
             fg_fraction,fg_mean,bg_mean,bg_mode,sbr,cnr,noise_sigma,snr_db,n_objects,obj_area_median,obj_area_cv,
             obj_border_fraction,obj_largest_fraction,illum_cv,illum_corner_center,illum_tilt_x,illum_tilt_y,
             focus_tile_med,focus_tile_min,tile_occupied,bright_tile_share,hot_pixels,dead_pixels,row_stripe,
             col_stripe}'::text[]
$$;

create function bench.make_pool() returns void language plpgsql as $$
begin
    create table bench.pool as
    select (d.body ->> 'slot')::integer as slot, -- file names tell a channel's number
           ('{DAPI,GFP,Cy3,Cy5}'::text[])[dense_rank() over (order by d.body ->> 'channel')] as channel,
           (d.body ->> 'score')::float8 as score, d.body -> 'parts' as parts, d.body ->> 'compared_with' as compared_with,
           d.body -> 'findings' as findings, d.body -> 'thumbnail' as picture,
           decode(d.body #>> '{thumbnail,image}', 'base64') as image, r.*
    from bench.document d, jsonb_populate_record(null::scopestream_data.result, d.body -> 'row') r;
    alter table bench.pool alter column image set storage main;
    analyze bench.pool;
end $$;

-- Frames FIRST to LAST of the screens, in the order of acquisition: two microscopes, a plate each at a time, of 384
-- wells x 4 sites x 4 channels. slot: which well of the pool it shows, another on each plate. k: its own brightness.
create function bench.frames(first bigint, last bigint)
    returns table (name text, n bigint, at timestamptz, source text, experiment text, plate text, well text, site integer,
                   channel text, z integer, t integer, slot integer, k float8)
    language sql stable as $$
    select n::text, n, s.since + n * s.step, case when n % 2 = 0 then 'confocal' else 'widefield' end,
           'screen ' || chr(65 + (number / 200)::integer), to_char(number, 'FM"S"0000'),
           chr(65 + place / 24) || to_char(1 + place % 24, 'FM00'), (j / 4 % 4 + 1)::integer,
           (array['DAPI', 'GFP', 'Cy3', 'Cy5'])[j % 4 + 1], null::integer, null::integer,
           ((place + 37 * number) % 384)::integer, (1 + 0.05 * sin(number / 40.0)) * (0.98 + 0.04 * random())
    from generate_series(first, last - 1) n, bench.size s,
         lateral (select 2 * (n / 12288) + n % 2 as number, n % 12288 / 2 as j) p,
         lateral (select (j / 16)::integer as place) w
$$;

-- A time-lapse of two days, which fades, and a z-stack, both of last week: 24 wells, two sites and channels.
create view bench.others as
    select format('%s %s %s %s %s', kind, well, site, channel, i) as name, -i::bigint as n,
           s.until - interval '4 days' + case kind when 'lapse' then i * interval '30 minutes' + place * interval '1 s'
                                                   else place * interval '20 s' + i * interval '0.2 s' end as at,
           case kind when 'lapse' then 'incubator' else 'confocal' end as source, 'live' as experiment,
           case kind when 'lapse' then 'lapse' else 'stack' end as plate,
           well, site, channel,
           case kind when 'stack' then i end as z, case kind when 'lapse' then i end as t,
           (place + case kind when 'lapse' then i / 12 else 0 end) % 384 as slot,
           case kind when 'lapse' then exp(-0.012 * i) else exp(-((i - 11 - place % 5) / 4.0) ^ 2) end
               * (0.99 + 0.02 * random()) as k
    from (values ('lapse', 96), ('stack', 21)) kinds(kind, most), generate_series(1, most) i, generate_series(0, 23) place,
         generate_series(1, 2) site, (values ('DAPI'), ('GFP')) channels(channel), bench.size s,
         lateral (select chr(65 + place / 6) || to_char(1 + place % 6, 'FM00') as well) w;

-- The statement that fills a table like PARENT with the frames of a source.
create function bench.insert_sql(parent text, target text, source text) returns text language plpgsql as $$
declare
    numbers text := (select string_agg(format(', %I', name), '') from unnest(bench.numbers()) name);
    values_told text := (select string_agg(format(', p.%I * k', name), '') from unnest(bench.numbers()) name);
begin
    return case parent
    when 'frame' then format($sql$
        insert into %s (frame_id, acquired_at, source, experiment, plate, well, site, channel, z, t, path, size_bytes,
                        mtime_ns, closed_at, naming, format, width, height, bits, samples, pixel_size_um)
        select md5(name)::uuid, at, source, experiment, plate, well, site, channel, z, t,
               plate || '/TimePoint_1/' || plate || '_' || well || '_s' || site || '_' || channel
               || coalesce('_z' || z, '') || coalesce('_t' || t, '') || '_' || left(md5(name), 8) || '.tif',
               9331648, extract(epoch from at)::bigint * 1000000000, at + interval '20 ms', 'imagexpress', 'tiff', 2160, 2160,
               16, 1, 0.65
        from %s f $sql$, target, source)
    when 'result' then format($sql$
        insert into %s (frame_id, acquired_at, pipeline_id, status, reason, delivery, attempt, worker, offered_at,
                        taken_at, received_at, decoded_at, measured_at, stored_at%s, pixel_hash, dhash, tile_mean, tile_lap)
        select md5(f.name)::uuid, at, 1, f.status,
               case f.status when 'broken' then 'tiff: strip 3 of 12: unexpected end of file'
                           when 'vanished' then 'the file is gone' when 'poison' then 'it ended 3 workers' end,
               'path', 1, 'server/' || n %% 2, at + interval '75 ms', at + interval '77 ms', at + interval '78 ms',
               at + interval '83 ms', at + interval '110 ms', at + k * interval '140 ms'%s,
               case when f.status = 'ok' then hashtextextended(case n %% 50021 when 0 then (n - 8)::text else f.name end, 0) end,
               case when f.status = 'ok' then hashtextextended(f.name, 1) end,
               case when tiles then p.tile_mean end, case when tiles then p.tile_lap end
        from (select g.*, case when bad then (array['broken', 'vanished', 'poison'])[1 + n / 4001 %% 3] else 'ok' end as status,
                     not bad and (n < 0 or n >= s.tiles_from) as tiles,
                     case when not bad then g.k end as factor
              from %s g, bench.size s, lateral (select n > 0 and n %% 4001 = 7 as bad) b) f
        join bench.pool p using (slot, channel) $sql$, target, numbers, replace(values_told, '* k', '* factor'), source)
    when 'priority' then format($sql$
        insert into %s (frame_id, acquired_at, pipeline_id, model_id, score, tier, known, parts, compared_with, scored_at)
        select md5(name)::uuid, at, 1, m.model_id, score, m.tiers[width_bucket(score, m.bounds) + 1], true, p.parts,
               p.compared_with, at + interval '150 ms'
        from %s f join (select slot, channel, score as usual, parts, compared_with from bench.pool) p using (slot, channel),
             lateral (select least(1, greatest(0, usual * k)) as score) s,
             (select model_id, tiers, bounds from scopestream_data.model join scopestream_data.policy y on y.name = policy
              where is_default) m
        where n < 0 or n %% 4001 <> 7 $sql$, target, source)
    when 'thumbnail' then format($sql$
        insert into %s (frame_id, acquired_at, mime, width, height, low, high, image)
        select md5(name)::uuid, at, picture ->> 'mime', (picture ->> 'width')::integer, (picture ->> 'height')::integer,
               (picture ->> 'low')::float8, (picture ->> 'high')::float8, p.image
        from %s f join (select slot, channel, picture, image from bench.pool where image is not null) p using (slot, channel)
        where n < 0 or n %% 4001 <> 7 $sql$, target, source)
    end;
end $$;

-- --- months ---

create view bench.month as
    select to_char(month at time zone 'UTC', 'YYYY_MM') as suffix, month,
           least(s.frames, greatest(0, ceil(extract(epoch from month - s.since) / extract(epoch from s.step)))::bigint) as first,
           least(s.frames, ceil(extract(epoch from next_month - s.since) / extract(epoch from s.step))::bigint) as last
    from bench.size s,
         lateral (select month at time zone 'UTC' as month, (month + interval '1 month') at time zone 'UTC' as next_month
                  from generate_series(date_trunc('month', s.since at time zone 'UTC'), s.until at time zone 'UTC',
                                       interval '1 month') month) months;

-- A month of one table: filled first, then indexed, then attached. In the transaction that makes it nothing is logged.
create function bench.make_month(parent text, suffix text) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp set work_mem = '256MB' set maintenance_work_mem = '1GB' as $$
declare
    part text := format('scopestream_data.%I', parent || '_' || suffix);
    m bench.month;
    told text;
    made bigint;
begin
    select * into m from bench.month b where b.suffix = make_month.suffix;
    execute format('create table %s (like scopestream_data.%I including all excluding indexes)', part, parent);
    execute bench.insert_sql(parent, part, format('bench.frames(%s, %s)', m.first, m.last));
    get diagnostics made = row_count;
    for told in
        select coalesce('alter table ' || part || ' add ' || pg_get_constraintdef(c.oid),
                        regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE INDEX \S+ ON ONLY \S+', 'create index on ' || part))
        from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'p'
        where i.indrelid = format('scopestream_data.%I', parent)::regclass
    loop
        execute told;
    end loop;
    execute format('alter table scopestream_data.%I owner to scopestream_owner', parent || '_' || suffix);
    execute format('alter table scopestream_data.%I attach partition %s for values from (%L) to (%L)',
                   parent, part, m.month, (m.month at time zone 'UTC' + interval '1 month') at time zone 'UTC');
    return made;
end $$;

-- --- all that is not a frame ---

create function bench.make_layout() returns void language sql as $$
    select scopestream.load_layout('*', 384, (
        select jsonb_agg(jsonb_build_object('well', chr(65 + y) || to_char(x + 1, 'FM00'),
            'role', case when x in (1, 22) then 'negative' when x in (0, 23) then 'positive' else 'sample' end,
            'treatment', case when x in (1, 22) then 'DMSO' when x in (0, 23) then 'staurosporine'
                              else 'compound ' || (y / 2 * 5 + x / 4) end,
            'concentration', case when x in (1, 22) then 0 else round((10 / 3.0 ^ (x % 4))::numeric, 3) end, 'unit', 'uM'))
        from generate_series(0, 15) y, generate_series(0, 23) x))
$$;

-- What rules found on every plate, in the wells that show what they found in the pool; the newest plates' alerts are open.
create function bench.make_findings() returns void language plpgsql as $$
begin
    create temp table found as
    select r.rule_id, r.name as rule, r.severity, r.action, f.*, (g ->> 'value')::float8 as value, (g ->> 'bound')::float8 as bound
    from (select number, slot, channel, findings, n, site,
                 s.since + n * s.step as at, case when n % 2 = 0 then 'confocal' else 'widefield' end as source,
                 'screen ' || chr(65 + (number / 200)::integer) as experiment, to_char(number, 'FM"S"0000') as plate,
                 chr(65 + place / 24) || to_char(1 + place % 24, 'FM00') as well
          from bench.size s, generate_series(0, (s.frames - 1) / 6144) number, bench.pool p, generate_series(0, 3) site,
               lateral (select (((slot - 37 * number) % 384 + 384) % 384)::integer as place) w,
               lateral (select number / 2 * 12288 + number % 2
                               + 2 * (16 * place + 4 * site + array_position('{DAPI,GFP,Cy3,Cy5}', channel) - 1) as n) o
          where findings <> '[]' and n < s.frames) f,
         jsonb_array_elements(f.findings) g
    join scopestream_data.rule r on r.name = g ->> 'rule';
    insert into scopestream_data.alert (rule_id, rule, severity, state, source, experiment, plate, wells, channels, findings,
        frame_id, acquired_at, worst_frame_id, value, bound, title, opened_at, last_at, closed_at, closed_by, told_at)
    select f.rule_id, rule, severity, case when max(number) over () - number < 6 then 'open' else 'closed' end, source,
           experiment, plate, wells, channels, findings, md5(n::text)::uuid, at, md5(n::text)::uuid, value, bound,
           format('%s: %s frames of plate %s (%s), worst %s', rule, findings, plate, array_to_string(wells[1:6], ' '), value),
           at, last_at, case when max(number) over () - number >= 6 then last_at + interval '1 hour' end,
           case when max(number) over () - number >= 6 then 'alice' end, last_at
    from (select rule_id, rule, severity, source, experiment, plate, number, array_agg(distinct well order by well) as wells,
                 array_agg(distinct channel order by channel) as channels, count(*) as findings, min(n) as n, min(at) as at,
                 max(at) as last_at, min(value) as value, min(bound) as bound
          from found group by rule_id, rule, severity, source, experiment, plate, number) f
    order by at;
    insert into scopestream_data.finding (acquired_at, rule_id, alert_id, frame_id, pipeline_id, source, experiment, plate,
                                          well, site, channel, value, bound, found_at)
    select at, f.rule_id, a.alert_id, md5(n::text)::uuid, 1, f.source, f.experiment, f.plate, f.well, f.site + 1, f.channel,
           f.value, f.bound, at + interval '160 ms'
    from found f join scopestream_data.alert a on a.plate = f.plate and a.rule_id = f.rule_id
    order by at;
    insert into scopestream_data.decision (source, experiment, plate, well, site, action, reason, rule_id, alert_id, frame_id,
                                           decided_at, decided_by, expires_at, state, ended_at, ended_because)
    select f.source, f.experiment, f.plate, f.well, f.site + 1, f.action, f.rule || ' found', f.rule_id, a.alert_id,
           md5(min(n)::text)::uuid, min(at), 'rule', min(at) + interval '1 hour',
           case when min(at) < s.until - interval '1 hour' then 'expired' else 'open' end,
           case when min(at) < s.until - interval '1 hour' then min(at) + interval '1 hour' end, null
    from found f join scopestream_data.alert a on a.plate = f.plate and a.rule_id = f.rule_id, bench.size s
    where f.action is not null and f.at > s.until - interval '7 days'
    group by f.source, f.experiment, f.plate, f.well, f.site, f.action, f.rule, f.rule_id, a.alert_id, s.until;
end $$;

create function bench.make_events() returns void language sql as $$
    insert into scopestream_data.event (at, source, path, level, event, detail, document_md5)
    select s.since + i * (s.until - s.since) / 2000, case when i % 2 = 0 then 'confocal' else 'widefield' end,
           case when i % 5 > 0 then format('S%s/file %s.tif', i, i) end,
           case when i % 5 = 4 then 'error' when i % 5 > 0 then 'warning' else 'info' end,
           case when i % 5 > 0 then 'unfinished' else 'source-back' end, 'quiet for 60 s', md5(i::text)::uuid
    from generate_series(1, 2000) i, bench.size s;
    insert into scopestream_data.rejected (rejected_at, subject, sqlstate, error, document, document_md5)
    select s.until - i * interval '5 days', 'scopestream.result.quality.confocal', '22P02', 'invalid input syntax', '{}',
           md5(i::text)::uuid from generate_series(1, 5) i, bench.size s
$$;

-- After the months: what stands beside them. Triggers are off, and what they would have counted is counted here.
create function bench.make_rest() returns void language plpgsql set session_replication_role = replica as $$
declare
    parent text;
begin
    perform scopestream_data.ensure_partitions(since, until + interval '2 months') from bench.size;
    foreach parent in array array['frame', 'result', 'priority', 'thumbnail'] loop
        execute bench.insert_sql(parent, 'scopestream_data.' || parent, 'bench.others');
    end loop;
    execute bench.insert_sql('thumbnail', 'scopestream_data.thumbnail', '(select g.* from bench.size s, '
        'bench.frames(s.thumbnails_from, s.frames) g)');
    insert into scopestream_data.tally (pipeline_id, status, frames)
    select pipeline_id, status, count(*) from scopestream_data.result group by pipeline_id, status;
    perform scopestream_data.store_channels(
        '[{"frame": {"channel": "DAPI"}}, {"frame": {"channel": "GFP"}}, {"frame": {"channel": "Cy3"}}, {"frame": {"channel": "Cy5"}}]');
    perform bench.make_layout();
    perform bench.make_findings();
    perform bench.make_events();
end $$;

-- --- baselines ---

-- Figures of every plate and channel, as of the first plate and a little off: from the features there are now.
create function bench.make_baselines() returns void language plpgsql as $$
begin
    create temp table usual as
    select channel, array_agg(counts order by i) as counts, array_agg(q[5] order by i) as medians,
           array_agg(mad order by i) as mads, array_agg(q order by i) as all_quantiles
    from (select channel, i, count(value)::integer as counts, percentile_cont(0.5) within group (order by value) * 0.1 as mad,
                 coalesce(percentile_cont(array[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])
                          within group (order by value), array_fill(null::float8, array[9])) as q
          from (select p.channel, f.i, f.value
                from bench.pool p, bench.size s,
                     lateral (select md5(n::text)::uuid as id, s.since + n * s.step as at
                              from (select (16 * slot + array_position('{DAPI,GFP,Cy3,Cy5}', p.channel) - 1) * 2::bigint as n) one) key,
                     scopestream_data.feature_values(array[row(key.id, key.at, 1)::scopestream_data.row_key]) v,
                     unnest(v."values") with ordinality f(value, i)
                where slot % 4 = 0) numbers
          group by channel, i) figures
    group by channel;
    insert into scopestream_data.baseline (pipeline_id, source, experiment, plate, channel, frames, refreshed_frames,
        first_acquired_at, last_acquired_at, counts, medians, mads, quantiles)
    select 1, case when number % 2 = 0 then 'confocal' else 'widefield' end, 'screen ' || chr(65 + (number / 200)::integer),
           to_char(number, 'FM"S"0000'), u.channel, 1536, 1536, s.since + number / 2 * 12288 * s.step,
           least(s.until, s.since + (number / 2 + 1) * 12288 * s.step), u.counts,
           array(select m * (1 + 0.05 * sin(number / 40.0)) from unnest(u.medians) with ordinality a(m, i) order by i),
           u.mads, array(select q from unnest(u.all_quantiles) q)
    from usual u, bench.size s, generate_series(0, (s.frames - 1) / 6144) number
    on conflict (pipeline_id, source, experiment, plate, channel, z, role) do update
    set counts = excluded.counts, medians = excluded.medians, mads = excluded.mads, quantiles = excluded.quantiles;
    drop table usual;
end $$;
