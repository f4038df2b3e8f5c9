-- A plate map of one number: the median over each well, laid out as the plate is, one map a channel.
-- Any column of scopestream.wells may stand in place of the focus here. \crosstabview turns rows
-- into columns in psql; other clients leave that line out and take well_row and well_column as axes.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1)
select concat_ws(' ', 'channel', channel, substring(well from '^[A-Z]+')) as "row",
       scopestream.well_column(well) as "column",
       round(focus::numeric, 4) as value
from scopestream.wells
where plate is not distinct from (select plate from newest) and well is not null
order by channel, scopestream.well_row(well), scopestream.well_column(well)
\crosstabview row column value column
