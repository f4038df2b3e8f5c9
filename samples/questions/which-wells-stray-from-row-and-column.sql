-- Which wells stray from their row and column? The B-score of the count of objects: what is left of a well's value when
-- the plate's, its row's and its column's effect are taken away (Tukey's median polish, two rounds), in robust standard
-- deviations of what is left. Beyond 3 the well itself is unusual, whatever the dispenser and the edge did. Samples
-- only, and none that is empty as which-wells-are-empty.sql tells it: the objects of an empty well are noise. Any
-- number of scopestream.measures may stand in place of n_objects.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
level as materialized (
    select f.well, coalesce(f.channel, '') as channel,
           percentile_cont(0.5) within group (order by f.median) as background,
           percentile_cont(0.5) within group (order by f.p999 - f.median) as signal
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well is not null
    group by f.well, coalesce(f.channel, '')),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by background) as background,
           percentile_cont(0.5) within group (order by signal) as signal
    from level
    group by channel),
empty as materialized (
    select l.well, l.channel
    from level l join usual u using (channel)
    where l.signal < u.signal / 10 and l.background > u.background * 0.8),
well as materialized (
    select coalesce(m.channel, '') as channel, m.well, m."row" as y, m."column" as x, m.value
    from asked a
    cross join lateral scopestream.plate_map(a.plate, 'n_objects', source => a.source) m
    where m.role = 'sample' and m.value is not null
      and not exists (select from empty e where e.well = m.well and e.channel = coalesce(m.channel, ''))),
row_1 as materialized (
    select channel, y, percentile_cont(0.5) within group (order by value) as effect from well group by channel, y),
rest_1 as materialized (
    select w.*, w.value - r.effect as rest from well w join row_1 r using (channel, y)),
column_1 as materialized (
    select channel, x, percentile_cont(0.5) within group (order by rest) as effect from rest_1 group by channel, x),
rest_2 as materialized (
    select w.channel, w.well, w.y, w.x, w.value, w.rest - c.effect as rest
    from rest_1 w join column_1 c using (channel, x)),
row_2 as materialized (
    select channel, y, percentile_cont(0.5) within group (order by rest) as effect from rest_2 group by channel, y),
rest_3 as materialized (
    select w.channel, w.well, w.y, w.x, w.value, w.rest - r.effect as rest
    from rest_2 w join row_2 r using (channel, y)),
column_2 as materialized (
    select channel, x, percentile_cont(0.5) within group (order by rest) as effect from rest_3 group by channel, x),
rest_4 as materialized (
    select w.channel, w.well, w.y, w.x, w.value, w.rest - c.effect as rest
    from rest_3 w join column_2 c using (channel, x)),
spread as materialized (
    select channel, nullif(1.4826 * percentile_cont(0.5) within group (order by abs(rest)), 0) as sd
    from rest_4 group by channel)
select w.channel, w.well, round(w.value::numeric, 2) as objects, round((w.value - w.rest)::numeric, 2) as expected,
       round((w.rest / s.sd)::numeric, 1) as b_score
from rest_4 w join spread s using (channel)
where abs(w.rest / s.sd) > 3
order by abs(w.rest / s.sd) desc, w.channel, w.well
limit 100;
