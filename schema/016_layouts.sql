-- What stands in the wells of a plate, and what follows from it: controls, edges, doses, and whether the plate is
-- complete.

set client_min_messages = warning;
set role scopestream_owner;

-- --- loading ---

-- The plates there are.
create or replace function scopestream_data.plate_formats()
    returns table (format integer, rows integer, columns integer)
    language sql immutable as $$
    values (6, 2, 3), (12, 3, 4), (24, 4, 6), (48, 6, 8), (96, 8, 12), (384, 16, 24), (1536, 32, 48)
$$;

create or replace function scopestream_data.well_name(row_number integer, column_number integer) returns text
    language sql immutable as $$
    select case when row_number > 26 then chr(64 + (row_number - 1) / 26) else '' end
           || chr(65 + (row_number - 1) % 26) || lpad(column_number::text, 2, '0')
$$;

-- The least format in which a well of that row and column has a place; no row where none has.
create or replace function scopestream_data.least_format(row_number integer, column_number integer)
    returns table (format integer, rows integer, columns integer)
    language sql immutable security definer set search_path = pg_catalog, pg_temp as $$
    select * from scopestream_data.plate_formats() p
    where p.rows >= row_number and p.columns >= column_number order by p.format limit 1
$$;

-- A well as people write it, a1 or A01, as the frames have it; NULL for what is none.
create or replace function scopestream_data.well_normal(well text) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when upper(btrim(well)) ~ '^[A-Z]{1,2}0*[1-9]\d?$'
                then scopestream_data.well_name(scopestream.well_row(upper(btrim(well))),
                                                scopestream.well_column(upper(btrim(well)))) end
$$;

-- wells: [{"well": "A01", "role": "negative", "treatment": "DMSO", "concentration": 0.1, "unit": "%"}, ...]; what
-- is absent is unknown, and the role 'sample'. NULL: all wells of the format, with samples.
create or replace function scopestream_data.layout_rows(wells jsonb)
    returns table (place bigint, well text, given text, role text, treatment text, concentration text, unit text)
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select e.place, scopestream_data.well_normal(e.d ->> 'well'), e.d ->> 'well',
           coalesce(nullif(lower(btrim(e.d ->> 'role')), ''), 'sample'), nullif(btrim(e.d ->> 'treatment'), ''),
           nullif(btrim(e.d ->> 'concentration'), ''), nullif(btrim(e.d ->> 'unit'), '')
    from jsonb_array_elements(wells) with ordinality e(d, place)
$$;

-- The first thing that is wrong with them, in words; NULL if nothing is. rows and columns: of the plate.
create or replace function scopestream_data.layout_fault(wells jsonb, rows integer, columns integer) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select case
        when w.well is null then format('well %s: ''%s'' is no well: expected A1 to AF48', w.place, w.given)
        when scopestream.well_row(w.well) > rows or scopestream.well_column(w.well) > columns
            then format('well %s: %s lies outside a plate of %s rows and %s columns', w.place, w.well, rows, columns)
        when w.role not in ('sample', 'positive', 'negative', 'reference', 'blank', 'empty')
            then format('well %s: role ''%s'': expected sample, positive, negative, reference, blank or empty', w.well, w.role)
        when w.concentration !~ '^[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$'
            then format('well %s: concentration ''%s'': expected a number, 0 or more', w.well, w.concentration)
        when w.before is not null then format('well %s stands there twice, as number %s and %s', w.well, w.before, w.place)
        end
    from (select r.*, lag(r.place) over (partition by r.well order by r.place) as before
          from scopestream_data.layout_rows(wells) r) w
    where w.well is null or scopestream.well_row(w.well) > rows or scopestream.well_column(w.well) > columns
       or w.role not in ('sample', 'positive', 'negative', 'reference', 'blank', 'empty')
       or w.concentration !~ '^[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$' or w.before is not null
    order by w.place limit 1
