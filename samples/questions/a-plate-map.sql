-- What does the plate look like in one number? Its map: the median over each well, one map a channel. Any number of
-- scopestream.measures may stand in place of focus, or score, or frames. \crosstabview turns rows into columns in psql;
-- other clients leave that line out.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select concat_ws(' ', 'channel', m.channel, substring(m.well from '^[A-Z]+')) as "row", m."column",
       round(m.value::numeric, 4) as value
from asked a
cross join lateral scopestream.plate_map(a.plate, 'focus', source => a.source) m
order by m.channel, m."row", m."column"
\crosstabview row column value column
