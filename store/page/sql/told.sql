-- What the page tells everybody once a second. Each list ends: the page is no archive.
with plate as (
    select n.place, p.source, p.experiment, p.plate, p.frames, p.ok, p.failed, p.channels, p.first_acquired_at,
           p.last_acquired_at
    from scopestream.newest_plates n cross join lateral (
        select * from scopestream.plates
        where plate = n.plate and source = n.source and experiment is not distinct from n.experiment
        union all
        select * from scopestream.plates
        where n.plate is null and plate is null and source = n.source and experiment is not distinct from n.experiment) p),
alert as (
    select alert_id, state, severity, rule, title, source, experiment, plate, wells, channels, findings, opened_at,
           last_at, worst_frame_id
    from scopestream.alerts where state <> 'closed'
    order by array_position('{critical,warning,info}'::text[], severity), opened_at desc limit 50),
decision as (
    select decision_id, source, experiment, plate, well, site, channels, action, attempt, reason, decided_at, expires_at
    from scopestream.decisions where state = 'open' order by decision_id desc limit 30)
select json_build_object(
    'at', clock_timestamp(),
    'plates', coalesce((select json_agg(p order by p.place) from plate p), '[]'),
    'alerts', coalesce((select json_agg(a) from alert a), '[]'),
    'alerts_open', (select count(*) from scopestream.alerts where state <> 'closed'),
    'decisions', coalesce((select json_agg(d) from decision d), '[]'),
    'decisions_open', (select count(*) from scopestream.decisions where state = 'open'))