$$;

create or replace function scopestream.load_layout(plate text, format integer default null, wells jsonb default null)
    returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    shape record;
    fault text;
    id integer;
    loaded integer;
begin
    if coalesce(btrim(plate), '') = '' then
        raise exception 'a layout needs the plate it is of, as the frames call it, or * for all' using errcode = '22023';
    end if;
    if format is null and wells is null then
        raise exception 'a layout needs wells, or a format: 6, 12, 24, 48, 96, 384 or 1536' using errcode = '22023';
    end if;
    if wells is not null and (jsonb_typeof(wells) <> 'array' or jsonb_array_length(wells) not between 1 and 1536) then
        raise exception 'wells are an array of 1 to 1536 objects' using errcode = '22023';
    end if;
    if format is not null then
        select * into shape from scopestream_data.plate_formats() p where p.format = load_layout.format;
    else
        select p.* into shape
        from (select max(scopestream.well_row(r.well)) as row_number, max(scopestream.well_column(r.well)) as column_number
              from scopestream_data.layout_rows(wells) r) far,
             scopestream_data.least_format(coalesce(far.row_number, 1), coalesce(far.column_number, 1)) p;
    end if;
    if shape.rows is null then
        raise exception 'format %: expected 6, 12, 24, 48, 96, 384 or 1536', coalesce(format::text, 'of these wells')
            using errcode = '22023';
    end if;
    fault := scopestream_data.layout_fault(wells, shape.rows, shape.columns);
    if fault is not null then
        raise exception '%', fault using errcode = '22023';
    end if;
    delete from scopestream_data.layout l where l.plate = load_layout.plate;
    insert into scopestream_data.layout (plate, rows, columns)
    values (load_layout.plate, shape.rows, shape.columns) returning layout_id into id;
    insert into scopestream_data.layout_well (layout_id, well, role, treatment, concentration, concentration_unit)
    select id, r.well, r.role, r.treatment, r.concentration::double precision, r.unit
    from scopestream_data.layout_rows(wells) r
    union all
    select id, scopestream_data.well_name(y, x), 'sample', null, null, null
    from generate_series(1, shape.rows) y, generate_series(1, shape.columns) x where wells is null;
    get diagnostics loaded = row_count;
    return loaded;
end
$$;
comment on function scopestream.load_layout is 'Says what stands in the wells of a plate (''*'': of every plate without a layout of its own); replaces what was said before. Returns how many wells';

create or replace function scopestream.drop_layout(plate text) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from scopestream_data.layout l where l.plate = drop_layout.plate;
    return found;
end
$$;
comment on function scopestream.drop_layout is 'Forgets the layout of a plate; whether there was one';

revoke execute on function scopestream.load_layout, scopestream.drop_layout from public, scopestream_reader, scopestream_store;
grant execute on function scopestream.load_layout, scopestream.drop_layout to scopestream_scientist;

-- --- looking ---

-- The layout that counts for a plate: its own, or that of all plates without.
create or replace function scopestream_data.layout_of(plate text) returns integer
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select l.layout_id from scopestream_data.layout l
    where l.plate in (layout_of.plate, '*') order by l.plate = '*' limit 1
$$;

create or replace view scopestream.layouts as
    select l.plate, l.rows, l.columns, w.well, w.role, w.treatment, w.concentration,
           w.concentration_unit as unit, l.loaded_at, l.loaded_by
    from scopestream_data.layout l join scopestream_data.layout_well w using (layout_id);
