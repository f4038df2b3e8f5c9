-- What went wrong? Frames that have a row but no numbers, and files that were never finished.
select stored_at as at, source, status as what, path, page, reason as why
from scopestream.failures
union all
select at, source, event, path, null, detail
from scopestream.events
where level <> 'info'
order by at desc
limit 100;
