-- What does not come: silence, missing sites and wells, stalled files. What the microscope should do about what
-- was found. What is told outside.
--
-- now is a parameter throughout: a test need not wait. Frames are heard of by the database's clock, and how
-- long they usually take is the difference of their own times: so a microscope's wrong clock does no harm.

set client_min_messages = warning;
set role scopestream_owner;

-- A frame as it is noted here. file: of a file that no naming explains, its path.
do $$
begin
    if to_regtype('scopestream_data.noted_frame') is null then
        create type scopestream_data.noted_frame as (
            frame_id uuid, acquired_at timestamptz, pipeline_id integer, source text, experiment text, plate text,
            well text, site integer, channel text, z integer, t integer, page integer, file text,
            closed_at timestamptz);
    end if;
    -- What a plate lacks: a site and channel of a well, or with neither the whole well.
    if to_regtype('scopestream_data.lack') is null then
        create type scopestream_data.lack as (well text, site integer, channel text, planes integer[], frames integer);
    end if;
    -- How far an acquisition was when nothing came any more.
    if to_regtype('scopestream_data.standstill') is null then
        create type scopestream_data.standstill as (
            is_over boolean, may_be_over boolean, well text, pause_s double precision, words text);
    end if;
end
$$;

-- --- what has come ---

-- What a well may have, each once: well rows name these by number.
create table if not exists scopestream_data.part (
    part_id integer generated always as identity primary key,
    site integer,
    channel text,
    z integer
);
create unique index if not exists part_place on scopestream_data.part
    (coalesce(site, -1), coalesce(channel, ''), coalesce(z, -1));

-- A plate at a time point: what the stage goes over once.
create table if not exists scopestream_data.plate_round (
    round_id bigint generated always as identity primary key,
    source text not null,
    experiment text,
    plate text,
    t integer,
    pipeline_id integer,
    first_closed_at timestamptz not null, -- of its files
    closed_at timestamptz not null,
    acquired_at timestamptz not null,     -- of its newest frame
    began_at timestamptz not null,        -- when it was first heard of
    heard_at timestamptz not null,        -- and last
    grace_s double precision not null default 10, -- what comes no later than this is not missing
    look_at timestamptz                   -- when it has to be looked at; NULL: not before something comes
) with (fillfactor = 50);
create unique index if not exists plate_round_place on scopestream_data.plate_round
    (source, coalesce(plate, ''), coalesce(experiment, ''), coalesce(t, -1));
create index if not exists plate_round_due on scopestream_data.plate_round (look_at) where look_at is not null;
create index if not exists plate_round_old on scopestream_data.plate_round (heard_at);

create table if not exists scopestream_data.round_well (
    round_id bigint not null references scopestream_data.plate_round on delete cascade,
    well text not null,
    parts integer[] not null, -- sorted
    first_closed_at timestamptz not null,
    closed_at timestamptz not null,
    acquired_at timestamptz not null,
    heard_at timestamptz not null,
    y integer generated always as (scopestream.well_row(well)) stored,
    x integer generated always as (scopestream.well_column(well)) stored,
    primary key (round_id, well)
) with (fillfactor = 50);

-- When a source was last heard of, and how often it usually is.
create table if not exists scopestream_data.pulse (
    source text primary key,
    closed_at timestamptz[] not null default '{}', -- the newest 65 times at which files were closed, ascending
    usual_s double precision, -- median of their differences; NULL: fewer than 8
    pause_s double precision, -- the third longest: so long it pauses again and again
    heard_at timestamptz not null,
    acquired_at timestamptz not null, -- of its newest frame
    round_id bigint references scopestream_data.plate_round on delete set null, -- what its newest frame shows
    wait_until timestamptz -- before that its silence says nothing; infinity: nothing is to be expected
) with (fillfactor = 50);

-- Frames that got no numbers are no rows to steer by, and yet they came. A queue: watch_time() empties it.
create table if not exists scopestream_data.unread_frame (
    frame_id uuid not null,
    acquired_at timestamptz not null,
    pipeline_id integer not null
);

-- What is absent and was told: told once, and withdrawn when it comes.
create table if not exists scopestream_data.absence (
    absence_id bigint generated always as identity primary key,
    rule_id integer not null references scopestream_data.rule on delete cascade,
    kind text not null check (kind in ('silence', 'missing', 'event')),
    source text not null,
    round_id bigint references scopestream_data.plate_round on delete cascade, -- missing
    well text,
    site integer,
    channel text,
    event text, -- event: its name and file
    path text,
    heard_at timestamptz, -- silence, event: of the source's last frame before
    finding_id bigint,
    acquired_at timestamptz not null, -- of the finding
    alert_id bigint,
    told_at timestamptz not null
);
create index if not exists absence_round on scopestream_data.absence (round_id, well);
create index if not exists absence_alert on scopestream_data.absence (alert_id);
create index if not exists absence_source on scopestream_data.absence (source) where kind <> 'missing';

-- Which events were looked at: those up to event_id, and of the last 200, which may have been stored out of
-- order, these.
create table if not exists scopestream_data.watch (
    only_row boolean primary key default true check (only_row),
    event_id bigint not null,
    events bigint[] not null,
    tidied_at timestamptz
);
insert into scopestream_data.watch (event_id, events)
select coalesce(max(event_id), 0), coalesce(array_agg(event_id), '{}')
from (select event_id from scopestream_data.event order by event_id desc limit 200) old
on conflict do nothing;

create or replace function scopestream_data.note_unread_frames() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.unread_frame (frame_id, acquired_at, pipeline_id)
    select frame_id, acquired_at, pipeline_id from added where status <> 'ok';
    return null;
end
$$;
create or replace trigger note_unread_frames after insert on scopestream_data.result
    referencing new table as added
    for each statement execute function scopestream_data.note_unread_frames();

