-- Which wells are out of focus? Those with less than half of the sharpness that is usual in their
-- channel. Sharpness is how steep the picture is for its contrast: tenengrad / std^2 depends neither
-- on the exposure nor on how many cells there are, and an empty field, all noise, counts as sharp.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
well as (
    select well, channel, count(*) as frames,
           percentile_cont(0.5) within group (order by tenengrad / nullif(std, 0) ^ 2) as sharpness
    from scopestream.features
    where plate is not distinct from (select plate from newest)
    group by well, channel),
usual as (
    select channel, percentile_cont(0.5) within group (order by sharpness) as sharpness
    from well
    group by channel)
select w.well, w.channel, w.frames,
       round((100 * w.sharpness / nullif(u.sharpness, 0))::numeric, 1) as percent_of_usual_sharpness
from well w
join usual u on u.channel is not distinct from w.channel
where w.sharpness < u.sharpness / 2
order by w.sharpness / nullif(u.sharpness, 0), w.well;
