-- How many frames are in each tier? The default model's tiers over the plate, channel by channel: A is the most
-- interesting quarter of what could be, not of what is. unknown: frames the model had no answer for, which count as
-- interesting. docs/steering.md tells more.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select f.channel, f.model, f.tier, count(*) as frames,
       round(100.0 * count(*) / sum(count(*)) over (partition by f.channel), 1) as percent,
       count(*) filter (where not f.known) as unknown, round(avg(f.score)::numeric, 2) as mean_score
from asked a
join scopestream.priorities f on f.source = a.source
 and (f.plate = a.plate or f.plate is null
      and f.acquired_at between case when a.plate is null then a.since end and a.until)
where f.is_default
group by f.channel, f.model, f.tier
order by f.channel, mean_score desc;