comment on view scopestream.layouts is 'What stands in the wells of the plates, as it was loaded';
comment on column scopestream.layouts.plate is 'as the frames call it; *: every plate without a layout of its own';
comment on column scopestream.layouts.rows is 'of the plate';
comment on column scopestream.layouts.columns is 'of the plate';
comment on column scopestream.layouts.well is 'letters and two digits';
comment on column scopestream.layouts.role is 'sample, positive or negative control, reference, blank (no cells), empty (not to be imaged)';
comment on column scopestream.layouts.treatment is 'compound, gene, ...';
comment on column scopestream.layouts.concentration is 'of the treatment';
comment on column scopestream.layouts.unit is 'of the concentration';
comment on column scopestream.layouts.loaded_at is 'when';
comment on column scopestream.layouts.loaded_by is 'database role that loaded it';

-- --- whether the plate is complete ---

-- Places seen of each well. A place is a site, channel, plane and time; imaged twice, it counts once.
create or replace view scopestream.completeness as
    with places as (
        select source, experiment, plate, well, count(distinct (site, channel, z, t)) as seen,
               max(acquired_at) as last_acquired_at
        from scopestream_data.frame where well is not null group by source, experiment, plate, well),
    usual as (
        select source, experiment, plate, mode() within group (order by seen) as places_per_well, count(*) as wells,
               max(last_acquired_at) as last_acquired_at
        from places group by source, experiment, plate)
    select u.source, u.experiment, u.plate, u.places_per_well, e.wells as wells_expected, u.wells as wells_seen,
           array(select w.well from scopestream_data.layout_well w
                 where w.layout_id = e.layout_id and w.role <> 'empty' and not exists (
                     select from places p where p.well = w.well and p.plate is not distinct from u.plate
                        and p.source = u.source and p.experiment is not distinct from u.experiment)
                 order by w.well) as wells_missing,
           array(select p.well from places p
                 where p.source = u.source and p.experiment is not distinct from u.experiment
                   and p.plate is not distinct from u.plate and p.seen < u.places_per_well
                 order by p.well) as wells_incomplete,
           u.last_acquired_at
    from usual u
    left join lateral (
        select l.layout_id, count(*) as wells
        from scopestream_data.layout_well l
        where l.layout_id = scopestream_data.layout_of(u.plate) and l.role <> 'empty' group by l.layout_id) e on true;
comment on view scopestream.completeness is 'Whether each plate is complete: wells that did not come, wells with fewer pictures than most';
comment on column scopestream.completeness.places_per_well is 'sites x channels x planes x times that most wells of the plate have';
comment on column scopestream.completeness.wells_expected is 'by the layout, without its empty ones; NULL without a layout';
comment on column scopestream.completeness.wells_seen is 'with at least one picture';
comment on column scopestream.completeness.wells_missing is 'of the layout, without any picture';
comment on column scopestream.completeness.wells_incomplete is 'with fewer places than most';
comment on column scopestream.completeness.last_acquired_at is 'of the newest picture';

-- --- numbers by what stands in the wells ---

-- A number a well: the median over the newest picture of each place. One row a well, channel and measure, so that
-- what is built on it works for every measure. Its filters reach the frames: name the plate.
create or replace function scopestream_data.make_well_values() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    columns text;
    pairs text;
begin
    select string_agg(format('r.%I', m.name), ', ' order by m.name),
           string_agg(format('(%L, n.%I)', m.name, m.name), ', ' order by m.name)
    into columns, pairs
    from scopestream_data.measure m
    join pg_attribute a on a.attname = m.name and a.attrelid = 'scopestream_data.result'::regclass and not a.attisdropped
    where m.kind = 'number';
    execute format($view$
        create or replace view scopestream.well_values as
        select v.source, v.experiment, v.plate, v.well, v.channel, v.pipeline, v.pipeline_version, v.measure, v.value,
               v.frames, coalesce(w.role, 'sample') as role, w.treatment, w.concentration, w.concentration_unit as unit
        from (select n.source, n.experiment, n.plate, n.well, n.channel, n.pipeline, n.pipeline_version, m.measure,
                     percentile_cont(0.5) within group (order by m.value) as value, count(m.value) as frames
              from %s n cross join lateral (values %s) m(measure, value)
              where n.well is not null
              group by n.source, n.experiment, n.plate, n.well, n.channel, n.pipeline, n.pipeline_version, m.measure) v
        left join scopestream_data.layout_well w on w.layout_id = scopestream_data.layout_of(v.plate) and w.well = v.well $view$,
        scopestream_data.newest_frames(columns), pairs);
    comment on view scopestream.well_values is 'One number a well, channel and measure, with what stands in the well: the median over the newest picture of each place. Name a plate and a measure, or it reads everything';
    comment on column scopestream.well_values.measure is 'name of a column of scopestream.features';
    comment on column scopestream.well_values.value is 'median over the frames';
    comment on column scopestream.well_values.frames is 'that have a value';
    comment on column scopestream.well_values.role is 'by the layout; sample where there is none';
    comment on column scopestream.well_values.treatment is 'by the layout';
    comment on column scopestream.well_values.concentration is 'by the layout';
    comment on column scopestream.well_values.unit is 'of the concentration';
