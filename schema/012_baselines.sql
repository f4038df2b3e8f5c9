-- What is usual: medians and MADs of the features of each plate and channel, kept as rows arrive, and what a
-- site showed before. A row costs the same however many there are: a baseline is computed from at most 1024
-- frames, which depend on nothing but the frames' ids, and is found by one look into an index.

set client_min_messages = warning;
set role scopestream_owner;

do $$
begin
    if to_regtype('scopestream_data.usual') is null then
        -- What a frame is compared with; arrays as in table baseline.
        create type scopestream_data.usual as (
            counts integer[],
            medians double precision[],
            mads double precision[],
            quantiles double precision[],
            frames bigint,
            compared_with text); -- 'plate', 'plate P07', 'controls', ...; NULL: with nothing
    end if;
    if to_regtype('scopestream_data.history') is null then
        -- What the site of a frame showed before, the newest first.
        create type scopestream_data.history as (
            frame_id uuid,
            acquired_at timestamptz,
            pipeline_id integer,
            earlier scopestream_data.row_key[],
            "values" double precision[], -- [i][feature_id] of earlier[i]
            change double precision,     -- 1 - Pearson's r of tile_mean with earlier[1]
            change_z double precision);  -- robust z of that among the changes before
    end if;
    if to_regtype('scopestream_data.featured') is null then
        create type scopestream_data.featured as (
            frame_id uuid,
            acquired_at timestamptz,
            pipeline_id integer,
            "values" double precision[]); -- by feature_id
    end if;
    if to_regtype('scopestream_data.tracked') is null then
        -- A new frame on its way into one of its baselines.
        create type scopestream_data.tracked as (
            frame_id uuid,
            acquired_at timestamptz,
            pipeline_id integer,
            source text,
            experiment text,
            plate text,
            channel text,
            z integer,
            role text,
            sample_key bigint,
            pixel_hash bigint, -- NULL: not measured
            file bigint,       -- path and page
            baseline_id bigint);
    end if;
    if to_regtype('scopestream_data.earlier_frame') is null then
        -- The n-th frame at the place of another, backwards; the other itself is number 0.
        create type scopestream_data.earlier_frame as (
            of_id uuid,
            of_at timestamptz,
            pipeline_id integer,
            n integer,
            frame_id uuid,
            acquired_at timestamptz);
    end if;
end
$$;

-- --- keys ---

-- Places have parts that may be NULL, and no index finds `is not distinct from`: so their hashes are indexed,
-- and who looks compares the parts as well.
create or replace function scopestream_data.place_key(source text, experiment text, plate text, channel text, z integer)
    returns bigint
    language sql immutable parallel safe
    return hash_array_extended(array[source, experiment, plate, channel, z::text], 0);

-- Where the sites of a plate lie next to each other, so that a growing table is written in few places.
create or replace function scopestream_data.site_key(source text, experiment text, plate text, well text, site integer,
    channel text, z integer, page integer, file text) returns bigint
    language sql immutable parallel safe
    return (hash_array_extended(array[source, experiment, plate], 0) & -4294967296)
         | (hash_array_extended(array[well, site::text, channel, z::text, page::text, file], 0) & 4294967295);

create or replace function scopestream_data.sample_key(frame_id uuid) returns bigint
    language sql immutable parallel safe
    return ('x' || left(replace(frame_id::text, '-', ''), 16))::bit(64)::bigint;

create index if not exists baseline_place on scopestream_data.baseline
    (scopestream_data.place_key(source, experiment, plate, channel, z), pipeline_id, role);
-- The plate before: of the experiment, and of all.
create index if not exists baseline_before on scopestream_data.baseline
    (scopestream_data.place_key(source, experiment, null, channel, z), pipeline_id, role, first_acquired_at)
    where frames >= 24;
create index if not exists baseline_before_anywhere on scopestream_data.baseline
    (scopestream_data.place_key(source, null, null, channel, z), pipeline_id, role, first_acquired_at)
    where frames >= 24;
-- What refresh_baselines() looks for.
create index if not exists baseline_grown on scopestream_data.baseline (last_acquired_at desc)
    where refreshed_frames <> frames;
create index if not exists baseline_features on scopestream_data.baseline (cardinality(counts));

-- A file that no naming explains is a place of its own, as in the views between frames.
create index if not exists frame_site on scopestream_data.frame
    (scopestream_data.site_key(source, experiment, plate, well, site, channel, z, page,
                               case when naming is null then path end), acquired_at);

-- --- small statistics ---

create or replace function scopestream_data.robust_z(value double precision, median double precision,
    mad double precision, n bigint) returns double precision
    language sql immutable parallel safe
    return case when n >= 24 then (value - median) / nullif(1.4826::float8 * mad, 0::float8) end;

-- Which share lies below value; quantiles: nine a feature. Where several of the nine equal value, it stands in
-- the middle of them.
create or replace function scopestream_data.rank_in(value double precision, quantiles double precision[],
    feature integer) returns double precision
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when value is null or q[9] is null then null
                when upto = 0 then 0
                when below = 9 then 1
                when upto > below then (below + upto - 1) / 16::float8
                else (below - 1 + (value - q[below]) / (q[below + 1] - q[below])) / 8 end
    from (select nine as q, count(*) filter (where x < value)::integer as below,
                 count(*) filter (where x <= value)::integer as upto
          from (select quantiles[9 * feature - 8 : 9 * feature] as nine) of_feature, unnest(nine) x
          group by nine) place
$$;

-- Kendall's tau-b. Pairs with a NULL are left out; NULL where one of the two is constant.
create or replace function scopestream_data.kendall(x double precision[], y double precision[])
    returns double precision
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select sum(up_x * up_y) / nullif(sqrt(sum(abs(up_x))::float8 * sum(abs(up_y))::float8), 0)
    from (select (b.x > a.x)::integer - (b.x < a.x)::integer as up_x,
                 (b.y > a.y)::integer - (b.y < a.y)::integer as up_y
          from unnest(kendall.x, kendall.y) with ordinality a(x, y, i)
          join unnest(kendall.x, kendall.y) with ordinality b(x, y, i) on a.i < b.i
          where a.x + b.x + a.y + b.y is not null) pairs
$$;

-- --- features ---

-- plpgsql, as all that is called for each batch: it keeps its plans.
create or replace function scopestream_data.feature_count() returns integer
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select coalesce(max(feature_id), 0) from scopestream_data.feature);
end
$$;

