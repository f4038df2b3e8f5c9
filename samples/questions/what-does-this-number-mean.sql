-- What does a number mean? Every column that is measured by a pipeline of the newest plate, with its unit and formula.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.plates order by last_acquired_at desc limit 1)
select m.name, m.unit, m.formula, m.detects, m.cellprofiler, m.source
from scopestream.measures m
where exists (select from asked a
              join scopestream.plates p on p.source = a.source and p.plate is not distinct from a.plate
              where p.pipelines && m.pipelines)
   or not exists (select from asked)
order by m.name;
