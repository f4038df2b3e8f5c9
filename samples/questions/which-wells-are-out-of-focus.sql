-- Which wells are out of focus? Those with less than half of the focus that is usual in their channel.
-- Focus depends neither on the exposure nor on how many cells there are; frames that hold too little
-- to tell, empty ones or nearly so, are left out. docs/focus.md tells more.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
well as (
    select well, channel, count(*) as frames,
           percentile_cont(0.5) within group (order by focus) as focus
    from scopestream.features
    where plate is not distinct from (select plate from newest) and focus_snr >= 200
    group by well, channel),
usual as (
    select channel, percentile_cont(0.5) within group (order by focus) as focus
    from well
    group by channel)
select w.well, w.channel, w.frames,
       round((100 * w.focus / nullif(u.focus, 0))::numeric, 1) as percent_of_usual_focus
from well w
join usual u on u.channel is not distinct from w.channel
where w.focus < u.focus / 2
order by w.focus / nullif(u.focus, 0), w.well;
