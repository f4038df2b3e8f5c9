-- Why is a number missing? Which have no value, in how many frames, and what the worker says of it.
select missing.name, missing.reason, count(*) as frames, min(path) as such_as
from scopestream.features,
     jsonb_each_text(null_reasons) as missing(name, reason)
where plate is not distinct from (select plate from scopestream.frames order by acquired_at desc limit 1)
group by missing.name, missing.reason
order by frames desc, missing.name;
