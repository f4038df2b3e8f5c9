-- Which wells are out of focus? Those with less than a quarter of the sharpness that is usual in their
-- channel. A well without cells has nothing to be sharp: it is left to which-wells-are-empty.sql.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
well as (
    select well, channel, frames, vollath_f4 as sharpness, p999 - median as signal
    from scopestream.wells
    where plate is not distinct from (select plate from newest)),
usual as (
    select channel,
           percentile_cont(0.5) within group (order by sharpness) as sharpness,
           percentile_cont(0.5) within group (order by signal) as signal
    from well
    group by channel)
select w.well, w.channel, w.frames,
       round((100 * w.sharpness / nullif(u.sharpness, 0))::numeric, 1) as percent_of_usual_sharpness
from well w
join usual u on u.channel is not distinct from w.channel
where w.sharpness < u.sharpness / 4
  and w.signal > u.signal / 10
order by w.sharpness / nullif(u.sharpness, 0), w.well;
