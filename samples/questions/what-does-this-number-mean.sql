-- What does a number mean? Every column that is measured by a pipeline of the newest plate, with its unit and formula.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
plate as materialized (
    select p.pipelines
    from asked a
    join scopestream.plates p on p.source = a.source and p.plate is not distinct from a.plate
    limit 1)
select m.name, m.unit, m.formula, m.detects, m.cellprofiler, m.source
from scopestream.measures m
where m.pipelines && (select p.pipelines from plate p) or not exists (select from plate)
order by m.name;