-- A number a baseline can be made of, or NULL: not NaN, not infinite, and its differences can be computed.
create or replace function scopestream_data.bounded_sql(sql text) returns text
    language sql immutable parallel safe
    return format('nullif(nullif(float8larger(float8smaller((%s)::float8, ''1e150''), ''-1e150''), ''1e150''), '
                  '''-1e150'')', sql);

-- The statement that gives these rows' features, all at once: $1 their keys, $2 and $3 the first and the last
-- time of these, so that other months are not even planned.
create or replace function scopestream_data.feature_sql() returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select format('select v.frame_id, v.acquired_at, v.pipeline_id, array[%s]::float8[]
                       from unnest($1) k join scopestream_data.result v
                         on v.frame_id = k.frame_id and v.pipeline_id = k.pipeline_id and v.acquired_at = k.acquired_at
                       where v.acquired_at between $2 and $3',
            string_agg(coalesce(scopestream_data.bounded_sql(f.sql), 'null'), ', ' order by i))
        from generate_series(1, scopestream_data.feature_count()) i
        left join scopestream_data.feature f on f.feature_id = i);
end
$$;

-- The features of these rows. One that cannot be computed is NULL, and the others are what they are.
-- Whoever looks for rows by their keys says that keys are to be used: statistics of a table that grows are of
-- yesterday, and the coarse index on time leads to all rows that came since the table was last vacuumed.
create or replace function scopestream_data.feature_values(keys scopestream_data.row_key[])
    returns setof scopestream_data.featured
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_nestloop = on as $$
declare
    made scopestream_data.featured[];
    key scopestream_data.row_key;
begin
    if keys = '{}' then
        return;
    end if;
    begin
        execute format('select array_agg(row(m.*)::scopestream_data.featured) from (%s) m',
                       scopestream_data.feature_sql())
        into made
        using keys, (select min(k.acquired_at) from unnest(keys) k), (select max(k.acquired_at) from unnest(keys) k);
    exception when data_exception then
        made := '{}';
        foreach key in array keys loop
            made := made || scopestream_data.feature_values_one_by_one(key);
        end loop;
    end;
    return query select m.* from unnest(made) m;
end
$$;

create or replace function scopestream_data.feature_values_one_by_one(key scopestream_data.row_key)
    returns scopestream_data.featured
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    made scopestream_data.featured := row(key.frame_id, key.acquired_at, key.pipeline_id,
        array_fill(null::float8, array[scopestream_data.feature_count()]));
    feature scopestream_data.feature;
    value double precision;
begin
    for feature in select * from scopestream_data.feature loop
        begin
            execute format('select %s from scopestream_data.result v
                            where v.frame_id = $1 and v.acquired_at = $2 and v.pipeline_id = $3',
                           scopestream_data.bounded_sql(feature.sql))
            into value using key.frame_id, key.acquired_at, key.pipeline_id;
            made."values"[feature.feature_id] := value;
        exception when data_exception then
            null; -- it stays NULL
        end;
    end loop;
    return made;
end
$$;

-- The number of a feature, which it is given when it is new. sql: over the row v of result. Baselines get its
-- figures from the newest on: some now, the others as refresh_baselines() comes to them.
create or replace function scopestream_data.register_feature(expression text, sql text) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    known scopestream_data.feature;
    until timestamptz := clock_timestamp() + interval '100 ms';
begin
    perform pg_advisory_xact_lock(hashtext('scopestream features'));
    select * into known from scopestream_data.feature f where f.expression = register_feature.expression;
    if known.sql = register_feature.sql then
        return known.feature_id;
    elsif known.feature_id is not null then
        -- The same words mean another number now: everything computed is forgotten.
        update scopestream_data.feature f set sql = register_feature.sql where f.feature_id = known.feature_id;
        update scopestream_data.baseline_sample set "values" = '{}';
        update scopestream_data.baseline set counts = '{}';
    else
        known.feature_id := scopestream_data.feature_count() + 1;
        if known.feature_id > 500 then
            raise exception 'models and rules may ask for the medians of 500 expressions, and these are there already'
                using errcode = 'program_limit_exceeded';
        end if;
        insert into scopestream_data.feature (feature_id, expression, sql)
        values (known.feature_id, register_feature.expression, register_feature.sql);
    end if;
    while clock_timestamp() < until and scopestream_data.refresh_baselines(1) > 0 loop
        null;
    end loop;
    return known.feature_id;
end
$$;

-- --- new frames ---

-- Whether the well is a negative control, by the layout of the plate or the one of all plates without.
create or replace function scopestream_data.is_control(plate text, well text) returns boolean
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (
        select from scopestream_data.layout_well w
        where w.layout_id = coalesce(
                  (select l.layout_id from scopestream_data.layout l where l.plate = is_control.plate),
                  (select l.layout_id from scopestream_data.layout l
                   where l.plate = '*' and is_control.plate is not null))
          and w.well = is_control.well and w.role = 'negative');
end
$$;

create or replace function scopestream_data.file_key(path text, page integer) returns bigint
    language sql immutable parallel safe return hashtextextended(path, page);

-- The measured ones of these rows, once for each baseline they belong to.
create or replace function scopestream_data.tracked_frames(keys scopestream_data.row_key[])
    returns scopestream_data.tracked[]
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_nestloop = on as $$
declare
    found_ones scopestream_data.tracked[];
begin
    -- The times are known when this is planned, so that other months are not.
    execute format($tracked$
        select array_agg(row(f.frame_id, f.acquired_at, r.pipeline_id, f.source, f.experiment, f.plate, f.channel, f.z,
                             roles.role, scopestream_data.sample_key(f.frame_id), %s,
                             scopestream_data.file_key(f.path, f.page), null)::scopestream_data.tracked)
        from (select distinct k.* from unnest($1) k) k
        join scopestream_data.frame f on f.frame_id = k.frame_id and f.acquired_at = k.acquired_at
        join scopestream_data.result r
          on r.frame_id = k.frame_id and r.pipeline_id = k.pipeline_id and r.acquired_at = k.acquired_at
        cross join lateral (select 'all' union all
                            select 'controls' where scopestream_data.is_control(f.plate, f.well)) roles(role)
        where r.status = 'ok' and f.acquired_at between $2 and $3 and r.acquired_at between $2 and $3 $tracked$,
        case when scopestream_data.has_columns('pixel_hash') then 'r.pixel_hash' else 'null' end)
    into found_ones
    using keys, (select min(k.acquired_at) from unnest(keys) k), (select max(k.acquired_at) from unnest(keys) k);
    return coalesce(found_ones, '{}');
end
$$;

-- The same with the numbers of their baselines, which are made where they are missing.
create or replace function scopestream_data.with_baselines(came scopestream_data.tracked[])
    returns scopestream_data.tracked[]
    language plpgsql set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    placed scopestream_data.tracked[];
begin
    placed := array(
        select row(c.frame_id, c.acquired_at, c.pipeline_id, c.source, c.experiment, c.plate, c.channel, c.z, c.role,
                   c.sample_key, c.pixel_hash, c.file, b.baseline_id)::scopestream_data.tracked
        from unnest(came) c
        left join scopestream_data.baseline b
          on scopestream_data.place_key(b.source, b.experiment, b.plate, b.channel, b.z)
             = scopestream_data.place_key(c.source, c.experiment, c.plate, c.channel, c.z)
         and b.pipeline_id = c.pipeline_id and b.role = c.role and b.source = c.source
         and b.experiment is not distinct from c.experiment and b.plate is not distinct from c.plate
         and b.channel is not distinct from c.channel and b.z is not distinct from c.z);
    if not exists (select from unnest(placed) p where p.baseline_id is null) then
        return placed;
    end if;
    insert into scopestream_data.baseline (pipeline_id, source, experiment, plate, channel, z, role)
    select distinct p.pipeline_id, p.source, p.experiment, p.plate, p.channel, p.z, p.role
    from unnest(placed) p where p.baseline_id is null
    order by 1, 2, 3, 4, 5, 6, 7
    on conflict do nothing;
    return scopestream_data.with_baselines(came);
end
$$;

-- Those that may be among the 1024 of their baseline with the least key.
create or replace function scopestream_data.sample_candidates(came scopestream_data.tracked[])
    returns scopestream_data.tracked[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return array(
        select c from unnest(came) c
        join (select b.baseline_id,
                     case when b.frames >= 1024 then
                         (select max(s.sample_key) from scopestream_data.baseline_sample s
                          where s.baseline_id = b.baseline_id) end as last
              from scopestream_data.baseline b
              where b.baseline_id in (select p.baseline_id from unnest(came) p)) samples
          on samples.baseline_id = c.baseline_id
        where samples.last is null or c.sample_key <= samples.last);
end
$$;

-- Baselines that have just got their 24th frame: late_frames() takes them out again.
create table if not exists scopestream_data.baseline_begun (
    baseline_id bigint primary key references scopestream_data.baseline on delete cascade
);

-- Puts the frames into the samples of their baselines, and counts them there; those that a sample holds
-- already are not counted again. Computes those anew that have grown by 5 %.
create or replace function scopestream_data.count_frames(came scopestream_data.tracked[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    candidates scopestream_data.tracked[];
    changed record;
begin
    perform from scopestream_data.baseline b -- in one order, so that nobody waits in a circle
    where b.baseline_id in (select c.baseline_id from unnest(came) c) order by b.baseline_id for update;
    candidates := scopestream_data.sample_candidates(came);
    for changed in
        with entered as (
            insert into scopestream_data.baseline_sample (baseline_id, sample_key, frame_id, acquired_at, "values")
            select c.baseline_id, c.sample_key, c.frame_id, c.acquired_at, v."values"
            from scopestream_data.feature_values(array(
                     select distinct row(c.frame_id, c.acquired_at, c.pipeline_id)::scopestream_data.row_key
                     from unnest(candidates) c)) v
            join unnest(candidates) c
              on c.frame_id = v.frame_id and c.acquired_at = v.acquired_at and c.pipeline_id = v.pipeline_id
            order by 1, 2, 3
            on conflict do nothing
            returning baseline_id
        ), counted as (
            select c.baseline_id, min(c.acquired_at) as first, max(c.acquired_at) as last,
                   count(*) - (select count(*) from unnest(candidates) s where s.baseline_id = c.baseline_id) as beyond,
                   (select count(*) from entered e where e.baseline_id = c.baseline_id) as entered
            from unnest(came) c group by c.baseline_id
        )
        update scopestream_data.baseline b
        set frames = b.frames + c.beyond + c.entered,
            first_acquired_at = least(b.first_acquired_at, c.first),
            last_acquired_at = greatest(b.last_acquired_at, c.last)
        from counted c where c.baseline_id = b.baseline_id
        returning b.baseline_id, least(b.frames - c.beyond - c.entered, 1024) + c.entered - 1024 as surplus,
                  b.frames >= 24 and b.frames >= case when b.refreshed_frames < 24 then 24
                                                      else 1.05 * b.refreshed_frames end as is_due,
                  b.frames >= 24 and b.refreshed_frames < 24 and b.role = 'all' as begins
    loop
        if changed.begins then
            insert into scopestream_data.baseline_begun values (changed.baseline_id) on conflict do nothing;
        end if;
        if changed.surplus > 0 then
            perform scopestream_data.trim_sample(changed.baseline_id, changed.surplus);
        end if;
        if changed.is_due then
            perform scopestream_data.refresh_baseline(changed.baseline_id);
        end if;
    end loop;
end
$$;

-- Takes the frames with the greatest keys out of a sample.
create or replace function scopestream_data.trim_sample(baseline bigint, surplus bigint) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    delete from scopestream_data.baseline_sample s
    using (select o.sample_key, o.frame_id from scopestream_data.baseline_sample o
           where o.baseline_id = baseline order by o.sample_key desc, o.frame_id desc limit surplus) last
    where s.baseline_id = baseline and s.sample_key = last.sample_key and s.frame_id = last.frame_id;
end
$$;

-- Remembers which frame showed which pixels, however many pipelines measured it.
create or replace function scopestream_data.see_pixels(came scopestream_data.tracked[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.pixels_seen (source, pixel_hash, acquired_at, frame_id, file)
    select distinct c.source, c.pixel_hash, c.acquired_at, c.frame_id, c.file
    from unnest(came) c where c.pixel_hash is not null
    order by 1, 2, 3, 4
    on conflict do nothing;
end
$$;

-- How many earlier frames of the source showed these pixels within a week, up to 100. The same file written
-- again is none, nor is the frame itself, however often it comes. NULL: the pixels are not known.
create or replace function scopestream_data.same_pixels(f scopestream_data.frame, pixel_hash bigint) returns bigint
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
begin
    if pixel_hash is null then
        return null;
    end if;
    return (select count(*) from (
        select from scopestream_data.pixels_seen p
        where p.source = f.source and p.pixel_hash = same_pixels.pixel_hash
          and p.acquired_at >= f.acquired_at - interval '7 days'
          and (p.acquired_at, p.frame_id) < (f.acquired_at, f.frame_id)
          and p.file <> scopestream_data.file_key(f.path, f.page)
        limit 100) seen);
end
$$;

-- Takes new measured rows into account: of these, none has been told before.
create or replace function scopestream_data.track_frames(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    came scopestream_data.tracked[];
begin
    if keys = '{}' then
        return;
    end if;
    came := scopestream_data.with_baselines(scopestream_data.tracked_frames(keys));
    perform scopestream_data.count_frames(came);
    perform scopestream_data.see_pixels(came);
end
$$;

-- --- figures ---

-- The statements that give a baseline its figures, in one pass over its sample ($1) each: counts and the nine
-- quantiles, and then, with the medians ($2), the MADs.
create or replace function scopestream_data.quantile_sql(features integer) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('select array[%s]::integer[], %s from scopestream_data.baseline_sample where baseline_id = $1',
        string_agg(format('count("values"[%s])', i), ', ' order by i),
        string_agg(format('coalesce(percentile_cont(array[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]) '
                          'within group (order by "values"[%s]), array_fill(null::float8, array[9]))', i),
                   ' || ' order by i))
    from generate_series(1, features) i
$$;

create or replace function scopestream_data.mad_sql(features integer) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('select array[%s] from scopestream_data.baseline_sample where baseline_id = $1',
        string_agg(format('percentile_cont(0.5) within group (order by abs("values"[%1$s] - $2[%1$s]))', i),
                   ', ' order by i))
    from generate_series(1, features) i
$$;

-- Gives the frames of a sample the features that were asked for since they came. Those whose rows are gone
-- have none.
create or replace function scopestream_data.fill_sample(baseline scopestream_data.baseline) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
declare
    features integer := scopestream_data.feature_count();
    keys scopestream_data.row_key[] := array(
        select row(s.frame_id, s.acquired_at, baseline.pipeline_id)::scopestream_data.row_key
        from scopestream_data.baseline_sample s
        where s.baseline_id = baseline.baseline_id and cardinality(s."values") < features);
begin
    if keys = '{}' then
        return;
    end if;
    update scopestream_data.baseline_sample s
    set "values" = s."values" || coalesce(v."values"[cardinality(s."values") + 1 : features],
                                          array_fill(null::float8, array[features - cardinality(s."values")]))
    from unnest(keys) k
    left join scopestream_data.feature_values(keys) v on v.frame_id = k.frame_id and v.acquired_at = k.acquired_at
    where s.baseline_id = baseline.baseline_id and s.sample_key = scopestream_data.sample_key(k.frame_id)
      and s.frame_id = k.frame_id;
end
$$;

-- The controls of a plate from the rows, for when the layout came after them.
create or replace function scopestream_data.reread_controls(baseline scopestream_data.baseline) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
    set enable_seqscan = off set jit = off as $$
declare
    everything scopestream_data.baseline;
    keys scopestream_data.row_key[];
begin
    select b.* into everything from scopestream_data.baseline b
    where b.pipeline_id = baseline.pipeline_id and b.role = 'all' and b.source = baseline.source
      and b.plate = baseline.plate and b.experiment is not distinct from baseline.experiment
      and b.channel is not distinct from baseline.channel and b.z is not distinct from baseline.z;
    keys := array(
        select row(f.frame_id, f.acquired_at, r.pipeline_id)::scopestream_data.row_key
        from scopestream_data.frame f
        join scopestream_data.result r on r.frame_id = f.frame_id and r.acquired_at = f.acquired_at
         and r.pipeline_id = baseline.pipeline_id and r.status = 'ok'
        where f.plate = baseline.plate and f.source = baseline.source
          and f.experiment is not distinct from baseline.experiment
          and f.channel is not distinct from baseline.channel and f.z is not distinct from baseline.z
          and f.acquired_at between everything.first_acquired_at and everything.last_acquired_at
          and r.acquired_at between everything.first_acquired_at and everything.last_acquired_at
          and scopestream_data.is_control(f.plate, f.well)
        order by scopestream_data.sample_key(f.frame_id), f.frame_id);
    delete from scopestream_data.baseline_sample s where s.baseline_id = baseline.baseline_id;
    insert into scopestream_data.baseline_sample (baseline_id, sample_key, frame_id, acquired_at, "values")
    select baseline.baseline_id, scopestream_data.sample_key(v.frame_id), v.frame_id, v.acquired_at, v."values"
    from scopestream_data.feature_values(keys[1:1024]) v;
    update scopestream_data.baseline b
    set frames = cardinality(keys), (first_acquired_at, last_acquired_at) =
        (select min(k.acquired_at), max(k.acquired_at) from unnest(keys) k)
    where b.baseline_id = baseline.baseline_id;
end
$$;

-- Computes a baseline's figures from its sample. Below 24 values there are no quantiles.
create or replace function scopestream_data.refresh_baseline(baseline bigint) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
    features integer := scopestream_data.feature_count();
    known scopestream_data.baseline;
    n integer[] := '{}';
    spread double precision[] := '{}';
    middle double precision[] := '{}';
    deviation double precision[] := '{}';
begin
    select b.* into known from scopestream_data.baseline b where b.baseline_id = baseline for update;
    if known.refreshed_frames < 0 then
        perform scopestream_data.reread_controls(known);
    end if;
    if features > 0 then
        perform scopestream_data.fill_sample(known);
        execute scopestream_data.quantile_sql(features) into n, spread using baseline;
        middle := array(select spread[9 * i - 4] from generate_series(1, features) i);
        execute scopestream_data.mad_sql(features) into deviation using baseline, middle;
        spread := array(select case when n[(i + 8) / 9] >= 24 then spread[i] end
                        from generate_series(1, 9 * features) i);
    end if;
    update scopestream_data.baseline b
    set counts = n, medians = middle, mads = deviation, quantiles = spread, refreshed_frames = b.frames
    where b.baseline_id = baseline;
end
$$;

-- Brings up to so many baselines up to date, the newest first; returns how many there were to bring.
create or replace function scopestream_data.refresh_baselines(most integer) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
declare
    stale bigint;
    done integer := 0;
begin
    for stale in
        select s.baseline_id from (
            (select b.baseline_id, b.last_acquired_at from scopestream_data.baseline b
             where b.refreshed_frames <> b.frames order by b.last_acquired_at desc limit most)
            union
            (select b.baseline_id, b.last_acquired_at from scopestream_data.baseline b
             where cardinality(b.counts) < scopestream_data.feature_count()
             order by b.last_acquired_at desc limit most)) s
        order by s.last_acquired_at desc limit most
    loop
        perform from scopestream_data.baseline b where b.baseline_id = stale for update skip locked;
        if found then -- otherwise somebody is at it
            perform scopestream_data.refresh_baseline(stale);
            done := done + 1;
        end if;
    end loop;
    delete from scopestream_data.week_usual;
    return done;
end
$$;

-- Another layout, other controls: those of these plates are read anew, by refresh_baselines().
create or replace function scopestream_data.change_controls(plates text[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from scopestream_data.baseline b
    where b.role = 'controls' and b.plate is not null
      and (b.plate = any (plates)
           or '*' = any (plates) and not exists (select from scopestream_data.layout l where l.plate = b.plate));
    insert into scopestream_data.baseline (pipeline_id, source, experiment, plate, channel, z, role, refreshed_frames,
                                           last_acquired_at)
    select b.pipeline_id, b.source, b.experiment, b.plate, b.channel, b.z, 'controls', -1, b.last_acquired_at
    from scopestream_data.baseline b
    where b.role = 'all' and b.plate is not null
      and (b.plate = any (plates)
           or '*' = any (plates) and not exists (select from scopestream_data.layout l where l.plate = b.plate))
      and exists (select from scopestream_data.layout_well w
                  where w.role = 'negative' and w.layout_id = coalesce(
                      (select l.layout_id from scopestream_data.layout l where l.plate = b.plate),
                      (select l.layout_id from scopestream_data.layout l where l.plate = '*')))
    order by b.pipeline_id, b.source, b.experiment, b.plate, b.channel, b.z
    on conflict do nothing;
end
$$;

create or replace function scopestream_data.layout_changed() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    plates text[];
begin
    if tg_table_name = 'layout' then
        plates := array(select c.plate from changed c);
    else
        plates := array(select distinct l.plate from changed c join scopestream_data.layout l using (layout_id));
    end if;
    if plates <> '{}' then
        perform scopestream_data.change_controls(plates);
    end if;
    return null;
end
$$;
create or replace trigger layout_gone after delete on scopestream_data.layout
    referencing old table as changed for each statement execute function scopestream_data.layout_changed();
create or replace trigger layout_well_added after insert on scopestream_data.layout_well
    referencing new table as changed for each statement execute function scopestream_data.layout_changed();
create or replace trigger layout_well_altered after update on scopestream_data.layout_well
    referencing new table as changed for each statement execute function scopestream_data.layout_changed();
create or replace trigger layout_well_gone after delete on scopestream_data.layout_well
    referencing old table as changed for each statement execute function scopestream_data.layout_changed();

-- --- what a frame is compared with ---

-- The plate's own figures, once 24 frames have come; NULL before.
create or replace function scopestream_data.usual_of_plate(role text, pipeline_id integer, source text,
    experiment text, plate text, channel text, z integer) returns scopestream_data.usual
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
declare
    usual scopestream_data.usual;
begin
    select b.counts, b.medians, b.mads, b.quantiles, b.frames, case role when 'all' then 'plate' else role end
    into usual
    from scopestream_data.baseline b
    where scopestream_data.place_key(b.source, b.experiment, b.plate, b.channel, b.z)
          = scopestream_data.place_key($3, $4, $5, $6, $7)
      and b.pipeline_id = $2 and b.role = $1 and b.frames >= 24
      and b.source = $3 and b.experiment is not distinct from $4 and b.plate is not distinct from $5
      and b.channel is not distinct from $6 and b.z is not distinct from $7;
    return usual;
end
$$;

-- Those of the newest other plate with 24 frames that was begun before: of the same source, channel, plane and
-- pipeline name, and of the same experiment if it has one.
create or replace function scopestream_data.usual_before(role text, pipeline_id integer, source text,
    experiment text, plate text, channel text, z integer, at timestamptz) returns scopestream_data.usual
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
#variable_conflict use_column
declare
    usual scopestream_data.usual;
begin
    select b.counts, b.medians, b.mads, b.quantiles, b.frames,
           concat(case $1 when 'controls' then 'controls of ' end, 'plate ', b.plate)
    into usual
    from scopestream_data.pipeline asked
    join scopestream_data.pipeline p on p.name = asked.name,
    lateral (select b.* from scopestream_data.baseline b
             where scopestream_data.place_key(b.source, b.experiment, null, b.channel, b.z)
                   = scopestream_data.place_key($3, $4, null, $6, $7)
               and b.pipeline_id = p.pipeline_id and b.role = $1 and b.frames >= 24 and b.first_acquired_at < $8
               and b.source = $3 and b.experiment is not distinct from $4 and b.plate is distinct from $5
               and b.channel is not distinct from $6 and b.z is not distinct from $7
             order by b.first_acquired_at desc limit 1) b
    where asked.pipeline_id = $2
    order by b.first_acquired_at desc limit 1;
    if found then
        return usual;
    end if;
    select b.counts, b.medians, b.mads, b.quantiles, b.frames,
           concat(case $1 when 'controls' then 'controls of ' end, 'plate ', b.plate)
    into usual
    from scopestream_data.pipeline asked
    join scopestream_data.pipeline p on p.name = asked.name,
    lateral (select b.* from scopestream_data.baseline b
             where scopestream_data.place_key(b.source, null, null, b.channel, b.z)
                   = scopestream_data.place_key($3, null, null, $6, $7)
               and b.pipeline_id = p.pipeline_id and b.role = $1 and b.frames >= 24 and b.first_acquired_at < $8
               and b.source = $3 and (b.experiment is distinct from $4 or b.plate is distinct from $5)
               and b.channel is not distinct from $6 and b.z is not distinct from $7
             order by b.first_acquired_at desc limit 1) b
    where asked.pipeline_id = $2
    order by b.first_acquired_at desc limit 1;
    return usual;
end
$$;

-- The frames that came before their plate had 24, and with nothing before it to be compared with: now there is
-- something. Each is returned once; those of keys are not, for they are looked at anyway.
create or replace function scopestream_data.late_frames(keys scopestream_data.row_key[])
    returns scopestream_data.row_key[]
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
declare
    begun bigint[];
begin
    with taken as (delete from scopestream_data.baseline_begun returning baseline_id)
    select array_agg(baseline_id) into begun from taken;
    if begun is null then
        return '{}';
    end if;
    return array(
        select row(s.frame_id, s.acquired_at, b.pipeline_id)::scopestream_data.row_key
        from scopestream_data.baseline b join scopestream_data.baseline_sample s using (baseline_id)
        where b.baseline_id = any (begun)
          and scopestream_data.usual_before('all', b.pipeline_id, b.source, b.experiment, b.plate, b.channel, b.z,
                                            b.first_acquired_at) is null
          and not exists (select from unnest(keys) k
                          where k.frame_id = s.frame_id and k.pipeline_id = b.pipeline_id)
        order by s.acquired_at, s.frame_id);
end
$$;

-- What plates of the week before have in common is asked for row by row, and changes slowly: it is kept until
-- refresh_baselines() is called.
create table if not exists scopestream_data.week_usual (
    pipeline_id integer not null,
    place bigint not null, -- place_key() of the plate that is left out
    hour timestamptz not null, -- the week ends with it
    usual scopestream_data.usual,
    made_at timestamptz not null default clock_timestamp(),
    primary key (pipeline_id, place, hour)
);

-- The medians, over the other plates last imaged in the 7 days before this hour, of their figures.
create or replace function scopestream_data.combine_week(pipeline_id integer, source text, experiment text,
    plate text, channel text, z integer, hour timestamptz) returns scopestream_data.usual
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with plates as (
        select b.* from scopestream_data.baseline b
        join scopestream_data.pipeline p on p.pipeline_id = b.pipeline_id
        join scopestream_data.pipeline asked on asked.name = p.name and asked.pipeline_id = $1
        where b.source = $2 and b.role = 'all' and b.frames >= 24
          and b.channel is not distinct from $5 and b.z is not distinct from $6
          and b.last_acquired_at >= $7 - interval '7 days' and b.last_acquired_at < $7
          and (b.experiment is distinct from $3 or b.plate is distinct from $4)
        order by b.last_acquired_at desc limit 100
    ), middle as (
        select i, m.* from generate_series(1, scopestream_data.feature_count()) i,
        lateral (select sum(p.counts[i]) as n,
                        percentile_cont(0.5) within group (order by p.medians[i]) as median,
                        percentile_cont(0.5) within group (order by p.mads[i]) as mad
                 from plates p where p.counts[i] >= 24) m
    ), spread as (
        select i, m.quantile from generate_series(1, 9 * scopestream_data.feature_count()) i,
        lateral (select percentile_cont(0.5) within group (order by p.quantiles[i]) as quantile from plates p) m
    )
    select row(array(select coalesce(n, 0)::integer from middle order by i),
               array(select median from middle order by i), array(select mad from middle order by i),
               array(select quantile from spread order by i), sum(p.frames), 'last week')::scopestream_data.usual
    from plates p having count(*) > 0
$$;

create or replace function scopestream_data.usual_of_week(pipeline_id integer, source text, experiment text,
    plate text, channel text, z integer, at timestamptz) returns scopestream_data.usual
    language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    this_hour constant timestamptz := date_trunc('hour', at, 'UTC');
    this_place constant bigint := scopestream_data.place_key(source, experiment, plate, channel, z);
    made scopestream_data.usual;
begin
    select (w.usual).* into made from scopestream_data.week_usual w
    where w.pipeline_id = $1 and w.place = this_place and w.hour = this_hour
      and w.made_at > clock_timestamp() - interval '10 minutes';
    if found then
        return made;
    end if;
    made := scopestream_data.combine_week($1, $2, $3, $4, $5, $6, this_hour);
    if current_setting('transaction_read_only') = 'off' then
        delete from scopestream_data.week_usual w where w.made_at < clock_timestamp() - interval '10 minutes';
        insert into scopestream_data.week_usual (pipeline_id, place, hour, usual)
        values ($1, this_place, this_hour, made) on conflict do nothing;
    end if;
    return made;
end
$$;

-- What somebody kept under this name, for the frame's source, channel and plane.
create or replace function scopestream_data.usual_saved(name text, pipeline_id integer, source text, channel text,
    z integer) returns scopestream_data.usual
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    made scopestream_data.usual;
begin
    select array_agg(coalesce((s.figures -> f.expression ->> 'n')::integer, 0) order by i),
           array_agg((s.figures -> f.expression ->> 'median')::float8 order by i),
           array_agg((s.figures -> f.expression ->> 'mad')::float8 order by i),
           array(select (k.figures -> f.expression -> 'quantiles' ->> q)::float8
                 from generate_series(1, scopestream_data.feature_count()) i
                 cross join generate_series(0, 8) q
                 left join scopestream_data.feature f on f.feature_id = i
                 cross join scopestream_data.saved_baseline k
                 where k.name = $1 and k.pipeline = p.name and k.source = $3
                   and k.channel is not distinct from $4 and k.z is not distinct from $5
                 order by i, q),
           s.frames, 'saved:' || $1
    into made
    from scopestream_data.pipeline p
    join scopestream_data.saved_baseline s on s.name = $1 and s.pipeline = p.name and s.source = $3
     and s.channel is not distinct from $4 and s.z is not distinct from $5
    cross join generate_series(1, scopestream_data.feature_count()) i
    left join scopestream_data.feature f on f.feature_id = i
    where p.pipeline_id = $2
    group by p.name, s.frames;
    return made;
end
$$;

-- What a frame at this place and time is compared with. NULL: nothing is usual there yet.
create or replace function scopestream_data.baseline_for(reference text, pipeline_id integer, source text,
    experiment text, plate text, channel text, z integer, at timestamptz) returns scopestream_data.usual
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    role constant text := case reference when 'plate' then 'all' when 'controls' then 'controls' end;
    usual scopestream_data.usual;
begin
    if role is not null then
        usual := scopestream_data.usual_of_plate(role, pipeline_id, source, experiment, plate, channel, z);
        if usual.compared_with is null then
            usual := scopestream_data.usual_before(role, pipeline_id, source, experiment, plate, channel, z, at);
        end if;
    elsif reference = 'last week' then
        usual := scopestream_data.usual_of_week(pipeline_id, source, experiment, plate, channel, z, at);
    elsif reference like 'saved:%' then
        usual := scopestream_data.usual_saved(substr(reference, 7), pipeline_id, source, channel, z);
    end if;
    return usual;
end
$$;

-- Refuses what baseline_for() would not understand.
create or replace function scopestream_data.check_reference(reference text) returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if reference in ('plate', 'controls', 'last week')
       or exists (select from scopestream_data.saved_baseline s where 'saved:' || s.name = reference) then
        return;
    end if;
    raise exception 'no reference is called ''%'': expected plate, controls, last week%', coalesce(reference, 'null'),
        coalesce((select ' or ' || string_agg(distinct 'saved:' || s.name, ', ')
                  from scopestream_data.saved_baseline s),
                 ', or saved:NAME after scopestream.save_baseline(NAME, PLATE)')
        using errcode = 'invalid_parameter_value';
end
$$;

-- --- what the site showed before ---

-- Up to so many measured frames at the place of each of these, from up to 31 days before.
create or replace function scopestream_data.earlier_frames(keys scopestream_data.row_key[], most integer)
    returns setof scopestream_data.earlier_frame
    language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan set jit = off
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_nestloop = on as $$
declare
    -- Known when this is planned, so that other months are not.
    first timestamptz := (select min(k.acquired_at) from unnest(keys) k);
    last timestamptz := (select max(k.acquired_at) from unnest(keys) k);
    month_before timestamptz := first - interval '31 days';
begin
    return query
    select k.frame_id, k.acquired_at, k.pipeline_id, e.n::integer, e.frame_id, e.acquired_at
    from unnest(keys) k
    join scopestream_data.frame f on f.frame_id = k.frame_id and f.acquired_at = k.acquired_at
    cross join lateral (
        select row_number() over (order by p.acquired_at desc, p.frame_id desc) as n, p.frame_id, p.acquired_at
        from scopestream_data.frame p
        join scopestream_data.result r on r.frame_id = p.frame_id and r.acquired_at = p.acquired_at
         and r.pipeline_id = k.pipeline_id and r.status = 'ok'
        where scopestream_data.site_key(p.source, p.experiment, p.plate, p.well, p.site, p.channel, p.z, p.page,
                                        case when p.naming is null then p.path end)
              = scopestream_data.site_key(f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.page,
                                          case when f.naming is null then f.path end)
          and p.acquired_at >= f.acquired_at - interval '31 days' and p.acquired_at <= f.acquired_at
          and (p.acquired_at, p.frame_id) < (f.acquired_at, f.frame_id)
          and p.acquired_at between month_before and last
          and r.acquired_at between month_before and last
          and p.source = f.source and p.experiment is not distinct from f.experiment
          and p.plate is not distinct from f.plate and p.well is not distinct from f.well
          and p.site is not distinct from f.site and p.channel is not distinct from f.channel
          and p.z is not distinct from f.z and p.page = f.page
          and (f.naming is not null and p.naming is not null
               or f.naming is null and p.naming is null and p.path = f.path)
        order by p.acquired_at desc, p.frame_id desc
        limit most) e
    where f.acquired_at between first and last;
end
$$;

-- How much each of these frames differs from the one before it.
create or replace function scopestream_data.site_changes(frames scopestream_data.earlier_frame[])
    returns table (of_id uuid, of_at timestamptz, pipeline_id integer, n integer, change double precision)
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
    set enable_nestloop = on as $$
begin
    if scopestream_data.has_columns('tile_mean') then
        return query execute $changes$
            select c.of_id, c.of_at, c.pipeline_id, c.n,
                   -- scopestream.correlation(), without the cost of a call
                   (select 1 - corr(x::float8, y::float8) from unnest(c.tile_mean, c.before) pairs(x, y))
            from (select e.*, v.tile_mean,
                         lead(v.tile_mean) over (partition by e.of_id, e.of_at, e.pipeline_id order by e.n) as before
                  from unnest($1) e
                  join scopestream_data.result v on v.frame_id = e.frame_id and v.pipeline_id = e.pipeline_id
                   and v.acquired_at = e.acquired_at
                  where v.acquired_at between $2 and $3) c
            where cardinality(c.tile_mean) = cardinality(c.before) $changes$
        using frames, (select min(e.acquired_at) from unnest(frames) e),
              (select max(e.acquired_at) from unnest(frames) e);
    end if;
end
$$;

-- What the sites of these rows showed before: their features at up to `most` frames, and how much the rows
-- differ from the last of these. asked: which of values, change, change_z are worth computing.
create or replace function scopestream_data.site_histories(keys scopestream_data.row_key[], most integer,
    asked text[] default '{values, change, change_z}') returns setof scopestream_data.history
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_nestloop = off as $$
declare
    changes_back constant integer := case when 'change_z' = any (asked) then 11 when 'change' = any (asked) then 1
                                          else 0 end;
    earlier scopestream_data.earlier_frame[] := array(
        select e from scopestream_data.earlier_frames(keys, greatest(most, changes_back)) e);
begin
    return query
    with found as (
        select e.of_id, e.of_at, e.pipeline_id,
               array_agg(row(e.frame_id, e.acquired_at, e.pipeline_id)::scopestream_data.row_key order by e.n)
                   as frames,
               array_agg(v."values" order by e.n) filter (where v."values" <> '{}') as "values"
        from unnest(earlier) e
        left join scopestream_data.feature_values(array(
            select distinct row(e.frame_id, e.acquired_at, e.pipeline_id)::scopestream_data.row_key
            from unnest(earlier) e where e.n <= most and 'values' = any (asked))) v
          on v.frame_id = e.frame_id and v.acquired_at = e.acquired_at and v.pipeline_id = e.pipeline_id
        where e.n <= most
        group by e.of_id, e.of_at, e.pipeline_id
    ), changed as (
        select c.of_id, c.of_at, c.pipeline_id, max(c.change) filter (where c.n = 0) as change,
               count(c.change) filter (where c.n > 0) as n,
               array_agg(c.change) filter (where c.n > 0) as before,
               percentile_cont(0.5) within group (order by c.change) filter (where c.n > 0) as median
        from scopestream_data.site_changes(
            array(select e from unnest(earlier) e where e.n <= changes_back)
            || array(select row(k.frame_id, k.acquired_at, k.pipeline_id, 0, k.frame_id, k.acquired_at)
                                ::scopestream_data.earlier_frame
                     from unnest(keys) k where changes_back > 0)) c
        group by c.of_id, c.of_at, c.pipeline_id
    )
    select k.frame_id, k.acquired_at, k.pipeline_id, f.frames, f."values", c.change,
           case when c.n >= 4 and 'change_z' = any (asked) then (c.change - c.median)
               / nullif(1.4826 * (select percentile_cont(0.5) within group (order by abs(b - c.median))
                                  from unnest(c.before) b), 0) end
    from unnest(keys) k
    left join found f on f.of_id = k.frame_id and f.of_at = k.acquired_at and f.pipeline_id = k.pipeline_id
    left join changed c on c.of_id = k.frame_id and c.of_at = k.acquired_at and c.pipeline_id = k.pipeline_id;
end
$$;

-- The same of one frame.
create or replace function scopestream_data.site_history(f scopestream_data.frame, pipeline_id integer, most integer,
    asked text[] default '{values, change, change_z}') returns scopestream_data.history
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select h.* from scopestream_data.site_histories(
        array[row(f.frame_id, f.acquired_at, pipeline_id)::scopestream_data.row_key], most, asked) h
$$;

-- --- for people ---

create or replace view scopestream.baselines as
    select b.source, b.experiment, b.plate, b.channel, b.z, p.name as pipeline, p.version as pipeline_version,
           b.role as compared, f.expression, b.frames, b.counts[f.feature_id] as n,
           b.medians[f.feature_id] as median, b.mads[f.feature_id] as mad,
           b.quantiles[9 * f.feature_id - 8] as smallest,
           b.quantiles[9 * f.feature_id - 6] as lower_quartile,
           b.quantiles[9 * f.feature_id - 2] as upper_quartile,
           b.quantiles[9 * f.feature_id] as largest,
           b.first_acquired_at, b.last_acquired_at, b.refreshed_frames = b.frames as up_to_date
    from scopestream_data.baseline b
    join scopestream_data.pipeline p using (pipeline_id)
    cross join scopestream_data.feature f;
comment on view scopestream.baselines is 'What is usual: a row a plate, channel and plane, and expression that a model or rule compares with; kept as rows arrive, from up to 1024 frames';
comment on column scopestream.baselines.pipeline is 'list of measures that was asked for';
comment on column scopestream.baselines.pipeline_version is 'its version';
comment on column scopestream.baselines.compared is 'all: every frame; controls: those in the wells the layout calls negative';
comment on column scopestream.baselines.expression is 'of measures, as models and rules write it';
comment on column scopestream.baselines.frames is 'measured frames so far';
comment on column scopestream.baselines.n is 'values the figures are made of; below 24 nothing is compared with them';
comment on column scopestream.baselines.median is 'of the expression';
comment on column scopestream.baselines.mad is 'median absolute deviation from the median, without the factor 1.4826';
comment on column scopestream.baselines.smallest is 'of the values; NULL below 24';
comment on column scopestream.baselines.lower_quartile is 'a quarter of the values lies below';
comment on column scopestream.baselines.upper_quartile is 'a quarter of the values lies above';
comment on column scopestream.baselines.largest is 'of the values';
comment on column scopestream.baselines.first_acquired_at is 'of the first of its frames';
comment on column scopestream.baselines.last_acquired_at is 'of the last of its frames';
comment on column scopestream.baselines.up_to_date is 'false: frames came since the figures were computed, up to 5 % while they come and none once they pause';

create or replace view scopestream.saved_baselines as
    select s.name, s.source, s.channel, s.z, s.pipeline, f.key as expression, s.frames,
           (f.value ->> 'n')::integer as n, (f.value ->> 'median')::float8 as median,
           (f.value ->> 'mad')::float8 as mad, s.saved_at, s.saved_by
    from scopestream_data.saved_baseline s, jsonb_each(s.figures) f;
comment on view scopestream.saved_baselines is 'Baselines kept under a name, which models and rules name saved:NAME: a row a channel, plane and expression';
comment on column scopestream.saved_baselines.name is 'as given to save_baseline()';
comment on column scopestream.saved_baselines.pipeline is 'list of measures it was made by';
comment on column scopestream.saved_baselines.expression is 'of measures, as models and rules write it';
comment on column scopestream.saved_baselines.frames is 'measured frames of the plate when it was saved';
comment on column scopestream.saved_baselines.n is 'values the figures are made of';
comment on column scopestream.saved_baselines.median is 'of the expression';
comment on column scopestream.saved_baselines.mad is 'median absolute deviation from the median, without the factor 1.4826';
comment on column scopestream.saved_baselines.saved_at is 'when';
comment on column scopestream.saved_baselines.saved_by is 'who';

-- The newest baselines of a plate, as JSON under the words of their features: numbers of features are not
-- the same in another database.
create or replace function scopestream_data.baseline_figures(b scopestream_data.baseline) returns jsonb
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(jsonb_object_agg(f.expression, jsonb_build_object(
        'n', b.counts[f.feature_id], 'median', b.medians[f.feature_id], 'mad', b.mads[f.feature_id],
        'quantiles', to_jsonb(b.quantiles[9 * f.feature_id - 8 : 9 * f.feature_id]))), '{}')
    from scopestream_data.feature f where b.counts[f.feature_id] > 0
$$;

-- The one source whose plate this is.
create or replace function scopestream_data.source_of_plate(plate text) returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    sources text[] := array(select distinct b.source from scopestream_data.baseline b
                            where b.plate = source_of_plate.plate order by 1);
begin
    if cardinality(sources) > 1 then
        raise exception 'plate ''%'' was imaged by %: say which source is meant', plate,
            array_to_string(sources, ' and ') using errcode = 'invalid_parameter_value';
    end if;
    return sources[1];
end
$$;

create or replace function scopestream.save_baseline(name text, plate text, source text default null)
    returns integer -- how many channels and planes it has
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    from_source constant text := coalesce($3, scopestream_data.source_of_plate($2));
    known scopestream_data.baseline[] := array(
        select distinct on (p.name, b.channel, b.z) b
        from scopestream_data.baseline b join scopestream_data.pipeline p using (pipeline_id)
        where b.plate = $2 and b.source = from_source and b.role = 'all'
        order by p.name, b.channel, b.z, b.last_acquired_at desc);
begin
    if $1 is null or $1 !~ '^[a-z][a-z0-9_-]{0,62}$' then
        raise exception 'a baseline cannot be called ''%'': a letter a-z, then at most 62 of a-z 0-9 _ -',
            coalesce($1, 'null') using errcode = 'invalid_parameter_value';
    elsif known = '{}' then
        raise exception 'no frame of plate ''%''% has been measured', coalesce($2, 'null'), coalesce(' by ' || $3, '')
            using errcode = 'no_data_found';
    end if;
    perform scopestream_data.refresh_baseline(b.baseline_id) from unnest(known) b;
    delete from scopestream_data.saved_baseline s where s.name = $1;
    insert into scopestream_data.saved_baseline (name, pipeline, source, channel, z, frames, figures)
    select $1, p.name, b.source, b.channel, b.z, b.frames, scopestream_data.baseline_figures(b)
    from scopestream_data.baseline b join scopestream_data.pipeline p using (pipeline_id)
    where b.baseline_id in (select k.baseline_id from unnest(known) k);
    return cardinality(known);
end
$$;
comment on function scopestream.save_baseline is 'Keeps what is usual on a plate under a name: models and rules whose reference is saved:NAME compare with it; replaces what had the name. Returns how many channels and planes it has';

-- --- who may ---

revoke execute on function scopestream_data.place_key, scopestream_data.site_key, scopestream_data.sample_key,
    scopestream_data.robust_z, scopestream_data.rank_in, scopestream_data.kendall, scopestream_data.feature_count,
    scopestream_data.bounded_sql, scopestream_data.feature_sql, scopestream_data.feature_values,
    scopestream_data.feature_values_one_by_one, scopestream_data.register_feature, scopestream_data.is_control,
    scopestream_data.tracked_frames, scopestream_data.with_baselines, scopestream_data.sample_candidates,
    scopestream_data.count_frames, scopestream_data.trim_sample, scopestream_data.see_pixels,
    scopestream_data.file_key, scopestream_data.same_pixels, scopestream_data.track_frames,
    scopestream_data.quantile_sql, scopestream_data.mad_sql, scopestream_data.fill_sample,
    scopestream_data.reread_controls, scopestream_data.refresh_baseline, scopestream_data.refresh_baselines,
    scopestream_data.change_controls, scopestream_data.layout_changed, scopestream_data.usual_of_plate,
    scopestream_data.late_frames,
    scopestream_data.usual_before, scopestream_data.combine_week, scopestream_data.usual_of_week,
    scopestream_data.usual_saved, scopestream_data.baseline_for, scopestream_data.check_reference,
    scopestream_data.earlier_frames, scopestream_data.site_changes, scopestream_data.site_histories,
    scopestream_data.site_history, scopestream_data.baseline_figures,
    scopestream_data.source_of_plate from public;
revoke execute on function scopestream.save_baseline from public, scopestream_reader, scopestream_store;
grant execute on function scopestream.save_baseline to scopestream_scientist;

do $$ begin perform scopestream_data.explain_columns(); end $$;

insert into scopestream_data.schema_migration (version, name, sha256) values (12, '012_baselines.sql', '')
on conflict (version) do nothing;

reset role;
