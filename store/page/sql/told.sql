-- What the page tells everybody once a second. Each list ends: the page is no archive.
with alert as (
    select alert_id, state, severity, rule, title, source, experiment, plate, wells, channels, findings, opened_at,
           last_at, worst_frame_id
    from scopestream.alerts where state <> 'closed'
    order by array_position('{critical,warning,info}'::text[], severity), opened_at desc limit 50),
decision as (
    select decision_id, source, experiment, plate, well, site, channels, action, attempt, reason, decided_at, expires_at
    from scopestream.decisions where state = 'open' order by decision_id desc limit 30)
select json_build_object(
    'at', clock_timestamp(),
    'plates', coalesce((select json_agg(p) from (select source, experiment, plate, frames, ok, failed, channels,
        first_acquired_at, last_acquired_at from scopestream.plates order by last_acquired_at desc limit 30) p), '[]'),
    'alerts', coalesce((select json_agg(a) from alert a), '[]'),
    'alerts_open', (select count(*) from scopestream.alerts where state <> 'closed'),
    'decisions', coalesce((select json_agg(d) from decision d), '[]'),
    'decisions_open', (select count(*) from scopestream.decisions where state = 'open'))
