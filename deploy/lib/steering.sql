-- What steering said: the alerts that were raised, and the wells of highest priority. A frame that came when there
-- was nothing to compare it with says nothing about its well.
set client_min_messages = warning;
\pset footer off

select format(E'\n  %s alerts', count(*)) from scopestream.alerts
\g (tuples_only=on format=unaligned)
select '  ' || regexp_replace(title, '^(.{116}).{5,}$', '\1 ...') from scopestream.alerts order by severity = 'info', alert_id
\g (tuples_only=on format=unaligned)

\echo
\echo '  Of highest priority:'
select plate, well, score::numeric(4,2), tier from scopestream.well_priorities
where is_default and unknown_frames = 0 order by score desc, plate, well limit 3;
