-- What went wrong? Frames that have a row but no numbers, and files that were never finished: the last 100.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select w.at as time, w.source, w.what, w.path, w.page, w.why
from asked a
cross join lateral (
    (select stored_at as at, source, status as what, path, page, reason as why
     from scopestream.failures f
     where f.source = a.source
     order by stored_at desc
     limit 100)
    union all
    (select at, source, event, path, null, detail
     from scopestream.events e
     where e.level <> 'info' and coalesce(e.source, a.source) = a.source
     order by at desc
     limit 100)) w
order by w.at desc
limit 100;