end
$$;

create or replace function scopestream_data.median(numbers double precision[]) returns double precision
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select percentile_cont(0.5) within group (order by n) from unnest(numbers) n
$$;

-- The middle and the spread of some wells: mean and standard deviation, median and 1.4826 MAD.
create or replace function scopestream_data.spread(numbers double precision[])
    returns table (n integer, mean double precision, sd double precision, median double precision, robust_sd double precision)
    language sql immutable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
    select count(x)::integer, avg(x), stddev_samp(x), min(m.median),
           1.4826 * percentile_cont(0.5) within group (order by abs(x - m.median))
    from unnest(numbers) x, (select scopestream_data.median(numbers) as median) m
$$;

-- Z' = 1 - 3 (s+ + s-) / |m+ - m-|, Zhang 1999; SSMD = (m+ - m-) / sqrt(s+^2 + s-^2), Zhang 2007; the robust ones
-- with median and 1.4826 MAD. Arrays, not CTEs: a filter on the plate must reach the frames.
create or replace function scopestream_data.make_controls_quality() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    create or replace view scopestream.controls_quality as
    select c.source, c.experiment, c.plate, c.channel, c.pipeline, c.pipeline_version, c.measure,
           p.n as positives, n.n as negatives, p.median as positive_median, n.median as negative_median,
           1 - 3 * (p.sd + n.sd) / nullif(abs(p.mean - n.mean), 0) as z_prime,
           1 - 3 * (p.robust_sd + n.robust_sd) / nullif(abs(p.median - n.median), 0) as robust_z_prime,
           (p.mean - n.mean) / nullif(sqrt(p.sd ^ 2 + n.sd ^ 2), 0) as ssmd,
           (p.median - n.median) / nullif(sqrt(p.robust_sd ^ 2 + n.robust_sd ^ 2), 0) as robust_ssmd
    from (select source, experiment, plate, channel, pipeline, pipeline_version, measure,
                 array_agg(value) filter (where role = 'positive') as positive,
                 array_agg(value) filter (where role = 'negative') as negative
          from scopestream.well_values
          group by source, experiment, plate, channel, pipeline, pipeline_version, measure) c,
         scopestream_data.spread(c.positive) p, scopestream_data.spread(c.negative) n
    where c.positive is not null and c.negative is not null;
    comment on view scopestream.controls_quality is 'How well each measure tells the positive from the negative controls of a plate; the layout names them';
    comment on column scopestream.controls_quality.measure is 'name of a column of scopestream.features';
    comment on column scopestream.controls_quality.positives is 'wells';
    comment on column scopestream.controls_quality.negatives is 'wells';
    comment on column scopestream.controls_quality.positive_median is 'over the wells';
    comment on column scopestream.controls_quality.negative_median is 'over the wells';
    comment on column scopestream.controls_quality.z_prime is '1 - 3 (sd+ + sd-) / |mean+ - mean-|: 0.5 to 1 excellent, 0 to 0.5 marginal, below 0 no assay';
    comment on column scopestream.controls_quality.robust_z_prime is 'the same with medians and 1.4826 MAD';
    comment on column scopestream.controls_quality.ssmd is 'strictly standardised mean difference: 3 and more strong, 5 and more very strong';
    comment on column scopestream.controls_quality.robust_ssmd is 'the same with medians and 1.4826 MAD';
