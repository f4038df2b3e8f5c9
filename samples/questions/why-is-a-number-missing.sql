-- Why is a number missing? Which have no value, in how many frames of the plate, and what the worker says of it.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select missing.name, missing.reason, count(*) as frames, min(f.path) as such_as
from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
cross join lateral jsonb_each_text(f.null_reasons) as missing(name, reason)
group by missing.name, missing.reason
order by frames desc, missing.name;
