-- Are there edge effects, or patterns of rows and columns? A few numbers of the sample wells: the outermost wells
-- against those within (ratio; edge_z in robust standard deviations of the wells), and the row and the column that
-- stray most from the plate's median. A ratio outside 0.9 to 1.1, or a z beyond 1, is worth a map: a-plate-map.sql;
-- wells that stray from their own row and column: which-wells-stray-from-row-and-column.sql. A dispenser leaves
-- columns, drying an edge. The layout tells the plate's size and samples; without one all wells are samples of the
-- least plate that holds them.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
role as materialized (
    select l.well, l.role, l.rows, l.columns
    from asked a
    join scopestream.layouts l
      on l.plate = (select coalesce(max(own.plate), '*') from scopestream.layouts own where own.plate = a.plate)),
well as materialized (
    select f.channel, scopestream.well_row(f.well) as y, scopestream.well_column(f.well) as x,
           percentile_cont(0.5) within group (order by f.mean) as mean,
           percentile_cont(0.5) within group (order by f.median) as median,
           percentile_cont(0.5) within group (order by f.fg_fraction) as fg_fraction,
           percentile_cont(0.5) within group (order by f.n_objects) as n_objects,
           percentile_cont(0.5) within group (order by f.focus) filter (where f.focus_snr >= 200) as focus
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well is not null and not exists (select from role r where r.well = f.well and r.role <> 'sample')
    group by f.channel, f.well),
shape as materialized (
    select coalesce((select min(rows) from role), p.rows) as rows,
           coalesce((select min(columns) from role), p.columns) as columns
    from (select max(y) as y, max(x) as x from well) seen,
         (values (2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48)) p(rows, columns)
    where p.rows >= seen.y and p.columns >= seen.x
    order by p.rows
    limit 1),
placed as materialized (
    select w.channel, n.name, n.value, w.y, w.x, w.y in (1, s.rows) or w.x in (1, s.columns) as at_edge
    from well w
    cross join shape s
    cross join lateral (values ('mean', w.mean), ('median', w.median), ('fg_fraction', w.fg_fraction),
                               ('n_objects', w.n_objects), ('focus', w.focus)) n(name, value)
    where n.value is not null),
usual as materialized (
    select channel, name, percentile_cont(0.5) within group (order by value) as value,
           percentile_cont(0.5) within group (order by value) filter (where at_edge) as outer_value,
           percentile_cont(0.5) within group (order by value) filter (where not at_edge) as inner_value,
           count(*) filter (where at_edge) as outer_wells, count(*) filter (where not at_edge) as inner_wells
    from placed
    group by channel, name),
spread as materialized (
    select p.channel, p.name,
           nullif(1.4826 * percentile_cont(0.5) within group (order by abs(p.value - u.value)), 0) as sd
    from placed p join usual u on u.name = p.name and u.channel is not distinct from p.channel
    group by p.channel, p.name),
line as (
    select channel, name, 'row ' || chr(64 + y) as line, percentile_cont(0.5) within group (order by value) as value
    from placed where y <= 26 group by channel, name, y having count(*) > 1
    union all
    select channel, name, 'column ' || x, percentile_cont(0.5) within group (order by value)
    from placed group by channel, name, x having count(*) > 1),
farthest as materialized (
    select distinct on (l.channel, l.name, l.line ~ '^row') l.channel, l.name, l.line, l.line ~ '^row' as is_row,
           (l.value - u.value) / s.sd as z
    from line l
    join usual u on u.name = l.name and u.channel is not distinct from l.channel
    join spread s on s.name = l.name and s.channel is not distinct from l.channel
    order by l.channel, l.name, l.line ~ '^row', abs((l.value - u.value) / s.sd) desc)
select u.channel, u.name as number, u.outer_wells, u.inner_wells,
       round((u.outer_value / nullif(u.inner_value, 0))::numeric, 3) as outer_by_inner,
       round(((u.outer_value - u.inner_value) / s.sd)::numeric, 2) as edge_z,
       r.line as farthest_row, round(r.z::numeric, 2) as row_z,
       c.line as farthest_column, round(c.z::numeric, 2) as column_z
from usual u
join spread s on s.name = u.name and s.channel is not distinct from u.channel
left join farthest r on r.is_row and r.name = u.name and r.channel is not distinct from u.channel
left join farthest c on not c.is_row and c.name = u.name and c.channel is not distinct from u.channel
order by abs((u.outer_value - u.inner_value) / s.sd) desc nulls last, u.channel, u.name;
