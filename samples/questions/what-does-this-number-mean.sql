-- What does a number mean? Every column that was measured, with its unit and formula.
select name, unit, formula, detects, cellprofiler, source
from scopestream.measures
order by name;