-- One look by key each, whatever the planner believes of a table that was small a moment ago.
create or replace function scopestream_data.noted_frames(keys scopestream_data.row_key[])
    returns scopestream_data.noted_frame[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return array(
        select distinct on (f.acquired_at, f.frame_id, k.pipeline_id)
               row(f.frame_id, f.acquired_at, k.pipeline_id, f.source, f.experiment, f.plate, f.well, f.site, f.channel,
                   f.z, f.t, f.page, case when f.naming is null then f.path end,
                   coalesce(f.closed_at, f.acquired_at))::scopestream_data.noted_frame
        from unnest(keys) k
        join scopestream_data.frame f on f.frame_id = k.frame_id and f.acquired_at = k.acquired_at
        order by f.acquired_at, f.frame_id, k.pipeline_id);
end
$$;

-- Seconds between these times, in their order.
create or replace function scopestream_data.intervals(times timestamptz[]) returns setof double precision
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select passed from (select extract(epoch from at - lag(at) over (order by at))::double precision as passed
                        from unnest(times) at) every
    where passed is not null
$$;
-- That in the middle; NULL for fewer than this.
create or replace function scopestream_data.usual_interval(times timestamptz[], fewest integer) returns double precision
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when count(*) >= fewest then percentile_cont(0.5) within group (order by passed) end
    from scopestream_data.intervals(times) passed
$$;

create or replace function scopestream_data.note_parts(frames scopestream_data.noted_frame[]) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.part (site, channel, z)
    select distinct f.site, f.channel, f.z from unnest(frames) f
    where f.well is not null and not exists (
        select from scopestream_data.part p
        where coalesce(p.site, -1) = coalesce(f.site, -1) and coalesce(p.channel, '') = coalesce(f.channel, '')
          and coalesce(p.z, -1) = coalesce(f.z, -1))
    order by 1, 2, 3
    on conflict do nothing
$$;

-- Whatever the order frames come in, what is kept is the same, but for when they were heard of.
create or replace function scopestream_data.note_rounds(frames scopestream_data.noted_frame[], now timestamptz)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.plate_round as r
        (source, experiment, plate, t, pipeline_id, first_closed_at, closed_at, acquired_at, began_at, heard_at, look_at)
    select f.source, f.experiment, f.plate, f.t, max(f.pipeline_id), min(f.closed_at), max(f.closed_at),
           max(f.acquired_at), now, now, now + interval '10 s'
    from unnest(frames) f where f.well is not null
    group by f.source, f.experiment, f.plate, f.t
    on conflict (source, (coalesce(plate, '')), (coalesce(experiment, '')), (coalesce(t, -1))) do update set
        first_closed_at = least(r.first_closed_at, excluded.first_closed_at),
        closed_at = greatest(r.closed_at, excluded.closed_at),
        acquired_at = greatest(r.acquired_at, excluded.acquired_at),
        heard_at = greatest(r.heard_at, excluded.heard_at),
        look_at = least(r.look_at, excluded.heard_at + make_interval(secs => r.grace_s));

    insert into scopestream_data.round_well as w
        (round_id, well, parts, first_closed_at, closed_at, acquired_at, heard_at)
    select r.round_id, f.well, array_agg(distinct p.part_id order by p.part_id), min(f.closed_at), max(f.closed_at),
           max(f.acquired_at), now
    from unnest(frames) f
    join scopestream_data.plate_round r
      on r.source = f.source and coalesce(r.plate, '') = coalesce(f.plate, '')
     and coalesce(r.experiment, '') = coalesce(f.experiment, '') and coalesce(r.t, -1) = coalesce(f.t, -1)
    join scopestream_data.part p
      on coalesce(p.site, -1) = coalesce(f.site, -1) and coalesce(p.channel, '') = coalesce(f.channel, '')
     and coalesce(p.z, -1) = coalesce(f.z, -1)
    where f.well is not null
    group by r.round_id, f.well
    on conflict (round_id, well) do update set
        parts = case when w.parts @> excluded.parts then w.parts
                     else array(select distinct part from unnest(w.parts || excluded.parts) part order by part) end,
        first_closed_at = least(w.first_closed_at, excluded.first_closed_at),
        closed_at = greatest(w.closed_at, excluded.closed_at),
        acquired_at = greatest(w.acquired_at, excluded.acquired_at),
        heard_at = greatest(w.heard_at, excluded.heard_at);

    -- What was told missing may have come: no need to wait.
    update scopestream_data.plate_round r set look_at = now
    from (select distinct f.source, f.experiment, f.plate, f.t, f.well from unnest(frames) f where f.well is not null) f
    where r.source = f.source and coalesce(r.plate, '') = coalesce(f.plate, '')
      and coalesce(r.experiment, '') = coalesce(f.experiment, '') and coalesce(r.t, -1) = coalesce(f.t, -1)
      and exists (select from scopestream_data.absence a where a.round_id = r.round_id and a.well = f.well);
end
$$;

-- The stage has left a round for another: the one it left is to be looked at, and if it left the plate, all of its
-- rounds.
create or replace function scopestream_data.leave_round(left_one bigint, next_one bigint, now timestamptz) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.plate_round r set look_at = greatest(now, r.heard_at + make_interval(secs => r.grace_s))
    from scopestream_data.plate_round l, scopestream_data.plate_round n
    where l.round_id = left_one and n.round_id = next_one and r.source = l.source
      and coalesce(r.plate, '') = coalesce(l.plate, '') and coalesce(r.experiment, '') = coalesce(l.experiment, '')
      and case when (n.plate, n.experiment) is distinct from (l.plate, l.experiment)
               then r.heard_at > now - interval '1 day'
               else r.round_id = l.round_id and n.first_closed_at >= r.closed_at end
$$;

create or replace function scopestream_data.note_pulse(frames scopestream_data.noted_frame[], now timestamptz)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    heard record;
    before scopestream_data.pulse;
    times timestamptz[];
    round_now bigint;
begin
    for heard in
        select f.source, array_agg(distinct f.closed_at) as times, max(f.acquired_at) as acquired_at,
               (array_agg(f order by f.closed_at desc, f.frame_id))[1] as newest
        from unnest(frames) f group by f.source order by f.source
    loop
        select * into before from scopestream_data.pulse p where p.source = heard.source;
        times := array(select at from (select distinct at from unnest(before.closed_at || heard.times) at
                                       order by at desc limit 65) newest order by at);
        round_now := before.round_id;
        if before.source is null or (heard.newest).closed_at >= before.closed_at[cardinality(before.closed_at)] then
            round_now := (
                select r.round_id from scopestream_data.plate_round r, (select (heard.newest).*) f
                where f.well is not null and r.source = f.source and coalesce(r.plate, '') = coalesce(f.plate, '')
                  and coalesce(r.experiment, '') = coalesce(f.experiment, '')
                  and coalesce(r.t, -1) = coalesce(f.t, -1));
            perform scopestream_data.leave_round(before.round_id, round_now, now) where round_now <> before.round_id;
        end if;
        insert into scopestream_data.pulse as p (source, closed_at, usual_s, pause_s, heard_at, acquired_at, round_id)
        values (heard.source, times, scopestream_data.usual_interval(times, 8),
                (select passed from scopestream_data.intervals(times) passed order by passed desc offset 2 limit 1),
                now, heard.acquired_at, round_now)
        on conflict (source) do update set
            closed_at = excluded.closed_at, usual_s = excluded.usual_s, pause_s = excluded.pause_s,
            round_id = excluded.round_id, wait_until = null,
            heard_at = greatest(p.heard_at, excluded.heard_at),
            acquired_at = greatest(p.acquired_at, excluded.acquired_at);
    end loop;
end
$$;

create or replace function scopestream_data.note_frames(frames scopestream_data.noted_frame[], now timestamptz)
    returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    select scopestream_data.note_parts(frames);
    select scopestream_data.note_rounds(frames, now);
    select scopestream_data.note_pulse(frames, now);
$$;

-- --- what is absent ---

-- Tells an absence once: a finding of its rule, and so an alert, and where the rule has an action, a decision.
create or replace function scopestream_data.tell_absence(rule scopestream_data.rule, absent scopestream_data.absence,
        place scopestream_data.found_place, value double precision, bound double precision, detail text,
        now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    since constant timestamptz := clock_timestamp();
begin
    absent.alert_id := scopestream_data.note_finding(rule, place, value, bound, detail);
    select f.finding_id, f.acquired_at into absent.finding_id, absent.acquired_at
    from scopestream_data.finding f
    where f.rule_id = rule.rule_id and f.found_at >= since
    order by f.found_at desc limit 1; -- by their numbers all of the months before would be gone through
    insert into scopestream_data.absence (rule_id, kind, source, round_id, well, site, channel, event, path, heard_at,
                                          finding_id, acquired_at, alert_id, told_at)
    values (rule.rule_id, rule.kind, place.source, absent.round_id, place.well, place.site, place.channel, absent.event,
            absent.path, absent.heard_at, absent.finding_id, absent.acquired_at, absent.alert_id, now);
    if rule.kind = 'missing' and rule.action is not null then
        perform scopestream_data.ask_for(rule, place, absent.alert_id, format('%s: %s', rule.name, detail), now);
    end if;
end
$$;

-- An alert some of whose findings were withdrawn says what is left.
create or replace function scopestream_data.shrink_alert(id bigint, gone integer) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.alert;
    rule scopestream_data.rule;
    last scopestream_data.finding;
begin
    select * into told from scopestream_data.alert a where a.alert_id = id;
    select * into rule from scopestream_data.rule r where r.rule_id = told.rule_id;
    select f.* into last from scopestream_data.finding f
    where (f.finding_id, f.acquired_at) = (select a.finding_id, a.acquired_at from scopestream_data.absence a
                                           where a.alert_id = id order by a.finding_id desc limit 1);
    told.findings := greatest(told.findings - gone, 0);
    told.wells := array(select distinct a.well from scopestream_data.absence a
                        where a.alert_id = id and a.well is not null order by a.well limit 2000);
    told.channels := array(select distinct a.channel from scopestream_data.absence a
                           where a.alert_id = id and a.channel is not null order by a.channel);
    if last.finding_id is not null then
        told.title := scopestream_data.alert_title(rule, told,
            (last.frame_id, last.acquired_at, last.pipeline_id, last.source, last.experiment, last.plate, last.well,
             last.site, last.channel)::scopestream_data.found_place, last.detail);
    end if;
    update scopestream_data.alert a
    set findings = told.findings, wells = told.wells, channels = told.channels, title = told.title
    where a.alert_id = id;
end
$$;

-- Absences that are none any more; an alert closes with its last. as_if_never: it was not so, a frame was merely
-- late, and the finding goes too; else it was so, and now it is over.
create or replace function scopestream_data.withdraw_absences(ids bigint[], as_if_never boolean) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    for told in
        with gone as (delete from scopestream_data.absence a where a.absence_id = any (ids) returning a.*),
        never as (delete from scopestream_data.finding f using gone
                  where as_if_never and f.finding_id = gone.finding_id and f.acquired_at = gone.acquired_at)
        select gone.alert_id, count(*)::integer as gone from gone
        where gone.alert_id is not null group by gone.alert_id order by gone.alert_id
    loop
        if exists (select from scopestream_data.absence a where a.alert_id = told.alert_id) then
            perform scopestream_data.shrink_alert(told.alert_id, told.gone) where as_if_never;
        elsif exists (select from scopestream_data.alert a
                      where a.alert_id = told.alert_id and a.state <> 'closed') then
            perform scopestream_data.clear_alert(told.alert_id);
        end if;
    end loop;
end
$$;

-- Closes an alert that has no reason left; its rule stands in that group as if nothing had been.
create or replace function scopestream_data.clear_alert(id bigint) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.rule_state s
    set alert_id = null, recent = repeat('0', 64)::bit(64), good_run = 0, pending = '{}',
        changed_at = clock_timestamp(), rearm_at = clock_timestamp() + make_interval(secs => r.rearm_s)
    from scopestream_data.rule r
    where s.alert_id = id and r.rule_id = s.rule_id
      and s.rule_id = (select a.rule_id from scopestream_data.alert a where a.alert_id = id);
    select scopestream_data.end_alert(id, 'rule')
$$;

-- Whether an enabled rule of this kind looks at this source.
create or replace function scopestream_data.rules_for(kind text, source text) returns setof scopestream_data.rule
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select r.* from scopestream_data.rule r
    where r.enabled and r.kind = rules_for.kind and (r.sources is null or rules_for.source = any (r.sources))
    order by r.rule_id
$$;

-- --- missing sites and wells ---

-- The wells a round should go over, sorted: those of the plate's layout, or those of the round before, if that had
-- ended when this one began. NULL: nobody knows.
create or replace function scopestream_data.expected_wells(r scopestream_data.plate_round) returns text[]
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(
        (select array_agg(w.well order by w.well) from scopestream_data.layout_well w
         where w.role <> 'empty' and w.layout_id = (
             select l.layout_id from scopestream_data.layout l where l.plate in (r.plate, '*')
             order by l.plate = '*' limit 1)),
        (select array_agg(w.well order by w.well) from scopestream_data.round_well w
         where w.round_id = (
             select b.round_id from scopestream_data.plate_round b
             where b.source = r.source and coalesce(b.plate, '') = coalesce(r.plate, '')
               and coalesce(b.experiment, '') = coalesce(r.experiment, '') and b.t < r.t
             order by b.t desc limit 1)
         having count(*) > 1 and max(w.closed_at) <= r.first_closed_at))
$$;

-- Which of these wells, that have no frame, the stage has passed. Only where it goes from neighbour to neighbour, along
-- rows or along columns: then all of a line it has left is passed, and what lies between two wells of its line.
-- Only wells that were quiet before this time tell where it was.
create or replace function scopestream_data.passed_wells(which bigint, absent text[], quiet_before timestamptz)
    returns text[]
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with seen as (
        select w.y, w.x, row_number() over (order by w.first_closed_at, w.well) as n
        from scopestream_data.round_well w where w.round_id = which and w.heard_at <= quiet_before),
    path as (
        select count(*) as steps, count(*) filter (where dy = 0 and abs(dx) = 1) as along_rows,
               count(*) filter (where dx = 0 and abs(dy) = 1) as along_columns
        from (select y - lag(y) over (order by n) as dy, x - lag(x) over (order by n) as dx from seen) step
        where dy is not null),
    way as (
        select along_rows > along_columns as by_rows from path where 2 * greatest(along_rows, along_columns) > steps),
    line as (
        select case when by_rows then y else x end as line, min(case when by_rows then x else y end) as first,
               max(case when by_rows then x else y end) as last, min(n) as first_n, max(n) as last_n
        from seen, way group by 1),
    ends as (
        select (array_agg(line order by first_n))[1] as first, (array_agg(line order by last_n desc))[1] as last
        from line)
    select coalesce(array_agg(a.well order by a.well), '{}')
    from unnest(absent) a(well)
    cross join way cross join ends
    cross join lateral (select scopestream.well_row(a.well) as y, scopestream.well_column(a.well) as x) place
    cross join lateral (
        select case when by_rows then y else x end as line, case when by_rows then x else y end as place) at
    left join line on line.line = at.line
    where at.line <> ends.last and at.line between least(ends.first, ends.last) and greatest(ends.first, ends.last)
       or at.place > line.first and at.place < line.last
$$;

-- The sites, channels and planes that at least half of the wells have, and more than one. A well alone tells nothing.
-- Nearly all wells have the same ones: these are counted first.
create or replace function scopestream_data.usual_parts(which bigint, quiet_before timestamptz) returns integer[]
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with kind as (
        select w.parts, count(*) as wells from scopestream_data.round_well w
        where w.round_id = which and w.heard_at <= quiet_before group by w.parts)
    select array_agg(part order by part)
    from (select part from kind, unnest(kind.parts) part group by part
          having sum(wells) > 1 and 2 * sum(wells) >= (select sum(wells) from kind)) often
$$;

-- Which usual parts wells lack that were quiet before this time, and that the stage has passed: a later well has the
-- part, or the round is over. So a plate that is imaged channel by channel lacks nothing at half time.
create or replace function scopestream_data.lacking_parts(which bigint, usual integer[], is_over boolean,
                                                          quiet_before timestamptz)
    returns setof scopestream_data.lack
    language sql stable set search_path = pg_catalog, pg_temp as $$
    with seen as materialized (
        select w.well, w.parts, row_number() over (order by w.first_closed_at, w.well) as n
        from scopestream_data.round_well w where w.round_id = which and w.heard_at <= quiet_before),
    suspect as materialized (
        select seen.* from seen where seen.parts <> usual and not seen.parts @> usual),
    last as materialized (
        select part, max(kind.n) as n
        from (select seen.parts, max(seen.n) as n from seen group by seen.parts) kind, unnest(kind.parts) part
        where exists (select from suspect) group by part)
    select s.well, p.site, p.channel, array_agg(p.z order by p.z) filter (where p.z is not null), count(*)::integer
    from suspect s
    cross join unnest(usual) u(part)
    join last on last.part = u.part
    join scopestream_data.part p on p.part_id = u.part
    where u.part <> all (s.parts) and (is_over or s.n < last.n)
    group by s.well, p.site, p.channel
$$;

-- Whether the microscope was told not to image this.
create or replace function scopestream_data.was_skipped(r scopestream_data.plate_round, l scopestream_data.lack)
    returns boolean
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from scopestream_data.decision d
        where d.source = r.source and (d.plate = r.plate or d.plate is null) and d.action = 'skip'
          and d.state in ('open', 'expired') and d.expires_at >= r.began_at
          and (d.well is null or d.well = l.well) and (d.site is null or d.site = l.site)
          and (coalesce(d.channels, '{}') = '{}' or l.channel = any (d.channels)))
$$;

create or replace function scopestream_data.lack_words(r scopestream_data.plate_round, l scopestream_data.lack)
    returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select concat_ws(', ', 'plate ' || r.plate, 'time point ' || r.t, 'well ' || l.well) || ': no frame'
        || case when l.site is null and l.channel is null then ' at all'
           else coalesce(' of site ' || l.site, '') || coalesce(' in ' || l.channel, '')
                || case when cardinality(l.planes) = 1 then ', plane ' || l.planes[1]
                        when cardinality(l.planes) between 2 and 8 then ', planes ' || array_to_string(l.planes, ' ')
                        when l.planes <> '{}' then format(', %s planes', cardinality(l.planes)) else '' end
                || ', which most wells have' end
$$;

-- What a rule has told missing of a round and what is missing become the same: up to 100 more at a time. Returns how
-- many are left to tell.
create or replace function scopestream_data.tell_lacks(rule scopestream_data.rule, r scopestream_data.plate_round,
                                                       lacks scopestream_data.lack[], now timestamptz) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    fresh scopestream_data.lack[];
    one scopestream_data.lack;
begin
    perform scopestream_data.withdraw_absences(array(
        select a.absence_id from scopestream_data.absence a
        where a.round_id = r.round_id and a.rule_id = rule.rule_id and not exists (
            select from unnest(lacks) l where l.well = a.well and l.site is not distinct from a.site
                                          and l.channel is not distinct from a.channel)), true);
    fresh := array(
        select l from unnest(lacks) l
        where (rule.channels is null or l.channel is null or l.channel = any (rule.channels))
          and not exists (
              select from scopestream_data.absence a
              where a.round_id = r.round_id and a.well = l.well and a.rule_id = rule.rule_id
                and a.site is not distinct from l.site and a.channel is not distinct from l.channel)
          and not scopestream_data.was_skipped(r, l)
        order by l.well, l.site, l.channel limit 101);
    foreach one in array fresh[:100] loop
        perform scopestream_data.tell_absence(rule, (jsonb_populate_record(null::scopestream_data.absence,
                jsonb_build_object('round_id', r.round_id))),
            (null, coalesce((select w.acquired_at from scopestream_data.round_well w
                             where w.round_id = r.round_id and w.well = one.well), r.acquired_at),
             r.pipeline_id, r.source, r.experiment, r.plate, one.well, one.site,
             one.channel)::scopestream_data.found_place,
            one.frames, null, scopestream_data.lack_words(r, one), now);
    end loop;
    return greatest(cardinality(fresh) - 100, 0);
end
$$;

-- Whether the stage has left a round for good: for another plate, or, having been at more than one well, for a later
-- time point of the same.
create or replace function scopestream_data.was_left(r scopestream_data.plate_round) returns boolean
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from scopestream_data.pulse p
        join scopestream_data.plate_round n on n.round_id = p.round_id
        where p.source = r.source and n.round_id <> r.round_id and n.closed_at >= r.closed_at
          and ((n.plate, n.experiment) is distinct from (r.plate, r.experiment)
               or n.first_closed_at >= r.closed_at
                  and (select count(*) from (select from scopestream_data.round_well w
                                             where w.round_id = r.round_id limit 2) wells) = 2))
