-- Where is the plate out of focus? A map: the focus of each well in percent of what is usual in its channel, of its
-- least sharp channel and site. Below 50: out of focus, as in which-wells-are-out-of-focus.sql. A well without a number
-- holds too little to tell. \crosstabview turns rows into columns in psql; other clients leave that line out.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
field as (
    select distinct on (f.well, f.site, f.channel) f.well, f.site, f.channel, f.focus
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.focus_snr >= 200 and f.well is not null
    order by f.well, f.site, f.channel, f.t desc nulls last, f.focus desc),
usual as materialized (
    select channel, percentile_cont(0.5) within group (order by focus) as focus
    from field
    group by channel)
select substring(f.well from '^[A-Z]+') as "row", scopestream.well_column(f.well) as "column",
       round((100 * min(f.focus / nullif(u.focus, 0)))::numeric) as percent_of_usual_focus
from field f
join usual u on u.channel is not distinct from f.channel
group by f.well
order by scopestream.well_row(f.well), scopestream.well_column(f.well)
\crosstabview row column percent_of_usual_focus column