end
$$;

-- The outer ring of wells against those within, and how far rows and columns stray from the plate's median. Sample
-- wells only, where the layout tells; the plate is that of the layout, or the least that holds the wells seen.
create or replace function scopestream_data.make_edge_effects() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    create or replace view scopestream.edge_effects as
    select w.source, w.experiment, w.plate, w.channel, w.pipeline, w.pipeline_version, w.measure,
           e.outer_wells, e.inner_wells, e.outer_median, e.inner_median,
           e.outer_median / nullif(e.inner_median, 0) as ratio,
           (e.outer_median - e.inner_median) / nullif(a.robust_sd, 0) as difference,
           (select max(abs(r.median - a.median))
            from (select scopestream_data.median(array_agg(v.value)) as median
                  from unnest(w.numbers, w.row_numbers) v(value, line) group by v.line having count(v.value) > 1) r)
               / nullif(a.robust_sd, 0) as row_effect,
           (select max(abs(r.median - a.median))
            from (select scopestream_data.median(array_agg(v.value)) as median
                  from unnest(w.numbers, w.column_numbers) v(value, line) group by v.line having count(v.value) > 1) r)
               / nullif(a.robust_sd, 0) as column_effect
    from (select source, experiment, plate, channel, pipeline, pipeline_version, measure,
                 array_agg(value order by well) as numbers,
                 array_agg(scopestream.well_row(well) order by well) as row_numbers,
                 array_agg(scopestream.well_column(well) order by well) as column_numbers
          from scopestream.well_values where role = 'sample' and value is not null
          group by source, experiment, plate, channel, pipeline, pipeline_version, measure) w
    cross join lateral (
        select coalesce(l.rows, p.rows) as rows, coalesce(l.columns, p.columns) as columns
        from (select max(y) as y, max(x) as x from unnest(w.row_numbers, w.column_numbers) u(y, x)) far
        left join lateral scopestream_data.least_format(far.y, far.x) p on true
        left join scopestream_data.layout l on l.layout_id = scopestream_data.layout_of(w.plate)) shape
    cross join lateral (
        select scopestream_data.median(array_agg(v.value) filter (where v.at_edge)) as outer_median,
               scopestream_data.median(array_agg(v.value) filter (where not v.at_edge)) as inner_median,
               count(*) filter (where v.at_edge) as outer_wells, count(*) filter (where not v.at_edge) as inner_wells
        from (select u.value, u.y in (1, shape.rows) or u.x in (1, shape.columns) as at_edge
              from unnest(w.numbers, w.row_numbers, w.column_numbers) u(value, y, x)) v) e
    cross join lateral scopestream_data.spread(w.numbers) a;
    comment on view scopestream.edge_effects is 'How much the wells at a plate''s edge, its rows and its columns differ from the others';
    comment on column scopestream.edge_effects.measure is 'name of a column of scopestream.features';
    comment on column scopestream.edge_effects.outer_wells is 'samples in the outermost rows and columns';
    comment on column scopestream.edge_effects.inner_wells is 'samples elsewhere';
    comment on column scopestream.edge_effects.outer_median is 'over the wells';
    comment on column scopestream.edge_effects.inner_median is 'over the wells';
    comment on column scopestream.edge_effects.ratio is 'outer by inner; outside 0.9 to 1.1 worth a look';
    comment on column scopestream.edge_effects.difference is 'outer less inner, in robust standard deviations of the wells';
    comment on column scopestream.edge_effects.row_effect is 'of the row that strays most from the plate''s median: how far, in robust standard deviations of the wells';
    comment on column scopestream.edge_effects.column_effect is 'of the column that strays most';
