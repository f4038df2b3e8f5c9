-- One frame: where it stands, its numbers, and what became of it. $1 its id.
with asked as (select $1::uuid as id),
frame as (select f.* from scopestream.frames f join asked on f.frame_id = asked.id order by f.stored_at desc limit 1)
select json_build_object(
    'frame', (select json_build_object('id', f.frame_id, 'at', f.acquired_at, 'source', f.source,
        'experiment', f.experiment, 'plate', f.plate, 'well', f.well, 'site', f.site, 'channel', f.channel, 'z', f.z,
        't', f.t, 'path', f.path, 'page', f.page, 'status', f.status, 'reason', f.reason, 'width', f.width,
        'height', f.height, 'bits', f.bits, 'pipeline', f.pipeline) from frame f),
    'picture', (select json_build_object('low', t.low, 'high', t.high)
        from scopestream.thumbnails t join frame f using (frame_id, acquired_at)),
    'score', (select json_build_object('score', p.score, 'tier', p.tier, 'model', p.model)
        from scopestream.priorities p join frame f using (frame_id, acquired_at)
        where p.is_default order by p.scored_at desc limit 1),
    'numbers', (select json_object_agg(n.key, n.value) from
        (select v.* from scopestream.features v join frame f using (frame_id, acquired_at)
         order by v.stored_at desc limit 1) v,
        json_each(to_json(v)) n
        where n.key in (select name from scopestream.measures where kind = 'number') and n.value::text <> 'null'),
    'way', coalesce((select json_agg(json_build_object('step', s.step, 'at', s.at, 'after_s', s.after_s,
        'detail', s.detail)) from asked, scopestream.trace(asked.id::text) s), '[]'))
