-- What there is to choose from: the numbers of a plate map, explained.
select json_build_object('measures', coalesce(json_agg(
    json_build_object('name', name, 'unit', unit, 'measure', measure, 'formula', formula, 'detects', detects)
    order by measure, name), '[]'))
from scopestream.measures where kind = 'number'