end
$$;

create or replace function scopestream_data.make_dose() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    create or replace view scopestream.dose as
    select d.source, d.experiment, d.plate, d.channel, d.pipeline, d.pipeline_version, d.measure, d.role, d.treatment,
           d.concentration, d.unit, s.n as wells, s.median, s.robust_sd, s.mean, s.sd
    from (select source, experiment, plate, channel, pipeline, pipeline_version, measure, role, treatment, concentration,
                 unit, array_agg(value) as numbers
          from scopestream.well_values where treatment is not null and value is not null
          group by source, experiment, plate, channel, pipeline, pipeline_version, measure, role, treatment, concentration, unit) d,
         scopestream_data.spread(d.numbers) s;
    comment on view scopestream.dose is 'Each measure by treatment and concentration, over the wells of a plate that hold them';
    comment on column scopestream.dose.measure is 'name of a column of scopestream.features';
    comment on column scopestream.dose.role is 'by the layout';
    comment on column scopestream.dose.treatment is 'by the layout';
    comment on column scopestream.dose.concentration is 'by the layout';
    comment on column scopestream.dose.unit is 'of the concentration';
    comment on column scopestream.dose.wells is 'with a value';
    comment on column scopestream.dose.median is 'over the wells';
    comment on column scopestream.dose.robust_sd is '1.4826 MAD over the wells';
    comment on column scopestream.dose.mean is 'over the wells';
    comment on column scopestream.dose.sd is 'standard deviation over the wells';
end
$$;

create or replace function scopestream_data.make_layout_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from scopestream_data.measure where kind = 'number') then
        perform scopestream_data.make_well_values();
        perform scopestream_data.make_controls_quality();
        perform scopestream_data.make_edge_effects();
        perform scopestream_data.make_dose();
    end if;
end
$$;

-- As in 009, with the views above.
create or replace function scopestream_data.growing_views() returns text[]
    language sql immutable as $$
    select array['features', 'wells', 'cellprofiler', 'frame_changes', 'channel_correlation', 'best_planes',
                 'bleaching', 'duplicates', 'well_values', 'controls_quality', 'edge_effects', 'dose']
$$;

create or replace function scopestream_data.make_between_frames_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if scopestream_data.has_columns('tile_mean') then
        perform scopestream_data.make_frame_changes();
        perform scopestream_data.make_channel_correlation();
    end if;
    if scopestream_data.has_columns('vollath_f4') then
        perform scopestream_data.make_best_planes();
    end if;
    if scopestream_data.has_columns('fg_mean', 'bg_mean') then
        perform scopestream_data.make_bleaching();
    end if;
    if scopestream_data.has_columns('pixel_hash') then
        perform scopestream_data.make_duplicates();
    end if;
    perform scopestream_data.make_layout_views();
    perform scopestream_data.explain_columns();
end
$$;

revoke execute on function scopestream_data.plate_formats, scopestream_data.well_name, scopestream_data.least_format,
    scopestream_data.well_normal, scopestream_data.layout_rows, scopestream_data.layout_fault,
    scopestream_data.make_well_values, scopestream_data.make_controls_quality, scopestream_data.make_edge_effects,
    scopestream_data.make_dose, scopestream_data.make_layout_views, scopestream_data.growing_views,
    scopestream_data.make_between_frames_views from public;
-- Views run them as whoever asks.
grant execute on function scopestream_data.layout_of, scopestream_data.median, scopestream_data.spread,
    scopestream_data.least_format to scopestream_reader, scopestream_store;

do $$ begin perform scopestream_data.make_views(); end $$;

insert into scopestream_data.schema_migration (version, name, sha256) values (16, '016_layouts.sql', '')
on conflict (version) do nothing;

reset role;