$$;

-- Those of the first that are not among the second, sorted.
create or replace function scopestream_data.without(these text[], those text[]) returns text[]
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select array(select unnest(these) except select unnest(those) order by 1)
$$;
create or replace function scopestream_data.wells_seen(which bigint) returns text[]
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select array(select w.well from scopestream_data.round_well w where w.round_id = which)
$$;

-- Finds what a round lacks by now.
create or replace function scopestream_data.judge_round(which bigint, now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r scopestream_data.plate_round;
    quiet_before timestamptz;
    expected text[];
    absent text[];
    passed text[];
    usual integer[];
    is_over boolean;
    left_over integer;
begin
    select * into strict r from scopestream_data.plate_round p where p.round_id = which;
    r.grace_s := greatest(10, 2 * scopestream_data.usual_interval(array(
        select w.first_closed_at from scopestream_data.round_well w where w.round_id = which
        order by w.first_closed_at desc limit 33), 1));
    quiet_before := now - make_interval(secs => r.grace_s);
    usual := scopestream_data.usual_parts(which, quiet_before);
    expected := scopestream_data.expected_wells(r);
    absent := scopestream_data.without(expected, scopestream_data.wells_seen(which));
    passed := scopestream_data.passed_wells(which, absent, quiet_before);
    is_over := r.heard_at <= quiet_before and (scopestream_data.was_left(r)
                                               or expected is not null and cardinality(absent) = cardinality(passed));
    if not is_over then -- what was told remains told, whichever way the stage went since
        absent := scopestream_data.without(absent, scopestream_data.without(absent, passed || array(
            select a.well from scopestream_data.absence a where a.round_id = which and a.site is null)));
    end if;
    select sum(scopestream_data.tell_lacks(rule, r,
        array(select l from scopestream_data.lacking_parts(which, usual, is_over, quiet_before) l)
        || array(select (well, null, null, null, coalesce(cardinality(usual), 1))::scopestream_data.lack
                 from unnest(absent) well), now))
    into left_over from scopestream_data.rules_for('missing', r.source) rule;
    update scopestream_data.plate_round p
    set grace_s = r.grace_s,
        look_at = case when left_over > 0 then now else (
            select min(w.heard_at) + make_interval(secs => r.grace_s) from scopestream_data.round_well w
            where w.round_id = which and w.heard_at > quiet_before) end
    where p.round_id = which;
end
$$;

-- Up to 20 rounds at a time; a stage that stands is looked at once and then no more.
create or replace function scopestream_data.watch_rounds(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    due bigint;
begin
    for due in
        select r.round_id from scopestream_data.plate_round r where r.look_at <= now order by r.look_at, r.round_id limit 20
    loop
        perform scopestream_data.judge_round(due, now);
    end loop;
end
$$;

-- --- silence ---

-- How long it usually is from the end of a time point to the beginning of the next, over the last few; NULL where
-- nobody knows yet, or where time points do not follow each other.
create or replace function scopestream_data.round_pause(r scopestream_data.plate_round) returns double precision
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select case when count(pause) >= 2 and min(pause) >= 0 then percentile_cont(0.5) within group (order by pause) end
    from (select extract(epoch from first_closed_at - lag(closed_at) over (order by t))::double precision as pause
          from (select b.t, b.first_closed_at, b.closed_at from scopestream_data.plate_round b
                where b.source = r.source and coalesce(b.plate, '') = coalesce(r.plate, '')
                  and coalesce(b.experiment, '') = coalesce(r.experiment, '') and coalesce(b.t, -1) between 0 and r.t
                order by coalesce(b.t, -1) desc limit 16) late) pauses
$$;

-- How far a source's acquisition is: whether all is there that can be known of, and if not, where it stands.
-- pause_s: how long the stage usually takes from a well to the next, where the last one has all it should have, and
-- to the next time point, where the plate has.
create or replace function scopestream_data.standing(p scopestream_data.pulse) returns scopestream_data.standstill
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    r scopestream_data.plate_round;
    last scopestream_data.round_well;
    usual integer[];
    expected text[];
    ahead text[];
    passed text[];
    told_elsewhere boolean := exists (select from scopestream_data.rules_for('missing', p.source));
    others_lack boolean;
    answer scopestream_data.standstill := (false, false, null, null, '');
begin
    select * into r from scopestream_data.plate_round n where n.round_id = p.round_id;
    if not found then
        return answer;
    end if;
    select w.* into strict last from scopestream_data.round_well w
    where w.round_id = r.round_id order by w.closed_at desc, w.well desc limit 1;
    usual := scopestream_data.usual_parts(r.round_id, 'infinity');
    expected := scopestream_data.expected_wells(r);
    ahead := scopestream_data.without(expected, scopestream_data.wells_seen(r.round_id));
    passed := scopestream_data.passed_wells(r.round_id, ahead, 'infinity');
    ahead := scopestream_data.without(ahead, passed);
    others_lack := not told_elsewhere and (
        exists (select from scopestream_data.round_well w
                where w.round_id = r.round_id and w.well <> last.well and not w.parts @> usual)
        or passed <> '{}');
    answer.well := last.well;
    answer.is_over := coalesce(last.parts <@ usual and not others_lack and ahead = '{}'
                               and (last.parts @> usual or expected is not null and told_elsewhere), false);
    answer.may_be_over := expected is null and coalesce(last.parts @> usual, false);
    if answer.is_over then
        answer.pause_s := scopestream_data.round_pause(r);
        answer.is_over := answer.pause_s is null;
        answer.may_be_over := true;
    elsif last.parts @> usual then
        answer.pause_s := (
            select percentile_cont(0.5) within group (order by pause) from (
                select extract(epoch from first_closed_at - lag(closed_at) over (order by first_closed_at, well))
                       as pause
                from scopestream_data.round_well w
                where w.round_id = r.round_id order by first_closed_at desc limit 32) pauses);
    end if;
    answer.words := concat_ws(', ', 'plate ' || r.plate, 'time point ' || r.t,
        'last well ' || last.well || case when usual is null then format(' with %s frames', cardinality(last.parts))
            else format(' with %s of %s frames',
                        (select count(*) from unnest(last.parts) part where part = any (usual)), cardinality(usual)) end,
        case when expected is not null
             then format('%s of %s wells to come', cardinality(ahead), cardinality(expected)) end);
    return answer;
end
$$;

-- How long a silence is nothing unusual to a rule.
create or replace function scopestream_data.silence_bound(rule scopestream_data.rule, p scopestream_data.pulse,
                                                          pause_s double precision) returns double precision
    language sql immutable as $$
    select rule.bound * greatest(p.usual_s, p.pause_s, pause_s, 5)
$$;

create or replace function scopestream_data.tell_silence(rule scopestream_data.rule, p scopestream_data.pulse,
        stands scopestream_data.standstill, now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r scopestream_data.plate_round;
    silent_s constant double precision := extract(epoch from now - p.heard_at);
begin
    select * into r from scopestream_data.plate_round n where n.round_id = p.round_id;
    if stands.may_be_over then
        rule.severity := 'info';
    end if;
    perform scopestream_data.tell_absence(rule, (jsonb_populate_record(null::scopestream_data.absence,
            jsonb_build_object('heard_at', p.heard_at))),
        (null, p.acquired_at, r.pipeline_id, p.source, r.experiment, r.plate, stands.well, null, null)
            ::scopestream_data.found_place,
        round(silent_s::numeric, 1), scopestream_data.silence_bound(rule, p, stands.pause_s),
        format('no frame of %s for %s s, where at most %s s are usual', p.source, round(silent_s::numeric),
               scopestream_data.short_number(greatest(p.usual_s, p.pause_s, stands.pause_s)))
        || coalesce('; ' || nullif(stands.words, ''), ''), now);
end
$$;

-- The rules that have not told this silence yet.
create or replace function scopestream_data.silence_rules(p scopestream_data.pulse) returns setof scopestream_data.rule
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select r.* from scopestream_data.rules_for('silence', p.source) r
    where not exists (select from scopestream_data.absence a
                      where a.kind = 'silence' and a.source = p.source and a.rule_id = r.rule_id)
$$;

create or replace function scopestream_data.watch_silence(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    beat scopestream_data.pulse;
    stands scopestream_data.standstill;
begin
    perform scopestream_data.withdraw_absences(array(
        select a.absence_id from scopestream_data.absence a
        join scopestream_data.pulse p on p.source = a.source and p.heard_at > a.heard_at
        where a.kind = 'silence'), false);
    for beat in
        select p.* from scopestream_data.pulse p
        where p.usual_s is not null and coalesce(p.wait_until, p.heard_at + interval '5 s') < now
          and (p.wait_until is not null or p.heard_at > now - interval '1 hour')
        order by p.source
    loop
        stands := scopestream_data.standing(beat);
        perform scopestream_data.tell_silence(rule, beat, stands, now)
        from scopestream_data.silence_rules(beat) rule
        where not stands.is_over
          and beat.heard_at + make_interval(secs => scopestream_data.silence_bound(rule, beat, stands.pause_s)) < now;
        update scopestream_data.pulse p
        set wait_until = case when stands.is_over then 'infinity' else coalesce(
            (select min(beat.heard_at + make_interval(secs => scopestream_data.silence_bound(rule, beat, stands.pause_s)))
             from scopestream_data.silence_rules(beat) rule), 'infinity') end
        where p.source = beat.source;
    end loop;
end
$$;

-- --- events ---

-- What came between looks: those after the last one seen, and those before it that were stored late.
create or replace function scopestream_data.fresh_events() returns setof scopestream_data.event
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select e.* from scopestream_data.event e, scopestream_data.watch w
    where e.event_id > w.event_id - 200 and e.event_id <> all (w.events)
    order by e.event_id limit 200
$$;

create or replace function scopestream_data.tell_event(rule scopestream_data.rule, e scopestream_data.event,
                                                       now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    p scopestream_data.pulse;
    r scopestream_data.plate_round;
begin
    select * into p from scopestream_data.pulse q where q.source = e.source;
    select * into r from scopestream_data.plate_round n
    where n.round_id = p.round_id and position(n.plate in e.path) > 0; -- whose file it is
    perform scopestream_data.tell_absence(rule, (jsonb_populate_record(null::scopestream_data.absence,
            jsonb_build_object('event', e.event, 'path', e.path, 'heard_at', p.heard_at))),
        -- Not the event's own time, whose month may not be there.
        (null, p.acquired_at, r.pipeline_id, coalesce(e.source, '-'), r.experiment, r.plate, null, null, null)
            ::scopestream_data.found_place,
        null, rule.bound, concat_ws(': ', e.event, concat_ws(', ', e.path, e.detail)), now);
end
$$;

-- An event is over when its file has a row after all; a folder's being away, when it is back.
create or replace function scopestream_data.end_events() returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    select scopestream_data.withdraw_absences(array(
        select a.absence_id from scopestream_data.absence a
        join scopestream_data.pulse p on p.source = a.source and p.heard_at is distinct from a.heard_at
        where a.kind = 'event' and a.path is not null and exists (
            select from scopestream_data.frame f
            where f.path = a.path and f.source = a.source
              and f.acquired_at > a.acquired_at - interval '7 days')), false)
$$;

create or replace function scopestream_data.watch_events(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    fresh scopestream_data.event[] := array(select e from scopestream_data.fresh_events() e);
begin
    perform scopestream_data.end_events();
    if fresh = '{}' then
        return;
    end if;
    perform scopestream_data.withdraw_absences(array(
        select a.absence_id from unnest(fresh) e join scopestream_data.absence a on a.source = e.source
        where a.kind = 'event' and a.event = 'source-away' and e.event = 'source-back'), false);
    perform scopestream_data.tell_event(rule, e, now)
    from unnest(fresh) e join scopestream_data.rules_for('event', e.source) rule on rule.expression = e.event
    order by e.event_id;
    update scopestream_data.watch w
    set event_id = greatest(w.event_id, newest.id),
        events = array(select id from unnest(w.events || newest.ids) id
                       where id > greatest(w.event_id, newest.id) - 200)
    from (select max(e.event_id) as id, array_agg(e.event_id) as ids from unnest(fresh) e) newest;
end
$$;

-- --- decisions ---

do $$
begin
    if not exists (select from pg_constraint where conname = 'decision_state_check'
                   and pg_get_constraintdef(oid) like '%expired%') then
        alter table scopestream_data.decision
            drop constraint if exists decision_state_check,
            add constraint decision_state_check check (state in ('open', 'done', 'replaced', 'withdrawn', 'expired'));
    end if;
end
$$;
alter table scopestream_data.decision
    add column if not exists ended_at timestamptz, add column if not exists ended_because text;

-- Places have parts that may be NULL, and no index finds those: so their hashes are indexed.
create or replace function scopestream_data.spot_key(source text, plate text, well text, site integer) returns bigint
    language sql immutable parallel safe
    return hash_array_extended(array[source, plate, well, site::text], 0);
-- A decision on a site may be one on its well, its plate, or the microscope.
create or replace function scopestream_data.spot_keys(source text, plate text, well text, site integer) returns bigint[]
    language sql immutable parallel safe
    return array[
        scopestream_data.spot_key(source, plate, well, site), scopestream_data.spot_key(source, plate, well, null),
        scopestream_data.spot_key(source, plate, null, null), scopestream_data.spot_key(source, null, null, null)];
drop index if exists scopestream_data.decision_open;
create index if not exists decision_spot on scopestream_data.decision
    (scopestream_data.spot_key(source, plate, well, site)) where state = 'open';

-- In other words than the one above, lest a planner without statistics takes this for that.
create index if not exists decision_expiry on scopestream_data.decision (expires_at) where ended_at is null;

-- What a decision waits for: a frame of this place, newer than bad_at, that nothing is wrong with. NULL: any.
create table if not exists scopestream_data.decision_frame (
    decision_id bigint not null references scopestream_data.decision on delete cascade,
    site integer,
    channel text,
    z integer,
    pipeline text, -- whose numbers said it was bad
    bad_at timestamptz not null, -- acquired_at of the newest bad frame
    attempt integer not null default 1, -- bad frames so far
    good boolean not null default false,
    unique nulls not distinct (decision_id, site, channel, z)
) with (fillfactor = 70);

-- RFC 3339 as on the wire.
create or replace function scopestream_data.wire_time(at timestamptz) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- A decision as the microscope is told: what is over asks for nothing any more.
create or replace function scopestream_data.decision_body(d scopestream_data.decision) returns jsonb
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'kind', 'decision', 'decision_id', d.decision_id,
        'source', d.source, 'experiment', d.experiment, 'plate', d.plate, 'well', d.well,
        'site', d.site, 'channels', nullif(d.channels, '{}'),
        'action', case when d.state = 'open' then d.action else 'continue' end, 'attempt', d.attempt,
        'reason', coalesce(d.ended_because, d.reason), 'state', d.state,
        'rule', (select r.name from scopestream_data.rule r where r.rule_id = d.rule_id),
        'alert_id', d.alert_id, 'frame_id', d.frame_id, 'decided_at', scopestream_data.wire_time(d.decided_at),
        'decided_by', d.decided_by, 'expires_at', scopestream_data.wire_time(d.expires_at)))
$$;

create or replace function scopestream_data.tell_decisions(ids bigint[]) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.message (kind, source, body)
    select 'decision', d.source, scopestream_data.decision_body(d)
    from scopestream_data.decision d
    where d.decision_id = any (ids) and d.state <> 'replaced' -- of that its successor tells
    order by d.decision_id
$$;

-- Ends decisions that are open and that nobody is just now changing: a person's transaction may take its time, and
-- no store waits for it. Returns those that were ended.
create or replace function scopestream_data.end_decisions(ids bigint[], new_state text, because text) returns bigint[]
    language sql set search_path = pg_catalog, pg_temp as $$
    with free as (
        select d.decision_id from scopestream_data.decision d
        where d.decision_id = any (ids) and d.state <> all ('{done,replaced,withdrawn,expired}') -- open,
        -- in words no partial index knows: the keys are what to look by
        order by d.decision_id for update skip locked),
    ended as (
        update scopestream_data.decision d
        set state = new_state, ended_at = clock_timestamp(), ended_because = because
        from free where d.decision_id = free.decision_id
        returning d.decision_id)
    select coalesce(array_agg(decision_id order by decision_id), '{}') from ended
$$;

-- The open decisions on a place, newest first: of its site, well and plate.
create or replace function scopestream_data.decisions_on(place scopestream_data.found_place, now timestamptz)
    returns setof scopestream_data.decision
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
begin
    return query
    select d.* from scopestream_data.decision d
    where scopestream_data.spot_key(d.source, d.plate, d.well, d.site)
          = any (scopestream_data.spot_keys(place.source, place.plate, place.well, place.site))
      and d.state = 'open' and d.expires_at > now and d.source is not distinct from place.source
      and (d.plate is null or d.plate = place.plate) and (d.well is null or d.well = place.well)
      and (d.site is null or d.site = place.site) and (d.experiment is null or d.experiment = place.experiment)
    order by d.decision_id desc;
end
$$;

create or replace function scopestream_data.open_decision(told scopestream_data.decision, awaited
        scopestream_data.decision_frame[]) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.decision
        (source, experiment, plate, well, site, channels, action, attempt, reason, rule_id, alert_id, frame_id,
         decided_at, decided_by, expires_at)
    values (told.source, told.experiment, told.plate, told.well, told.site, coalesce(told.channels, '{}'), told.action,
            coalesce(told.attempt, 1), left(told.reason, 500), told.rule_id, told.alert_id, told.frame_id,
            told.decided_at, told.decided_by, told.expires_at)
    returning decision_id into told.decision_id;
    insert into scopestream_data.decision_frame (decision_id, site, channel, z, pipeline, bad_at, attempt, good)
    select told.decision_id, a.site, a.channel, a.z, a.pipeline, a.bad_at, coalesce(a.attempt, 1),
           coalesce(a.good, false)
    from unnest(awaited) a;
    return told.decision_id;
end
$$;

-- How much one action of a rule counts against another: losing data is the worst.
create or replace function scopestream_data.action_rank(action text) returns integer
    language sql immutable as $$
    select case action when 'image_again' then 3 when 'skip' then 2 else 1 end
$$;

-- Whether what stands at a place already says all that a rule asks for there. before: what it knows of that channel.
create or replace function scopestream_data.says_enough(standing scopestream_data.decision, rule scopestream_data.rule,
        before scopestream_data.decision_frame, awaited scopestream_data.decision_frame) returns boolean
    language sql immutable as $$
    select coalesce(awaited.bad_at <= before.bad_at, false) -- the same frame, by another rule or pipeline
        or scopestream_data.action_rank(rule.action) < scopestream_data.action_rank(standing.action)
        or standing.action = 'skip' and (rule.action = 'skip' or standing.attempt > 1)
        or standing.action = 'continue' and rule.action = 'continue'
$$;

-- What follows an image_again in vain: the next attempt, which also waits for what the last one did not get, or skip.
create or replace function scopestream_data.try_again(standing scopestream_data.decision,
        following scopestream_data.decision, attempt integer, most_attempts integer) returns scopestream_data.decision
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    following.attempt := attempt;
    following.channels := scopestream_data.with_names(standing.channels, following.channels);
    if attempt > most_attempts then
        following.action := 'skip';
        following.reason := format('imaged again %s, still %s', case most_attempts when 1 then 'once'
                                   else most_attempts || ' times' end, following.reason);
    end if;
    return following;
end
$$;

-- A rule asks for its action at a place where this was found: a decision is opened, made to cover it too, or, where the
-- place was imaged again in vain, followed by the next attempt and in the end by skip. awaited: the frame that is bad.
-- Returns the decision to tell of, NULL where nothing changes: a person's word stands, and a skip remains.
create or replace function scopestream_data.ask(rule scopestream_data.rule, place scopestream_data.found_place,
        found_alert bigint, awaited scopestream_data.decision_frame, because text, now timestamptz) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    standing scopestream_data.decision;
    before scopestream_data.decision_frame;
    next scopestream_data.decision;
    awaits scopestream_data.decision_frame[];
begin
    if exists (select from scopestream_data.decisions_on(place, now) d where d.rule_id is null) then
        return null;
    end if;
    select d.* into standing from scopestream_data.decisions_on(place, now) d
    where d.well is not distinct from place.well and d.site is not distinct from place.site limit 1;
    select f.* into before from scopestream_data.decision_frame f
    where f.decision_id = standing.decision_id and f.site is not distinct from awaited.site
      and f.channel is not distinct from awaited.channel and f.z is not distinct from awaited.z;
    awaited.attempt := coalesce(before.attempt, 0) + 1;
    if standing.decision_id is not null then
        if scopestream_data.says_enough(standing, rule, before, awaited) then
            return null;
        end if;
        perform from scopestream_data.decision d
        where d.decision_id = standing.decision_id and d.state <> all ('{done,replaced,withdrawn,expired}')
        for update skip locked;
        if not found then
            return null; -- a person is just changing it
        end if;
    end if;

    next := (null, place.source, place.experiment, place.plate, place.well, place.site, array[place.channel],
             rule.action, 1, because, rule.rule_id, found_alert, place.frame_id, now, 'rule',
             now + make_interval(secs => rule.action_expires_s), 'open', null, null);
    next.channels := array_remove(next.channels, null);
    if standing.action = rule.action and awaited.attempt <= standing.attempt then
        return scopestream_data.widen_decision(standing, next, awaited);
    end if;
    awaits := array[awaited];
    if standing.action = 'image_again' then
        next := scopestream_data.try_again(standing, next, awaited.attempt, rule.most_attempts);
        awaits := awaits || array(
            select f from scopestream_data.decision_frame f
            where f.decision_id = standing.decision_id and not f.good and (f.site, f.channel, f.z)
                  is distinct from (awaited.site, awaited.channel, awaited.z));
    end if;
    perform scopestream_data.end_decisions(array[standing.decision_id], 'replaced', null);
    return scopestream_data.open_decision(next, case when next.action = 'continue' then '{}' else awaits end);
end
$$;

-- More is wrong at a place that is to be imaged again: one decision covers it.
create or replace function scopestream_data.widen_decision(standing scopestream_data.decision,
        more scopestream_data.decision, awaited scopestream_data.decision_frame) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.decision_frame as f (decision_id, site, channel, z, pipeline, bad_at, attempt)
    values (standing.decision_id, awaited.site, awaited.channel, awaited.z, awaited.pipeline, awaited.bad_at,
            awaited.attempt)
    on conflict (decision_id, site, channel, z) do update set
        bad_at = excluded.bad_at, attempt = excluded.attempt, pipeline = excluded.pipeline, good = false;
    update scopestream_data.decision d
    set channels = case when d.channels = '{}' then d.channels
                        else scopestream_data.with_names(d.channels, more.channels) end,
        reason = case when position(more.reason in d.reason) > 0 then d.reason
                      else left(d.reason || '; ' || more.reason, 500) end,
        expires_at = greatest(d.expires_at, more.expires_at)
    where d.decision_id = standing.decision_id;
    return standing.decision_id;
end
$$;

-- The same for what is absent: any frame of the place will do.
create or replace function scopestream_data.ask_for(rule scopestream_data.rule, place scopestream_data.found_place,
        found_alert bigint, because text, now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    awaited scopestream_data.decision_frame := (null, place.site, place.channel, null, null, '-infinity', 1, false);
begin
    perform scopestream_data.tell_decisions(array[
        scopestream_data.ask(rule, place, found_alert, awaited, because, now)]);
end
$$;

-- Which frames of a batch decisions have to know: those that a rule with an action found bad, with what it found, and
-- those that may be what an open decision, or one these will open, waits for.
do $$
begin
    if to_regtype('scopestream_data.deciding_frame') is null then
        create type scopestream_data.deciding_frame as (
            frame scopestream_data.noted_frame, rule_id integer, alert_id bigint, because text);
    end if;
end
$$;
create or replace function scopestream_data.deciding_frames(frames scopestream_data.noted_frame[], now timestamptz)
    returns setof scopestream_data.deciding_frame
    language plpgsql stable set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return query
    with placed as materialized (
        select f from unnest(frames) f where coalesce(f.well, f.site::text) is not null),
    bad as materialized (
        select (p.f).frame_id, (p.f).pipeline_id,
               (array_agg(r.rule_id order by rank.rank desc, fault.finding_id))[1] as rule_id,
               (array_agg(fault.alert_id order by rank.rank desc, fault.finding_id))[1] as alert_id,
               string_agg(scopestream_data.finding_words(r, fault), '; ' order by fault.finding_id) as because
        from placed p
        join scopestream_data.finding fault on fault.frame_id = (p.f).frame_id and fault.acquired_at = (p.f).acquired_at
             and fault.pipeline_id = (p.f).pipeline_id
        join scopestream_data.rule r on r.rule_id = fault.rule_id and r.action is not null
        cross join lateral (select scopestream_data.action_rank(r.action) as rank) rank
        group by 1, 2),
    judged as materialized (
        select p.f, bad.rule_id, bad.alert_id, bad.because,
               bool_or(bad.rule_id is not null) over (
                   partition by (p.f).source, (p.f).experiment, (p.f).plate, (p.f).well, (p.f).site) as bad_place
        from placed p left join bad on bad.frame_id = (p.f).frame_id and bad.pipeline_id = (p.f).pipeline_id)
    select j.f, j.rule_id, j.alert_id, j.because
    from judged j
    where j.bad_place or exists (
        select from scopestream_data.decision d
        where d.state = 'open' and scopestream_data.spot_key(d.source, d.plate, d.well, d.site)
              = any (scopestream_data.spot_keys((j.f).source, (j.f).plate, (j.f).well, (j.f).site)))
    order by (j.f).acquired_at, (j.f).frame_id, (j.f).pipeline_id;
end
$$;

-- What was found, as a reason: 'out_of_focus: DAPI, z -7.2, bound -5'.
create or replace function scopestream_data.finding_words(rule scopestream_data.rule, found scopestream_data.finding)
    returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select rule.name || coalesce(': ' || nullif(concat_ws(', ', found.channel, coalesce(found.detail,
        scopestream_data.value_name(rule) || ' ' || scopestream_data.short_number(found.value)
        || coalesce(', bound ' || scopestream_data.short_number(found.bound), ''))), ''), '')
$$;

-- Whether a newer frame of the same place has numbers already: then an older one that comes late asks for nothing.
create or replace function scopestream_data.is_superseded(f scopestream_data.noted_frame) returns boolean
    language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
begin
    return exists (
        select from scopestream_data.frame n
        join scopestream_data.result r on r.frame_id = n.frame_id and r.acquired_at = n.acquired_at
        where scopestream_data.site_key(n.source, n.experiment, n.plate, n.well, n.site, n.channel, n.z, n.page,
                                        case when n.naming is null then n.path end)
              = scopestream_data.site_key(f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.page,
                                          f.file)
          and n.acquired_at > f.acquired_at and n.source = f.source and n.plate is not distinct from f.plate
          and n.well is not distinct from f.well and n.site is not distinct from f.site
          and n.channel is not distinct from f.channel and n.z is not distinct from f.z
          and r.status = 'ok');
end
$$;

-- A frame has come that open decisions may wait for. What a person asked for any newer frame does; what a rule
-- asked for only one that is good, by the same pipeline. Decisions that wait for no more are done.
create or replace function scopestream_data.answer_decisions(f scopestream_data.noted_frame, is_good boolean,
                                                             now timestamptz) returns bigint[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    standing constant bigint[] := array(
        select d.decision_id from scopestream_data.decisions_on(
            (f.frame_id, f.acquired_at, f.pipeline_id, f.source, f.experiment, f.plate, f.well, f.site, f.channel)
                ::scopestream_data.found_place, now) d
        where d.rule_id is null or is_good);
begin
    update scopestream_data.decision_frame a set good = true
    where a.decision_id = any (standing) and not a.good and a.bad_at < f.acquired_at
      and (a.site is null or a.site = f.site) and (a.channel is null or a.channel = f.channel)
      and (a.z is null or a.z = f.z)
      and (a.pipeline is null or a.pipeline = (select p.name from scopestream_data.pipeline p
                                               where p.pipeline_id = f.pipeline_id));
    return scopestream_data.end_decisions(array(
        select a.decision_id from scopestream_data.decision_frame a
        where a.decision_id = any (standing) group by a.decision_id having bool_and(a.good)),
        'done', case when is_good then 'a newer frame is good' else 'imaged again' end);
end
$$;

-- Decides on this batch of frames, which baselines, scores and rules have been through. Looks at nothing else.
create or replace function scopestream_data.decide(keys scopestream_data.row_key[],
                                                   now timestamptz default clock_timestamp()) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set jit = off set enable_seqscan = off as $$
declare
    frames scopestream_data.noted_frame[] := scopestream_data.noted_frames(keys);
    changed bigint[] := '{}';
    each scopestream_data.deciding_frame;
    f scopestream_data.noted_frame;
    rule scopestream_data.rule;
begin
    perform scopestream_data.note_frames(frames, now);
    if not exists (select from scopestream_data.rule r where r.action is not null)
       and not exists (select from scopestream_data.decision d where d.state = 'open') then
        return;
    end if;
    for each in select * from scopestream_data.deciding_frames(frames, now) loop
        f := each.frame;
        changed := changed || scopestream_data.answer_decisions(f, each.rule_id is null, now);
        continue when each.rule_id is null or scopestream_data.is_superseded(f);
        select * into rule from scopestream_data.rule r where r.rule_id = each.rule_id;
        changed := changed || scopestream_data.ask(rule,
            (f.frame_id, f.acquired_at, f.pipeline_id, f.source, f.experiment, f.plate, f.well, f.site, f.channel)
                ::scopestream_data.found_place,
            each.alert_id,
            (null, f.site, f.channel, f.z,
             (select p.name from scopestream_data.pipeline p where p.pipeline_id = f.pipeline_id), f.acquired_at, 1,
             false)::scopestream_data.decision_frame,
            each.because, now);
    end loop;
    perform scopestream_data.tell_decisions(changed);
end
$$;

-- Up to 500 at a time; the microscope is told, though it could know.
create or replace function scopestream_data.expire_decisions(now timestamptz) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    select scopestream_data.tell_decisions(scopestream_data.end_decisions(due.ids, 'expired', 'expired'))
    from (select array_agg(decision_id) as ids from (
              select d.decision_id from scopestream_data.decision d
              where d.ended_at is null and d.expires_at <= now order by d.expires_at limit 500) due) due
    where due.ids is not null
$$;

-- What a person's image_again of a place waits for: all that is known of it, newer than what there is.
create or replace function scopestream_data.known_frames(told scopestream_data.decision)
    returns scopestream_data.decision_frame[]
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(known),
                    array[(null, null, null, null, null, '-infinity', 1, false)::scopestream_data.decision_frame])
    from (
        select distinct (null, p.site, p.channel, null, null, max(w.acquired_at) over (), 1, false)
                        ::scopestream_data.decision_frame as known
        from scopestream_data.round_well w
        cross join unnest(w.parts) part
        join scopestream_data.part p on p.part_id = part
        where w.well = told.well and (told.site is null or p.site = told.site)
          and (coalesce(told.channels, '{}') = '{}' or p.channel = any (told.channels))
          and w.round_id = (select r.round_id from scopestream_data.plate_round r
                            where r.source = told.source and coalesce(r.plate, '') = coalesce(told.plate, '')
                            order by r.closed_at desc limit 1)) known
$$;

create or replace function scopestream_data.check_decision(told scopestream_data.decision, expires interval)
    returns void
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    wrong text;
begin
    wrong := case
        when told.action is null or told.action not in ('image_again', 'skip', 'continue')
            then format('action ''%s'': expected image_again, skip or continue', told.action)
        when told.well !~ '^[A-Z]{1,2}\d{2}$'
            then format('well ''%s'': expected letters and two digits, such as A01', told.well)
        when told.site is not null and told.well is null and told.plate is not null and exists (
                 select from scopestream_data.plate_round r where r.source = told.source and r.plate = told.plate)
            then 'a site of which well? This plate has wells'
        when coalesce(trim(told.reason), '') = '' then 'a reason is needed: a few words'
        when expires is null or expires <= interval '0' then format('expires %s: expected more than nothing', expires)
        when not exists (select from scopestream_data.pulse p where p.source = told.source)
            then format('no frame of source ''%s'' has come yet; known: %s', told.source,
                        coalesce((select string_agg(p.source, ', ' order by p.source) from scopestream_data.pulse p),
                                 'none'))
        end;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'invalid_parameter_value';
    end if;
end
$$;

create or replace function scopestream.decide(source text, plate text, well text, site integer, action text,
        reason text, expires interval default interval '1 hour', channels text[] default '{}') returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.decision := (
        null, source, null, plate, well, site, coalesce(channels, '{}'), action, 1, reason, null, null, null,
        clock_timestamp(), session_user, clock_timestamp() + expires, 'open', null, null);
begin
    perform scopestream_data.check_decision(told, expires);
    told.experiment := (select r.experiment from scopestream_data.plate_round r
                        where r.source = told.source and coalesce(r.plate, '') = coalesce(told.plate, '')
                        order by r.closed_at desc limit 1);
    update scopestream_data.decision d
    set state = 'replaced', ended_at = clock_timestamp(), ended_because = 'decided anew by ' || told.decided_by
    where d.state = 'open' and d.source = told.source and (told.plate is null or d.plate = told.plate)
      and (told.well is null or d.well = told.well) and (told.site is null or d.site = told.site);
    told.decision_id := scopestream_data.open_decision(told,
        case when told.action = 'image_again' then scopestream_data.known_frames(told) else '{}' end);
    perform scopestream_data.tell_decisions(array[told.decision_id]);
    return told.decision_id;
end
$$;
comment on function scopestream.decide is 'Decides what the microscope shall do at a site (or with site NULL at a well, with well NULL at a plate), until it expires: image_again, skip, continue. Returns the decision''s number. While it stands, no rule decides there';

create or replace function scopestream.withdraw_decision(decision_id bigint, reason text default null) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update scopestream_data.decision d
    set state = 'withdrawn', ended_at = clock_timestamp(),
        ended_because = concat_ws(': ', 'withdrawn by ' || session_user, withdraw_decision.reason)
    where d.decision_id = withdraw_decision.decision_id and d.state = 'open';
    if not found then
        raise exception 'decision %: not open; see scopestream.decisions', withdraw_decision.decision_id
            using errcode = 'invalid_parameter_value';
    end if;
    perform scopestream_data.tell_decisions(array[withdraw_decision.decision_id]);
end
$$;
comment on function scopestream.withdraw_decision is 'Takes a decision back, a rule''s or a person''s: the microscope is told to continue';

create or replace view scopestream.decisions as
    select d.decision_id, d.source, d.experiment, d.plate, d.well, d.site, d.channels, d.action, d.attempt, d.reason,
           case when d.state = 'open' and d.expires_at <= clock_timestamp() then 'expired' else d.state end as state,
           r.name as rule, d.alert_id, d.frame_id, d.decided_at, d.decided_by, d.expires_at, d.ended_at, d.ended_because
    from scopestream_data.decision d
    left join scopestream_data.rule r on r.rule_id = d.rule_id;
comment on view scopestream.decisions is 'What the microscope should do at a site, and what became of it';
comment on column scopestream.decisions.decision_id is 'its number; the higher one is the newer';
comment on column scopestream.decisions.source is 'configured name of the microscope''s output';
comment on column scopestream.decisions.experiment is 'as the folder names tell';
comment on column scopestream.decisions.plate is 'NULL: all of them';
comment on column scopestream.decisions.well is 'NULL: the whole plate';
comment on column scopestream.decisions.site is 'NULL: the whole well';
comment on column scopestream.decisions.channels is 'empty: all of them';
comment on column scopestream.decisions.action is 'image_again, skip, continue';
comment on column scopestream.decisions.attempt is 'how often it was asked for at this site; one too many and the site is skipped';
comment on column scopestream.decisions.reason is 'what was found there, or a person''s words';
comment on column scopestream.decisions.state is 'open; done: a newer frame is good; replaced: a newer decision on this site; withdrawn: by a person; expired';
comment on column scopestream.decisions.rule is 'that asked for it; NULL: a person';
comment on column scopestream.decisions.alert_id is 'of the alert it belongs to';
comment on column scopestream.decisions.frame_id is 'of the frame that led to it';
comment on column scopestream.decisions.decided_at is 'when';
comment on column scopestream.decisions.decided_by is '''rule'', or who';
comment on column scopestream.decisions.expires_at is 'it counts until then';
comment on column scopestream.decisions.ended_at is 'when it was done, replaced, withdrawn or expired';
comment on column scopestream.decisions.ended_because is 'why, in words';

-- The answer to a request scopestream.decisions: the open ones, the newest first, up to 500: so it fits a
-- message of 1 MiB.
create or replace function scopestream_data.open_decisions(source text default null, plate text default null)
    returns jsonb
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select jsonb_build_object('at', scopestream_data.wire_time(clock_timestamp()),
        'decisions', coalesce(jsonb_agg(scopestream_data.decision_body(d) order by (d).decision_id desc)
                                  filter (where n <= 500), '[]'),
        'more', count(*) > 500)
    from (select d, row_number() over () as n from (
              select d from scopestream_data.decision d
              where d.state = 'open' and d.expires_at > clock_timestamp()
                and (open_decisions.source is null or d.source = open_decisions.source)
                and (open_decisions.plate is null or d.plate = open_decisions.plate)
              order by d.decision_id desc limit 501) d) numbered(d, n)
$$;
comment on function scopestream_data.open_decisions is 'What is open, as docs/wire.md tells it';

-- --- messages ---

-- Which frames of a batch are how interesting, by the default model: a message a source, and up to 1000 frames each.
create or replace function scopestream_data.tell_priorities(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp
    set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    model scopestream_data.model;
begin
    select * into model from scopestream_data.model m where m.is_default and m.enabled;
    if not found then
        return;
    end if;
    insert into scopestream_data.message (kind, source, body)
    select 'priority', told.source, jsonb_build_object('kind', 'priority', 'source', told.source, 'model', model.name,
        'version', model.version, 'frames', jsonb_agg(told.body order by told.n))
    from (select f.source, n, (n - 1) / 1000 as part, jsonb_strip_nulls(jsonb_build_object(
                     'frame_id', f.frame_id, 'acquired_at', scopestream_data.wire_time(f.acquired_at),
                     'experiment', f.experiment, 'plate', f.plate, 'well', f.well, 'site', f.site, 'channel', f.channel,
                     'z', f.z, 't', f.t, 'path', f.path, 'page', nullif(f.page, 0), 'score', f.score, 'tier', f.tier,
                     'known', f.known, 'model', model.name, 'version', model.version)) as body
          from (select f.*, p.score, p.tier, p.known,
                       row_number() over (partition by f.source order by f.acquired_at, f.frame_id) as n
                from unnest(keys) k
                join scopestream_data.priority p on p.frame_id = k.frame_id and p.acquired_at = k.acquired_at
                     and p.pipeline_id = k.pipeline_id and p.model_id = model.model_id
                join scopestream_data.frame f on f.frame_id = k.frame_id and f.acquired_at = k.acquired_at) f) told
    group by told.source, told.part
    order by told.source, told.part;
end
$$;

-- A copy for each webhook that wants it.
create or replace function scopestream_data.post_messages() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.webhook_post (webhook, body)
    select w.name, m.body
    from added m join scopestream_data.webhook w on m.kind = any (w.kinds)
    where m.kind <> 'alert'
       or array_position('{info,warning,critical}', m.body ->> 'severity')
          >= array_position('{info,warning,critical}', w.least_severity)
    order by m.message_id, w.name;
    return null;
end
$$;
create or replace trigger post_messages after insert on scopestream_data.message
    referencing new table as added
    for each statement execute function scopestream_data.post_messages();

-- The oldest messages that no other store has in hand, which hold as long as the transaction: begin, take,
-- publish, flush, drop, commit. Who dies in between publishes again.
create or replace function scopestream_data.take_messages(most integer default 256)
    returns setof scopestream_data.message
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    select m.* from scopestream_data.message m order by m.message_id limit most for update skip locked
$$;
create or replace function scopestream_data.drop_messages(ids bigint[]) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    delete from scopestream_data.message m where m.message_id = any (ids)
$$;
comment on function scopestream_data.take_messages is 'Messages to publish; locked until the transaction ends';
comment on function scopestream_data.drop_messages is 'Forgets messages that were published';

-- The webhooks of the settings, [{"name": ..., "kinds": [...], "least_severity": ...}, ...]: those not among them are
-- forgotten, with what waited for them.
create or replace function scopestream_data.register_webhooks(webhooks jsonb) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from scopestream_data.webhook w
    where w.name not in (select h ->> 'name' from jsonb_array_elements(webhooks) h);
    insert into scopestream_data.webhook as w (name, kinds, least_severity)
    select h.name, coalesce(h.kinds, '{alert}'), coalesce(h.least_severity, 'warning')
    from jsonb_to_recordset(webhooks) h(name text, kinds text[], least_severity text)
    order by h.name
    on conflict (name) do update set kinds = excluded.kinds, least_severity = excluded.least_severity
    where (w.kinds, w.least_severity) is distinct from (excluded.kinds, excluded.least_severity);
end
$$;
comment on function scopestream_data.register_webhooks is 'Says which webhooks there are and what each wants';

-- Posts that are due, of one webhook where it is named: what waits for a receiver that hangs is in nobody's way then.
-- Who takes one has a minute; then it is due again, for the sender may have died.
create or replace function scopestream_data.take_posts(most integer default 16,
        now timestamptz default clock_timestamp(), only_webhook text default null)
    returns setof scopestream_data.webhook_post
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    with due as (
        select p.post_id from scopestream_data.webhook_post p
        where not p.given_up and p.next_at <= now and (only_webhook is null or p.webhook = only_webhook)
        order by p.next_at, p.post_id limit most for update skip locked),
    taken as (
        update scopestream_data.webhook_post p set next_at = now + interval '1 minute'
        from due where p.post_id = due.post_id returning p.*)
    select * from taken order by post_id
$$;
create or replace function scopestream_data.post_done(id bigint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    delete from scopestream_data.webhook_post p where p.post_id = id
$$;
-- After 1 s, 2 s, 4 s, ... an hour; what failed for a day is given up, and kept to be seen.
create or replace function scopestream_data.post_failed(id bigint, error text,
        now timestamptz default clock_timestamp()) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.webhook_post p
    set attempts = p.attempts + 1, last_error = left(error, 500),
        next_at = now + make_interval(secs => least(2.0 ^ least(p.attempts, 12), 3600)),
        given_up = now >= p.written_at + interval '1 day'
    where p.post_id = id
$$;
comment on function scopestream_data.take_posts is 'Posts to send now; due again in a minute unless told done or failed';
comment on function scopestream_data.post_done is 'A post was delivered';
comment on function scopestream_data.post_failed is 'A post was not delivered; tried again later, less and less often, for a day';

create or replace view scopestream.webhook_posts as
    select p.post_id, p.webhook, p.body ->> 'kind' as kind, coalesce(p.body ->> 'title', p.body ->> 'reason') as about,
           p.attempts, p.last_error, case when p.given_up then null else p.next_at end as next_at, p.given_up,
           p.written_at, p.body
    from scopestream_data.webhook_post p;
comment on view scopestream.webhook_posts is 'What waits to be sent to webhooks, and what was given up; what was delivered is gone';
comment on column scopestream.webhook_posts.post_id is 'its number';
comment on column scopestream.webhook_posts.webhook is 'name in the settings';
comment on column scopestream.webhook_posts.kind is 'alert, decision, priority';
comment on column scopestream.webhook_posts.about is 'an alert''s title, a decision''s reason';
comment on column scopestream.webhook_posts.attempts is 'that failed';
comment on column scopestream.webhook_posts.last_error is 'why the last one did';
comment on column scopestream.webhook_posts.next_at is 'when it is tried next; NULL: given up';
comment on column scopestream.webhook_posts.given_up is 'after a day without success';
comment on column scopestream.webhook_posts.written_at is 'when what it tells happened';
comment on column scopestream.webhook_posts.body is 'what is sent, as docs/wire.md tells it';

-- --- the watch ---

-- Frames without numbers came too.
create or replace function scopestream_data.watch_unread_frames(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    keys scopestream_data.row_key[];
begin
    with taken as (
        delete from scopestream_data.unread_frame u
        where u.ctid in (select ctid from scopestream_data.unread_frame limit 1000)
        returning u.*)
    select array_agg((frame_id, acquired_at, pipeline_id)::scopestream_data.row_key) into keys from taken;
    if keys is not null then
        perform scopestream_data.note_frames(scopestream_data.noted_frames(keys), now);
    end if;
end
$$;

-- Pixels after a week, by each source's own time. Source by source, so that nothing younger is looked at.
create or replace function scopestream_data.forget_pixels() returns void
    language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    beat scopestream_data.pulse;
begin
    for beat in select * from scopestream_data.pulse loop
        delete from scopestream_data.pixels_seen s
        where s.source = beat.source and s.acquired_at < beat.acquired_at - interval '7 days';
    end loop;
end
$$;

-- What is old: pixels after a week; posts given up after a month; rounds after a year.
create or replace function scopestream_data.tidy(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.tell_grown_alerts();
    perform scopestream_data.refresh_baselines(8);
    if (select w.tidied_at > now - interval '10 minutes' from scopestream_data.watch w) then
        return;
    end if;
    update scopestream_data.watch set tidied_at = now;
    perform scopestream_data.forget_old_groups(now);
    perform scopestream_data.forget_pixels();
    delete from scopestream_data.webhook_post p where p.given_up and p.written_at < now - interval '30 days';
    delete from scopestream_data.absence a where a.kind = 'event' and a.told_at < now - interval '30 days';
    delete from scopestream_data.plate_round r where r.round_id in (
        select o.round_id from scopestream_data.plate_round o
        where o.heard_at < now - interval '1 year' order by o.heard_at limit 1000);
end
$$;

-- A step that fails is told, once a day, and keeps none of the others from being done. One that would have to wait for
-- somebody's open transaction is done another time.
create or replace function scopestream_data.watch_step(step text, now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('select scopestream_data.%I($1)', step) using now;
exception
    when lock_not_available or deadlock_detected then
        null;
    when others then
        insert into scopestream_data.event (at, level, event, detail, document_md5)
        values (now, 'error', 'steering-failed', format('%s: %s', step, sqlerrm),
                md5(concat_ws(' ', step, sqlerrm, now::date))::uuid)
        on conflict (document_md5) do nothing;
end
$$;

-- One at a time steers. By a row, not by an advisory lock, which every reader could hold.
create or replace function scopestream_data.take_turn() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform from scopestream_data.steering for update;
end
$$;

create or replace function scopestream_data.may_steer() returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.take_turn();
    return true;
exception when lock_not_available then
    return false; -- another store is at it for longer than we wait
end
$$;

-- What happens because time passes: to be called every second or two. Looks only at what is due.
create or replace function scopestream_data.watch_time(now timestamptz default clock_timestamp()) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' set jit = off as $$
begin
    if not (select s.enabled from scopestream_data.steering s) or not scopestream_data.may_steer() then
        return;
    end if;
    perform scopestream_data.watch_step(step, now)
    from unnest(array['watch_unread_frames', 'watch_rounds', 'watch_silence', 'watch_events', 'expire_decisions',
                      'steer_put_off', 'tidy']) step;
end
$$;
comment on function scopestream_data.watch_time is 'Notices what does not come, lets decisions expire and tidies up';

-- --- who may ---

do $$
declare
    inner_one regprocedure;
begin
    foreach inner_one in array array(
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'scopestream_data'::regnamespace and p.proname in (
            'note_unread_frames', 'noted_frames', 'intervals', 'usual_interval', 'note_parts', 'note_rounds',
            'leave_round', 'note_pulse', 'note_frames', 'tell_absence', 'shrink_alert', 'withdraw_absences',
            'clear_alert', 'rules_for', 'expected_wells', 'passed_wells', 'usual_parts', 'lacking_parts',
            'was_skipped', 'lack_words', 'tell_lacks', 'was_left', 'without', 'wells_seen', 'judge_round',
            'watch_rounds', 'round_pause', 'standing', 'silence_bound', 'silence_rules', 'tell_silence',
            'watch_silence', 'fresh_events', 'tell_event', 'end_events', 'watch_events', 'wire_time', 'decision_body',
            'tell_decisions', 'end_decisions', 'decisions_on', 'open_decision', 'action_rank', 'spot_key',
            'spot_keys', 'says_enough', 'try_again', 'ask', 'widen_decision', 'ask_for', 'deciding_frames',
            'finding_words', 'is_superseded', 'answer_decisions', 'decide', 'expire_decisions', 'known_frames',
            'check_decision', 'open_decisions', 'take_turn', 'tell_priorities', 'post_messages', 'take_messages',
            'drop_messages', 'register_webhooks', 'take_posts', 'post_done', 'post_failed', 'watch_unread_frames',
            'forget_pixels', 'tidy', 'watch_step', 'may_steer', 'watch_time'))
    loop
        execute format('revoke execute on function %s from public', inner_one);
    end loop;
end
$$;
grant execute on function scopestream_data.watch_time, scopestream_data.open_decisions, scopestream_data.take_messages,
    scopestream_data.drop_messages, scopestream_data.register_webhooks, scopestream_data.take_posts,
    scopestream_data.post_done, scopestream_data.post_failed to scopestream_store;

revoke execute on function scopestream.decide, scopestream.withdraw_decision
    from public, scopestream_reader, scopestream_store;
grant execute on function scopestream.decide, scopestream.withdraw_decision to scopestream_scientist;

insert into scopestream_data.schema_migration (version, name, sha256) values (15, '015_absence_and_decisions.sql', '')
on conflict (version) do nothing;

reset role;
