-- What was stored lately, in steps of 10 s from $1 on: seconds since 1970, frames, median of the seconds from
-- file closed to row written.
select extract(epoch from date_bin('10 s', stored_at, 'epoch'))::bigint, count(*),
       percentile_cont(0.5) within group (order by latency_s)
from scopestream.frames where stored_at >= to_timestamp($1::float8) group by 1 order by 1
