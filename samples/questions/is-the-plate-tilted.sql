-- Is the plate tilted? plls and focus of each channel by row and by column, and how steadily they follow these (r from
-- -1 to 1, of the wells). Focus that falls from one side to the other is a plate that does not lie flat; where the
-- stage goes along the rows, time and rows rise together: compare with is-focus-drifting.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
well as materialized (
    select f.channel, f.well, scopestream.well_row(f.well) as y, scopestream.well_column(f.well) as x,
           percentile_cont(0.5) within group (order by f.plls) as plls,
           percentile_cont(0.5) within group (order by f.focus) as focus
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.focus_snr >= 200 and f.well is not null
    group by f.channel, f.well),
line as (
    select w.channel, l.along, l.place, l.name, w.plls, w.focus
    from well w
    cross join lateral (values ('rows', w.y, substring(w.well from '^[A-Z]+')), ('columns', w.x, w.x::text))
        l(along, place, name)),
trend as materialized (
    select channel, along, corr(plls, place) as plls_r, corr(focus, place) as focus_r
    from line
    group by channel, along)
select l.channel, l.along, l.name as "row_or_column", count(*) as wells,
       round(percentile_cont(0.5) within group (order by l.plls)::numeric, 3) as plls,
       round(percentile_cont(0.5) within group (order by l.focus)::numeric, 5) as focus,
       round(t.plls_r::numeric, 2) as plls_r, round(t.focus_r::numeric, 2) as focus_r
from line l
join trend t on t.along = l.along and t.channel is not distinct from l.channel
group by l.channel, l.along, l.place, l.name, t.plls_r, t.focus_r
order by l.channel, l.along desc, l.place;
