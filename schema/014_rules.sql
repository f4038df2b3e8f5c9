-- Rules find what goes wrong, alerts tell it. A rule's frames are judged bad, good or neither; what it finds
-- bad is a finding; enough findings of a group open one alert, which gathers those that follow.
--
-- A frame counts when it comes: a batch is taken in the order of acquisition, batches in the order of arrival.
-- So a late frame is judged as every other, belongs to its own plate's alert, and changes nothing told before.
-- A repeated one is no new row and never gets here.

set client_min_messages = warning;
set role scopestream_owner;

alter table scopestream_data.rule add column if not exists waits_for text; -- why a built-in one cannot judge yet

-- Where something was found: a frame, or a place without one.
do $$
begin
    if to_regtype('scopestream_data.found_place') is null then
        create type scopestream_data.found_place as (
            frame_id uuid, acquired_at timestamptz, pipeline_id integer, source text, experiment text, plate text,
            well text, site integer, channel text);
    end if;
    -- What becomes of a rule's state over some verdicts. steps: 'held': bad, and no alert is due; 'leads': bad, one
    -- of the k of an alert that opens later; 'opens', 'joins', 'closes'; NULL: nothing.
    if to_regtype('scopestream_data.walked') is null then
        create type scopestream_data.walked as (
            steps text[], recent bit(64), good_run integer, is_open boolean, rearm_at timestamptz);
    end if;
    if to_regtype('scopestream_data.assigned') is null then
        create type scopestream_data.assigned as (
            state scopestream_data.rule_state,
            alerts bigint[],  -- of each verdict
            held integer,     -- how many bad ones at the end belong to none
            opened bigint[], closed bigint[]);
    end if;
    if to_regtype('scopestream_data.rule_limits') is null then
        -- Bad below low or above high; good from clear_low to clear_high; NULL: no limit on that side.
        create type scopestream_data.rule_limits as (
            low double precision, high double precision, inclusive boolean, -- low and high are bad themselves
            clear_low double precision, clear_high double precision);
    end if;
    if to_regtype('scopestream_data.charted') is null then
        create type scopestream_data.charted as (
            "values" double precision[], -- of the chart at each frame
            ewma double precision, high double precision, low double precision); -- after the last
    end if;
    if to_regtype('scopestream_data.judged_group') is null then
        -- What a rule says of the frames of one group, in the order of acquisition.
        create type scopestream_data.judged_group as (
            rule_place integer, group_key text, places scopestream_data.found_place[],
            "values" double precision[], verdicts integer[]);
    end if;
end
$$;

-- --- groups and windows ---

-- Of which alert a frame would be. Without a search_path of its own, so that it is inlined.
create or replace function scopestream_data.group_key(group_by text, source text, experiment text, plate text,
                                                      well text, site integer, channel text) returns text
    language sql stable as $$
    select case group_by
        when 'source' then pg_catalog.jsonb_build_array(source)
        when 'plate' then pg_catalog.jsonb_build_array(source, experiment, plate)
        when 'channel' then pg_catalog.jsonb_build_array(source, experiment, plate, channel)
        when 'well' then pg_catalog.jsonb_build_array(source, experiment, plate, well)
        else pg_catalog.jsonb_build_array(source, experiment, plate, well, site) end::text
$$;

-- Takes a rule from where it stands over verdicts (1 bad, -1 good, 0 neither) that came at these times.
-- Nothing is stored: test_rule() walks the same way.
create or replace function scopestream_data.walk(rule scopestream_data.rule, start scopestream_data.walked,
                                                 verdicts integer[], times timestamptz[])
    returns scopestream_data.walked
    language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    one constant bit(64) := 1::bigint::bit(64);
    recent bit(64) := start.recent;
    good_run integer := start.good_run;
    is_open boolean := start.is_open;
    rearm_at timestamptz := start.rearm_at;
    steps text[] := array_fill(null::text, array[cardinality(verdicts)]);
    held integer[] := '{}';
    led integer;
begin
    for i in 1 .. cardinality(verdicts) loop
        if verdicts[i] > 0 then
            recent := recent << 1 | one;
            good_run := 0;
            steps[i] := case when is_open then 'joins'
                             when bit_count(recent << (64 - rule.n)) < rule.k or times[i] < rearm_at then 'held'
                             else 'opens' end;
            if steps[i] = 'held' then
                held := held || i;
            elsif steps[i] = 'opens' then
                foreach led in array held[greatest(1, cardinality(held) - rule.k + 2):] loop
                    steps[led] := 'leads';
                end loop;
                held := '{}';
                is_open := true;
            end if;
        elsif verdicts[i] < 0 then
            recent := recent << 1;
            good_run := good_run + 1;
            if is_open and good_run >= rule.clear_after then
                steps[i] := 'closes';
                is_open := false;
                recent := repeat('0', 64)::bit(64);
                rearm_at := times[i] + make_interval(secs => rule.rearm_s);
            end if;
        end if;
    end loop;
    return (steps, recent, good_run, is_open, rearm_at)::scopestream_data.walked;
end
$$;

-- The more, the farther from what is good.
create or replace function scopestream_data.badness(kind text, comparison text, value double precision)
    returns double precision
    language sql immutable as $$
    select case when kind in ('ewma', 'cusum') then pg_catalog.abs(value)
                when comparison in ('<', '<=') then -value else value end
$$;

-- --- words ---

-- A list of names, sorted, each once: a thousand wells are enough to go and look.
create or replace function scopestream_data.with_names(names text[], more text[]) returns text[]
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when array_remove(more, null) <@ names then names
                else array(select distinct name from unnest(names || more) name
                           where name is not null order by name limit 2000) end
$$;

create or replace function scopestream_data.short_number(value double precision) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when value = 0 or abs(value) between 0.001 and 1e6
                then trim_scale(round(value::numeric,
                         greatest(0, 2 - floor(log(greatest(abs(value), 0.001)))::integer)))::text
                else trim(to_char(value, '9.99EEEE')) end
$$;

-- What the value of a rule is called in a title.
create or replace function scopestream_data.value_name(rule scopestream_data.rule) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when rule.kind in ('ewma', 'cusum') then rule.kind
                when rule.expression ~ '^\s*z\s*\(' then 'z'
                when rule.expression ~ '^\s*[a-z][a-z0-9_]*\s*$' then trim(rule.expression)
                else 'value' end
$$;

-- Which group of frames an alert is about: 'plate P1, well C06'.
create or replace function scopestream_data.group_name(group_by text, place scopestream_data.found_place) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select concat_ws(', ',
        case when group_by = 'source' or place.plate is null then place.source else 'plate ' || place.plate end,
        case when group_by = 'channel' then place.channel end,
        case when group_by in ('well', 'site') then 'well ' || place.well end,
        case when group_by = 'site' then 'site ' || place.site end)
$$;

-- One line a person understands: 'out_of_focus: 12 frames of plate P1 (C06 D04 F05), worst z -7.2, bound -5'.
-- What was found without a number tells of itself in detail.
create or replace function scopestream_data.alert_title(rule scopestream_data.rule, told scopestream_data.alert,
                                                        place scopestream_data.found_place, detail text)
    returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when detail is not null and told.findings = 1 then format('%s: %s', told.rule, detail)
    else format('%s: %s %s of %s%s%s%s', told.rule, told.findings,
        case when rule.kind in ('bound', 'ewma', 'cusum') then 'frame'
             when rule.kind = 'event' then 'event' else 'finding' end
            || case when told.findings = 1 then '' else 's' end,
        scopestream_data.group_name(rule.group_by, place),
        case when rule.group_by not in ('well', 'site') and told.wells <> '{}' then format(' (%s%s)',
            array_to_string(told.wells[1:6], ' '),
            case when cardinality(told.wells) > 6
                 then format(' and %s more wells', cardinality(told.wells) - 6) end) end,
        case when told.value is not null then format(', %s %s %s',
            case when told.findings = 1 then 'with' else 'worst' end,
            scopestream_data.value_name(rule), scopestream_data.short_number(told.value)) end,
        case when detail is not null then ', last: ' || detail
             when told.bound is not null then ', bound ' || scopestream_data.short_number(told.bound) end) end
$$;

-- --- telling ---

-- Puts down that an alert is to be told outside: change is opened, grown, acknowledged or closed. One that the
-- rate limit held back is never told.
create or replace function scopestream_data.tell_alert(id bigint, change text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a scopestream_data.alert;
begin
    update scopestream_data.alert t set told_at = clock_timestamp(), told_findings = t.findings
    where t.alert_id = id and t.sent returning * into a;
    if found then
        insert into scopestream_data.message (kind, source, body)
        select 'alert', a.source, jsonb_strip_nulls(jsonb_build_object(
            'kind', 'alert', 'change', change, 'alert_id', a.alert_id, 'rule_id', a.rule_id, 'rule', a.rule,
            'severity', a.severity, 'state', a.state, 'title', a.title, 'source', a.source,
            'experiment', a.experiment, 'plate', a.plate,
            'wells', a.wells, 'channels', a.channels, 'findings', a.findings, 'value', a.value, 'bound', a.bound,
            'frame_id', a.frame_id, 'acquired_at', scopestream_data.wire_time(a.acquired_at),
            'worst_frame_id', a.worst_frame_id, 'opened_at', scopestream_data.wire_time(a.opened_at),
            'last_at', scopestream_data.wire_time(a.last_at),
            'acknowledged_at', scopestream_data.wire_time(a.acknowledged_at), 'acknowledged_by', a.acknowledged_by,
            'closed_at', scopestream_data.wire_time(a.closed_at), 'closed_by', a.closed_by, 'note', a.note));
    end if;
end
$$;

-- Alerts that have grown since they were last told, and were not told just now.
create or replace function scopestream_data.tell_grown_alerts() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.tell_alert(a.alert_id, 'grown')
    from scopestream_data.alert a, scopestream_data.steering s
    where a.state = 'open' and a.sent and a.findings > a.told_findings
      and a.told_at < clock_timestamp() - make_interval(secs => s.tell_growth_s)
    order by a.alert_id;
end
$$;

-- --- alerts ---

create or replace function scopestream_data.open_alert(rule scopestream_data.rule, place scopestream_data.found_place)
    returns bigint
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.alert (rule_id, rule, severity, source, experiment, plate, title, sent)
    values (rule.rule_id, rule.name, rule.severity, place.source, place.experiment,
            case when rule.group_by <> 'source' then place.plate end, rule.name,
            (select count(*) from scopestream_data.alert a
             where a.rule_id = rule.rule_id and a.opened_at > clock_timestamp() - interval '1 hour' and a.sent)
            < rule.most_per_hour)
    returning alert_id
$$;

-- Adds findings of one group to its alert, which from then on tells of them too.
create or replace function scopestream_data.extend_alert(rule scopestream_data.rule, id bigint,
                                                         added scopestream_data.finding[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.alert;
    worst scopestream_data.finding;
    last constant scopestream_data.finding := added[cardinality(added)];
begin
    select * into strict told from scopestream_data.alert a where a.alert_id = id for update;
    select f.* into worst from unnest(added) f
    order by scopestream_data.badness(rule.kind, rule.comparison, f.value) desc nulls last, f.acquired_at, f.frame_id
    limit 1;
    if told.findings = 0 then
        told.frame_id := added[1].frame_id;
        told.acquired_at := added[1].acquired_at;
    end if;
    if told.findings = 0
       or scopestream_data.badness(rule.kind, rule.comparison, worst.value)
          > coalesce(scopestream_data.badness(rule.kind, rule.comparison, told.value), '-infinity') then
        told.worst_frame_id := worst.frame_id;
        told.value := worst.value;
        told.bound := worst.bound;
    end if;
    told.findings := told.findings + cardinality(added);
    told.wells := scopestream_data.with_names(told.wells, array(select f.well from unnest(added) f));
    told.channels := scopestream_data.with_names(told.channels, array(select f.channel from unnest(added) f));
    told.title := scopestream_data.alert_title(rule, told,
        (last.frame_id, last.acquired_at, last.pipeline_id, last.source, last.experiment, last.plate, last.well,
         last.site, last.channel)::scopestream_data.found_place, last.detail);
    update scopestream_data.alert a set
        findings = told.findings, wells = told.wells, channels = told.channels, frame_id = told.frame_id,
        acquired_at = told.acquired_at, worst_frame_id = told.worst_frame_id, value = told.value,
        bound = told.bound, title = told.title, last_at = clock_timestamp()
    where a.alert_id = id;
end
$$;

-- Closes an alert: the group's window is empty then, and after rearm_s it may open another.
create or replace function scopestream_data.end_alert(id bigint, by_whom text) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.alert a set state = 'closed', closed_at = clock_timestamp(), closed_by = by_whom
    where a.alert_id = id;
    select scopestream_data.tell_alert(id, 'closed')
$$;

-- --- findings ---

-- Stores those of these places that are bad, in this order, each with the alert it belongs to.
create or replace function scopestream_data.insert_findings(rule scopestream_data.rule,
        places scopestream_data.found_place[], "values" double precision[], details text[], verdicts integer[],
        alerts bigint[])
    returns scopestream_data.finding[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stored scopestream_data.finding[];
begin
    with added as (
        insert into scopestream_data.finding (acquired_at, rule_id, alert_id, frame_id, pipeline_id, source, experiment,
                                              plate, well, site, channel, value, bound, detail)
        select coalesce(p.acquired_at, clock_timestamp()), rule.rule_id, a.alert_id, p.frame_id, p.pipeline_id,
               p.source, p.experiment, p.plate, p.well, p.site, p.channel, a.value, rule.bound, a.detail
        from unnest(places) with ordinality
             p(frame_id, acquired_at, pipeline_id, source, experiment, plate, well, site, channel, i)
        join unnest("values", details, verdicts, alerts) with ordinality
             a(value, detail, verdict, alert_id, i) using (i)
        where a.verdict > 0
        order by i
        returning *)
    select coalesce(array_agg(row(added.*)::scopestream_data.finding order by finding_id), '{}') into stored from added;
    return stored;
end
$$;

-- An alert that is due makes the findings its own that made it due.
create or replace function scopestream_data.adopt_findings(rule scopestream_data.rule, ids bigint[], id bigint)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    adopted scopestream_data.finding[];
begin
    if ids <> '{}' then
        with adopting as (
            update scopestream_data.finding f set alert_id = id where f.finding_id = any (ids) returning f.*)
        select array_agg(row(a.*)::scopestream_data.finding order by a.finding_id) into adopted from adopting a;
        perform scopestream_data.extend_alert(rule, id, adopted);
    end if;
end
$$;

create or replace function scopestream_data.newest_of(ids bigint[], most integer) returns bigint[]
    language sql immutable as $$
    select ids[greatest(1, pg_catalog.cardinality(ids) - most + 1):]
$$;


-- Gives each step the alert it belongs to, and opens those that are due.
create or replace function scopestream_data.assign_alerts(rule scopestream_data.rule, state scopestream_data.rule_state,
        steps text[], places scopestream_data.found_place[]) returns scopestream_data.assigned
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    alerts bigint[] := array_fill(null::bigint, array[cardinality(steps)]);
    led integer[] := '{}';
    held integer := 0;
    opened bigint[] := '{}';
    closed bigint[] := '{}';
    due integer;
begin
    for i in 1 .. cardinality(steps) loop
        if steps[i] = 'held' then
            held := held + 1;
        elsif steps[i] = 'leads' then
            led := led || i;
        elsif steps[i] = 'joins' then
            alerts[i] := state.alert_id;
        elsif steps[i] = 'closes' then
            closed := closed || state.alert_id;
            state.alert_id := null;
        elsif steps[i] = 'opens' then
            state.alert_id := scopestream_data.open_alert(rule, places[i]);
            opened := opened || state.alert_id;
            foreach due in array led || i loop
                alerts[due] := state.alert_id;
            end loop;
            perform scopestream_data.adopt_findings(rule, scopestream_data.newest_of(
                state.pending, rule.k - 1 - cardinality(led)), state.alert_id);
            state.pending := '{}';
            led := '{}';
            held := 0;
        end if;
    end loop;
    return (state, alerts, held, opened, closed)::scopestream_data.assigned;
end
$$;

-- Makes verdicts on places of one group count: findings, alerts, window. Returns the alert that is open then.
create or replace function scopestream_data.note_verdicts(rule scopestream_data.rule,
        places scopestream_data.found_place[], "values" double precision[], details text[], verdicts integer[])
    returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    state scopestream_data.rule_state := scopestream_data.state_of(rule, places[1]);
    path constant scopestream_data.walked := scopestream_data.walk(rule,
        (null, state.recent, state.good_run, state.alert_id is not null, state.rearm_at)::scopestream_data.walked,
        verdicts, array_fill(clock_timestamp(), array[cardinality(verdicts)]));
    share constant scopestream_data.assigned :=
        scopestream_data.assign_alerts(rule, state, path.steps, places);
    found_bad constant scopestream_data.finding[] :=
        scopestream_data.insert_findings(rule, places, "values", details, verdicts, share.alerts);
begin
    perform scopestream_data.extend_alert(rule, extended.alert_id, extended.findings)
    from (select f.alert_id, array_agg(f order by f.finding_id) as findings
          from unnest(found_bad) f where f.alert_id is not null group by f.alert_id order by f.alert_id) extended;
    perform scopestream_data.tell_alert(o, 'opened') from unnest(share.opened) o;
    perform scopestream_data.end_alert(c, 'rule') from unnest(share.closed) c;
    state := share.state;
    state.recent := path.recent;
    state.good_run := path.good_run;
    state.rearm_at := path.rearm_at;
    state.pending := scopestream_data.newest_of(state.pending || scopestream_data.newest_of(
            array(select f.finding_id from unnest(found_bad) f where f.alert_id is null order by 1), share.held),
        rule.k - 1);
    perform scopestream_data.keep_state(state);
    return state.alert_id;
end
$$;

-- Where a rule stands in the group of a place; a row to be filled where it never stood yet.
create or replace function scopestream_data.state_of(rule scopestream_data.rule, place scopestream_data.found_place)
    returns scopestream_data.rule_state
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    key constant text := scopestream_data.group_key(rule.group_by, place.source, place.experiment, place.plate,
                                                    place.well, place.site, place.channel);
    state scopestream_data.rule_state;
begin
    select * into state from scopestream_data.rule_state s
    where s.rule_id = rule.rule_id and s.group_key = key for update;
    if not found then
        state := (rule.rule_id, key, repeat('0', 64)::bit(64), 0, '{}', null, null, null);
    end if;
    return state;
end
$$;

create or replace function scopestream_data.keep_state(state scopestream_data.rule_state) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into scopestream_data.rule_state as s
        (rule_id, group_key, recent, good_run, pending, alert_id, rearm_at, changed_at)
    values (state.rule_id, state.group_key, state.recent, state.good_run, state.pending, state.alert_id,
            state.rearm_at, clock_timestamp())
    on conflict (rule_id, group_key) do update set
        recent = excluded.recent, good_run = excluded.good_run, pending = excluded.pending,
        alert_id = excluded.alert_id, rearm_at = excluded.rearm_at, changed_at = excluded.changed_at;
end
$$;

-- What is found without a judgement of frames: something is bad, or no longer. bound: what value was compared
-- with. note_finding() returns the group's alert, NULL where none is due.
create or replace function scopestream_data.note_finding(rule scopestream_data.rule,
        place scopestream_data.found_place, value double precision, bound double precision, detail text)
    returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if place.acquired_at is null then
        perform scopestream_data.ensure_partitions(clock_timestamp(), clock_timestamp());
    end if;
    rule.bound := bound;
    return scopestream_data.note_verdicts(rule, array[place], array[value], array[detail], array[1]);
end
$$;
create or replace function scopestream_data.note_good(rule scopestream_data.rule, place scopestream_data.found_place)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    state constant scopestream_data.rule_state := scopestream_data.state_of(rule, place);
begin
    if state.alert_id is not null or state.recent <> repeat('0', 64)::bit(64) then
        perform scopestream_data.note_verdicts(rule, array[place], array[null::float8], array[null::text], array[-1]);
    end if;
end
$$;

-- --- judging frames ---

create or replace function scopestream_data.limits_of(kind text, comparison text, bound double precision,
        clear_bound double precision) returns scopestream_data.rule_limits
    language sql immutable as $$
    select row(case when kind <> 'bound' then -bound when comparison in ('<', '<=') then bound end,
               case when kind <> 'bound' or comparison in ('>', '>=') then bound end,
               kind = 'bound' and comparison in ('>=', '<='),
               case when kind <> 'bound' then -coalesce(clear_bound, bound)
                    when comparison in ('<', '<=') then coalesce(clear_bound, bound) end,
               case when kind <> 'bound' or comparison in ('>', '>=') then coalesce(clear_bound, bound) end
           )::scopestream_data.rule_limits
$$;

-- What charts of a rule come to, from where they stood. ewma: the newest weighs 0.2, and it begins at 0, which is
-- where z() is centred. cusum: no single frame counts for more than 4; what has passed the bound begins anew.
create or replace function scopestream_data.chart(rule scopestream_data.rule, ewma double precision,
        high double precision, low double precision, numbers double precision[])
    returns scopestream_data.charted
    language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    answers double precision[] := numbers;
    number double precision;
begin
    for i in 1 .. cardinality(numbers) loop
        if rule.kind = 'ewma' then
            ewma := 0.8 * ewma + 0.2 * numbers[i];
            answers[i] := ewma;
        else
            number := least(greatest(numbers[i], -4), 4);
            high := greatest(0, high + number - rule.slack);
            low := greatest(0, low - number - rule.slack);
            answers[i] := case when high >= low then high else -low end;
            if abs(answers[i]) > rule.bound then
                high := 0;
                low := 0;
            end if;
        end if;
    end loop;
    return (answers, ewma, high, low)::scopestream_data.charted;
end
$$;

create or replace function scopestream_data.applies_to(sources text[], channels text[], source text, channel text)
    returns boolean
    language sql immutable as $$
    select (sources is null or source = any (sources)) and (channels is null or channel = any (channels))
$$;

-- As rows with their places; without a search_path of its own, so that it is inlined.
create or replace function scopestream_data.numbered_frames(frames scopestream_data.evaluated[])
    returns table (frame_id uuid, acquired_at timestamptz, pipeline_id integer, source text, experiment text,
                   plate text, well text, site integer, channel text, z integer, t integer, stored_order bigint,
                   "values" double precision[], origins text[], ord integer)
    language sql immutable as $$
    select e.frame_id, e.acquired_at, e.pipeline_id, e.source, e.experiment, e.plate, e.well, e.site, e.channel, e.z,
           e.t, e.stored_order, e."values", e.origins, e.ord::integer
    from pg_catalog.unnest(frames) with ordinality
         e(frame_id, acquired_at, pipeline_id, source, experiment, plate, well, site, channel, z, t, stored_order,
           "values", origins, ord)
$$;

-- The same frames, with what the charts of these rules come to in place of the numbers they are made of. keep:
-- they go on from where they stood and are kept; else they begin anew.
create or replace function scopestream_data.with_charts(rules scopestream_data.rule[],
        frames scopestream_data.evaluated[], keep boolean)
    returns scopestream_data.evaluated[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    run record;
begin
    for run in
        with points as (
            select r.i, e.ord, e."values"[r.i] as number, e.chart_key
            from (select u.ordinality::integer as i, u.sources, u.channels
                  from unnest(rules) with ordinality u where u.kind in ('ewma', 'cusum')) r
            cross join (
                select f.*, jsonb_build_array(f.pipeline_id, f.source, f.experiment, f.plate, f.channel, f.z)::text
                            as chart_key
                from scopestream_data.numbered_frames(frames) f offset 0) e
            where e."values"[r.i] is not null
              and scopestream_data.applies_to(r.sources, r.channels, e.source, e.channel)
        ), runs as (
            select i, chart_key, array_agg(ord order by ord) as ords, array_agg(number order by ord) as numbers
            from points group by i, chart_key
        )
        select runs.i, runs.ords, runs.chart_key, c as charted
        from runs
        left join scopestream_data.rule_chart k
            on keep and k.rule_id = rules[runs.i].rule_id and k.chart_key = runs.chart_key
        cross join lateral scopestream_data.chart(rules[runs.i], coalesce(k.ewma, 0), coalesce(k.high, 0),
                                                  coalesce(k.low, 0), runs.numbers) c
        order by runs.i, runs.chart_key
    loop
        for n in 1 .. cardinality(run.ords) loop
            frames[run.ords[n]]."values"[run.i] := (run.charted)."values"[n];
        end loop;
        if keep then
            insert into scopestream_data.rule_chart as k (rule_id, chart_key, ewma, high, low)
            values (rules[run.i].rule_id, run.chart_key, (run.charted).ewma, (run.charted).high, (run.charted).low)
            on conflict (rule_id, chart_key) do update set
                ewma = excluded.ewma, high = excluded.high, low = excluded.low, changed_at = clock_timestamp();
        end if;
    end loop;
    return frames;
end
$$;

-- Which frames a rule finds bad, by their places in the lists. Each number is compared here, with nothing else
-- done: nearly all are good.
create or replace function scopestream_data.bad_frames(rules scopestream_data.rule[],
        frames scopestream_data.evaluated[])
    returns table (i integer, ord integer)
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    lows double precision[];
    highs double precision[];
    inclusive boolean[];
begin
    select array_agg((l.limits).low order by l.ordinality), array_agg((l.limits).high order by l.ordinality),
           array_agg((l.limits).inclusive order by l.ordinality)
    into lows, highs, inclusive
    from (select scopestream_data.limits_of(u.kind, u.comparison, u.bound, u.clear_bound) as limits, u.ordinality
          from unnest(rules) with ordinality u offset 0) l;
    return query
    select bad.i, bad.ord
    from (select n.i::integer, e.ord, e.source, e.channel
          from scopestream_data.numbered_frames(frames) e
          cross join lateral unnest(e."values", lows, highs, inclusive) with ordinality n(number, low, high, ends, i)
          where number < low or number > high or ends and (number = low or number = high)) bad
    where scopestream_data.applies_to(rules[bad.i].sources, rules[bad.i].channels, bad.source, bad.channel);
end
$$;

create or replace function scopestream_data.verdict(number double precision, limits scopestream_data.rule_limits)
    returns integer
    language sql immutable as $$
    select case when number < limits.low or number > limits.high
                     or limits.inclusive and (number = limits.low or number = limits.high) then 1
                when number < limits.clear_low or number > limits.clear_high then 0 else -1 end
$$;

-- What the rules say of the groups in which something is bad, and of these others: also[n] of rules[also_rules[n]].
create or replace function scopestream_data.judge(rules scopestream_data.rule[], frames scopestream_data.evaluated[],
        also_rules integer[], also_keys text[])
    returns setof scopestream_data.judged_group
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return query
    with keyed as materialized (
        select k.group_by, e.ord,
               scopestream_data.group_key(k.group_by, e.source, e.experiment, e.plate, e.well, e.site, e.channel)
               as group_key
        from scopestream_data.numbered_frames(frames) e
        cross join (select distinct group_by from unnest(rules)) k
    ), touched as (
        select b.i, k.group_key from scopestream_data.bad_frames(rules, frames) b
        join keyed k on k.group_by = rules[b.i].group_by and k.ord = b.ord
        union
        select a.i, a.group_key from unnest(also_rules, also_keys) a(i, group_key)
    ), judged as (
        select t.i, t.group_key, t.sources, t.channels, t.limits, k.ord
        from (select t.i, t.group_key, r.group_by, r.sources, r.channels,
                     scopestream_data.limits_of(r.kind, r.comparison, r.bound, r.clear_bound) as limits
              from touched t join unnest(rules) with ordinality r on r.ordinality = t.i offset 0) t
        join keyed k on k.group_by = t.group_by and k.group_key = t.group_key
    )
    select j.i, j.group_key,
           array_agg((e.frame_id, e.acquired_at, e.pipeline_id, e.source, e.experiment, e.plate, e.well, e.site,
                      e.channel)::scopestream_data.found_place order by j.ord),
           array_agg(n.number order by j.ord),
           array_agg(scopestream_data.verdict(n.number, j.limits) order by j.ord)
    from judged j
    join scopestream_data.numbered_frames(frames) e using (ord)
    cross join lateral (select e."values"[j.i] as number) n
    where n.number is not null and scopestream_data.applies_to(j.sources, j.channels, e.source, e.channel)
    group by j.i, j.group_key
    order by j.i, j.group_key;
end
$$;

-- --- as rows are stored ---

-- These rules as one statement; it says of which its numbers are, in their order.
create or replace function scopestream_data.statement_of(rules scopestream_data.rule[]) returns text
    language sql set search_path = pg_catalog, pg_temp as $$
    select format('/* rules %s */ ', array(select r.rule_id from unnest(rules) r)::text)
        || case when rules = '{}' then ''
                else scopestream_data.evaluation_sql(array(select r.expression from unnest(rules) r),
                                                     array(select r.reference from unnest(rules) r)) end
$$;

-- All rules that judge frames. One that cannot any more, as its reference is gone, does not keep others from it.
create or replace function scopestream_data.rules_sql() returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    rules constant scopestream_data.rule[] := array(
        select r from scopestream_data.rule r
        where r.enabled and r.kind in ('bound', 'ewma', 'cusum') and r.waits_for is null order by r.rule_id);
begin
    return scopestream_data.statement_of(rules);
exception when data_exception then
    return scopestream_data.statement_of(array(
        select r from unnest(rules) r where scopestream_data.rule_fault(r) is null order by r.rule_id));
end
$$;

-- Groups of these frames, the places of their rules among rules and their keys, in which also a good frame
-- matters: an alert it may close, or bad ones in the window that it moves on.
create or replace function scopestream_data.waiting_groups(rules scopestream_data.rule[],
        frames scopestream_data.evaluated[], out places integer[], out keys text[])
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    select coalesce(array_agg(r.ordinality::integer order by r.ordinality, s.group_key), '{}'),
           coalesce(array_agg(s.group_key order by r.ordinality, s.group_key), '{}')
    into places, keys
    from (select distinct k.group_by, scopestream_data.group_key(k.group_by, e.source, e.experiment, e.plate, e.well,
                                                                 e.site, e.channel) as group_key
          from scopestream_data.numbered_frames(frames) e
          cross join (select distinct group_by from unnest(rules)) k) g
    join scopestream_data.rule_state s on s.group_key = g.group_key
    join unnest(rules) with ordinality r
        on r.rule_id = s.rule_id and r.group_by = g.group_by
    where case when s.alert_id is null then bit_count(s.recent << (64 - r.n)) > 0 else r.clear_after is not null end;
end
$$;

-- Lets the frames of one group count that are all good and close no alert.
create or replace function scopestream_data.note_good_run(rule scopestream_data.rule, key text, good integer)
    returns boolean -- whether that is all there was to do
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update scopestream_data.rule_state s
    set recent = s.recent << least(good, 64), good_run = s.good_run + good
    where s.rule_id = rule.rule_id and s.group_key = key
      and not (s.alert_id is not null and s.good_run + good >= coalesce(rule.clear_after, s.good_run + good + 1));
    return found;
end
$$;

-- What rules say of frames judged before, where they compare with what is usual: that was unknown then, and so
-- were they. All else was judged.
create or replace function scopestream_data.compared_only(frames scopestream_data.evaluated[])
    returns scopestream_data.evaluated[]
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select array(
        select row(e.frame_id, e.acquired_at, e.pipeline_id, e.source, e.experiment, e.plate, e.well, e.site, e.channel,
                   e.z, e.t, e.stored_order,
                   array(select case when o.origin is not null then o.value end
                         from unnest(e."values", e.origins) with ordinality o(value, origin, i) order by o.i),
                   e.origins)::scopestream_data.evaluated
        from unnest(frames) e order by e.acquired_at, e.frame_id, e.pipeline_id)
$$;

-- Judges rows by all rules that are switched on; findings, alerts and messages are written. late: rows that were
-- judged before there was anything to compare them with.
create or replace function scopestream_data.apply_rules(keys scopestream_data.row_key[], late boolean default false)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    program constant text := scopestream_data.program('rules', 'scopestream_data.rules_sql');
    rules scopestream_data.rule[];
    frames scopestream_data.evaluated[];
    waiting record;
    judged scopestream_data.judged_group;
begin
    rules := array(
        select r from unnest(substring(program from '\{.*?\}')::integer[]) with ordinality m(rule_id, i)
        left join scopestream_data.rule r using (rule_id) order by m.i); -- one just deleted judges nothing
    if rules = '{}' or keys = '{}' then
        return;
    end if;
    frames := array(select e from scopestream_data.evaluate(program, keys) e
                    order by e.acquired_at, e.frame_id, e.pipeline_id);
    if late then
        frames := scopestream_data.compared_only(frames);
    end if;
    if exists (select from unnest(rules) r where r.kind in ('ewma', 'cusum')) then
        frames := scopestream_data.with_charts(rules, frames, true);
    end if;
    select * into waiting from scopestream_data.waiting_groups(rules, frames);
    for judged in select * from scopestream_data.judge(rules, frames, waiting.places, waiting.keys) loop
        if 1 = any (judged.verdicts)
           or not scopestream_data.note_good_run(rules[judged.rule_place], judged.group_key,
                      cardinality(array_positions(judged.verdicts, -1))) then
            perform scopestream_data.note_verdicts(rules[judged.rule_place], judged.places, judged."values",
                array_fill(null::text, array[cardinality(judged.verdicts)]), judged.verdicts);
        end if;
    end loop;
    perform scopestream_data.tell_grown_alerts();
end
$$;

-- What nothing has touched for a month and no alert needs: plates that are done.
create or replace function scopestream_data.forget_old_groups(now timestamptz) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    delete from scopestream_data.rule_state s where s.alert_id is null and s.changed_at < now - interval '1 month'
        and (s.rearm_at is null or s.rearm_at < now);
    delete from scopestream_data.rule_chart c where c.changed_at < now - interval '1 month'
$$;

-- --- writing rules ---

-- What a rule is that cannot be; NULL: it can.
create or replace function scopestream_data.wrong_in_rule(rule scopestream_data.rule) returns text
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case
    when coalesce(rule.name, '') !~ '^[a-z][a-z0-9_]{0,62}$'
        then format('a rule cannot be called ''%s'': a letter a-z, then at most 62 of a-z 0-9 _', rule.name)
    when coalesce(rule.kind, '') not in ('bound', 'ewma', 'cusum', 'silence', 'missing', 'event')
        then format('kind ''%s'': expected bound, ewma, cusum, silence, missing or event', rule.kind)
    when rule.kind in ('bound', 'ewma', 'cusum', 'event') and coalesce(trim(rule.expression), '') = ''
        then format('kind %s needs an expression', rule.kind)
    when coalesce(rule.comparison, '') not in ('>', '>=', '<', '<=')
        then format('comparison ''%s'': expected >, >=, < or <=', rule.comparison)
    when rule.kind not in ('missing', 'event') and coalesce(rule.bound, 'NaN') in ('NaN', 'Infinity', '-Infinity')
        then 'bound: expected a number'
    when rule.kind in ('ewma', 'cusum', 'silence') and rule.bound <= 0
        then format('bound %s: kind %s needs one above 0', rule.bound, rule.kind)
    when rule.kind = 'bound' and not case when rule.comparison in ('>', '>=') then rule.clear_bound <= rule.bound
                                          else rule.clear_bound >= rule.bound end
        then format('clear_bound %s: lies on the bad side of bound %s', rule.clear_bound, rule.bound)
    when rule.kind in ('ewma', 'cusum') and rule.clear_bound not between 0 and rule.bound
        then format('clear_bound %s: expected 0 to bound, which is %s', rule.clear_bound, rule.bound)
    when not rule.slack >= 0 or rule.slack in ('NaN', 'Infinity')
        then format('slack %s: expected 0 or more', rule.slack)
    when not (rule.n between 1 and 64 and rule.k between 1 and rule.n)
        then format('k %s of n %s: expected 1 <= k <= n <= 64', rule.k, rule.n)
    when rule.clear_after <= 0 then format('clear_after %s: expected 1 or more frames, or NULL', rule.clear_after)
    when coalesce(rule.group_by, '') not in ('source', 'plate', 'channel', 'well', 'site')
        then format('group_by ''%s'': expected source, plate, channel, well or site', rule.group_by)
    when not rule.rearm_s between 0 and 1e9 then format('rearm_s %s: expected 0 or more seconds', rule.rearm_s)
    when rule.most_per_hour <= 0 then format('most_per_hour %s: expected 1 or more', rule.most_per_hour)
    when coalesce(rule.severity, '') not in ('info', 'warning', 'critical')
        then format('severity ''%s'': expected info, warning or critical', rule.severity)
    when rule.action not in ('image_again', 'skip', 'continue')
        then format('action ''%s'': expected image_again, skip, continue or NULL', rule.action)
    when not (rule.action_expires_s > 0 and rule.action_expires_s <= 1e9)
        then format('action_expires_s %s: expected seconds, more than 0', rule.action_expires_s)
    when rule.most_attempts <= 0 then format('most_attempts %s: expected 1 or more', rule.most_attempts) end
$$;

-- Why a rule cannot judge; NULL: it can. PostgreSQL has the last word on its expression: it runs on no rows.
create or replace function scopestream_data.rule_fault(rule scopestream_data.rule) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wrong constant text := scopestream_data.wrong_in_rule(rule);
begin
    if wrong is null and rule.kind in ('bound', 'ewma', 'cusum') then
        perform scopestream_data.check_reference(rule.reference);
        perform from scopestream_data.evaluate(
            scopestream_data.evaluation_sql(array[rule.expression], array[rule.reference]), '{}');
    end if;
    return wrong;
exception when data_exception or syntax_error_or_access_rule_violation or statement_too_complex
          or program_limit_exceeded then
    return sqlerrm;
end
$$;

-- A rule that cannot judge is refused, with the reason; a built-in one waits for what it is made of.
create or replace function scopestream_data.write_rule() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    fault text;
begin
    if tg_op = 'INSERT' or (to_jsonb(new) - array['enabled', 'description', 'waits_for', 'changed_at'])
                           <> (to_jsonb(old) - array['enabled', 'description', 'waits_for', 'changed_at']) then
        fault := scopestream_data.rule_fault(new);
        if fault is not null and not (new.built_in and scopestream_data.wrong_in_rule(new) is null) then
            raise exception 'rule ''%'': %', new.name, fault using errcode = 'invalid_parameter_value';
        end if;
        new.waits_for := fault;
        new.changed_at := clock_timestamp();
    end if;
    return new;
end
$$;
create or replace trigger write_rule before insert or update on scopestream_data.rule
    for each row execute function scopestream_data.write_rule();

-- What was counted by other words than a rule's own counts no more. Its alerts stay.
create or replace function scopestream_data.begin_rule_anew() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from scopestream_data.rule_chart where rule_id = new.rule_id;
    update scopestream_data.rule_state set recent = repeat('0', 64)::bit(64), good_run = 0, pending = '{}'
    where rule_id = new.rule_id;
    return null;
end
$$;
create or replace trigger begin_rule_anew after update on scopestream_data.rule
    for each row
    when ((old.kind, old.expression, old.comparison, old.bound, old.clear_bound, old.slack, old.reference, old.sources,
           old.channels, old.k, old.n, old.group_by, old.enabled)
          is distinct from
          (new.kind, new.expression, new.comparison, new.bound, new.clear_bound, new.slack, new.reference, new.sources,
           new.channels, new.k, new.n, new.group_by, new.enabled))
    execute function scopestream_data.begin_rule_anew();

-- Tries again the built-in rules that wait. One that somebody is changing waits for the next time.
create or replace function scopestream_data.compile_waiting_rules() returns integer -- how many wait no more
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.rule;
    fault text;
    ready integer := 0;
begin
    for told in select * from scopestream_data.rule where waits_for is not null order by rule_id
                for update skip locked
    loop
        fault := scopestream_data.rule_fault(told);
        update scopestream_data.rule set waits_for = fault
        where rule_id = told.rule_id and waits_for is distinct from fault;
        ready := ready + (fault is null)::integer;
    end loop;
    return ready;
end
$$;
create or replace function scopestream_data.catalogue_grew() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.compile_waiting_models();
    perform scopestream_data.compile_waiting_rules();
end
$$;

-- What a rule would have found in what is stored: judged in the order of acquisition by what is usual now, with
-- windows and charts that begin empty. Nothing is stored.
create or replace function scopestream.test_rule(name text, plate text default null, since timestamptz default null)
    returns table (acquired_at timestamptz, source text, experiment text, plate_found text, well text, site integer,
                   channel text, value double precision, bound double precision, alert integer, frame_id uuid)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    rule scopestream_data.rule;
    frames scopestream_data.evaluated[];
begin
    select * into rule from scopestream_data.rule r where r.name = test_rule.name;
    if not found then
        raise exception 'no rule is called ''%'': scopestream.rules lists them', test_rule.name
            using errcode = 'invalid_parameter_value';
    elsif rule.kind not in ('bound', 'ewma', 'cusum') then
        raise exception 'rule ''%'' is of kind %, which is about no frame: only rules that judge frames can be tested',
            test_rule.name, rule.kind using errcode = 'invalid_parameter_value';
    elsif test_rule.plate is null and test_rule.since is null then
        raise exception 'name a plate, or a time to begin with' using errcode = 'invalid_parameter_value';
    end if;
    frames := scopestream_data.evaluate_history(rule, test_rule.plate, test_rule.since);
    if rule.kind in ('ewma', 'cusum') then
        frames := scopestream_data.with_charts(array[rule], frames, false);
    end if;
    return query
    with walked as (
        select g.group_key, g.places, g."values", w.steps, t.times[1] as begun_at
        from scopestream_data.judge(array[rule], frames, '{}', '{}') g
        cross join lateral (
            select array_agg(p.acquired_at order by p.i) as times
            from unnest(g.places) with ordinality
                 p(frame_id, acquired_at, pipeline_id, source, experiment, plate, well, site, channel, i)) t
        cross join lateral scopestream_data.walk(rule,
            (null, repeat('0', 64)::bit(64), 0, false, null)::scopestream_data.walked, g.verdicts, t.times) w
    ), bad as (
        select w.group_key, w.begun_at, p.*, w."values"[p.i] as value, w.steps[p.i] as step
        from walked w
        cross join lateral unnest(w.places) with ordinality
             p(frame_id, acquired_at, pipeline_id, source, experiment, plate, well, site, channel, i)
        where w.steps[p.i] <> 'closes'
    )
    select b.acquired_at, b.source, b.experiment, b.plate, b.well, b.site, b.channel, b.value, rule.bound,
           case when b.step <> 'held' then
               (count(*) filter (where b.step = 'opens') over (order by b.begun_at, b.group_key, b.i))::integer
               + (b.step = 'leads')::integer end,
           b.frame_id
    from bad b
    order by b.acquired_at, b.frame_id;
end
$$;
comment on function scopestream.test_rule is 'What a rule would have found in the stored frames of a plate, or since a time, and in how many alerts; nothing is stored';

-- A few thousand at a time: one statement over a week's frames would need them all at once.
create or replace function scopestream_data.evaluate_history(rule scopestream_data.rule, plate text, since timestamptz)
    returns scopestream_data.evaluated[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    program constant text := scopestream_data.evaluation_sql(array[rule.expression], array[rule.reference]);
begin
    return array(
        select e
        from (select array_agg(k.key) as keys
              from (select (f.frame_id, f.acquired_at, r.pipeline_id)::scopestream_data.row_key as key,
                           row_number() over (order by f.acquired_at) / 4096 as batch
                    from scopestream_data.frame f
                    join scopestream_data.result r using (frame_id, acquired_at)
                    where r.status = 'ok'
                      and (evaluate_history.plate is null or f.plate = evaluate_history.plate)
                      and (since is null or f.acquired_at >= since)
                      and scopestream_data.applies_to(rule.sources, rule.channels, f.source, f.channel)) k
              group by k.batch) batches
        cross join lateral scopestream_data.evaluate(program, batches.keys) e
        where e."values"[1] is not null
        order by e.acquired_at, e.frame_id, e.pipeline_id);
end
$$;

-- --- for people ---

create or replace function scopestream_data.open_one(id bigint) returns scopestream_data.alert
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.alert;
begin
    -- The rule's state first, as whoever judges frames locks it.
    perform from scopestream_data.rule_state s
    where s.alert_id = id and s.rule_id = (select a.rule_id from scopestream_data.alert a where a.alert_id = id)
    for update;
    select * into told from scopestream_data.alert a where a.alert_id = id for update;
    if not found then
        raise exception 'there is no alert %: scopestream.alerts lists them', id
            using errcode = 'invalid_parameter_value';
    elsif told.state = 'closed' then
        raise exception 'alert % was closed by % on %',
            id, told.closed_by, to_char(told.closed_at, 'YYYY-MM-DD HH24:MI') using errcode = 'invalid_parameter_value';
    end if;
    return told;
end
$$;

create or replace function scopestream_data.add_note(id bigint, note text) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.alert a set note = concat_ws(E'\n', a.note, session_user || ': ' || trim(add_note.note))
    where a.alert_id = id and trim(add_note.note) <> ''
$$;

-- Somebody knows: the alert goes on gathering what its rule finds, and is told no more until it is closed.
create or replace function scopestream.acknowledge_alert(id bigint, note text default null) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told constant scopestream_data.alert := scopestream_data.open_one(id);
begin
    perform scopestream_data.add_note(id, note);
    if told.state = 'open' then
        update scopestream_data.alert a
        set state = 'acknowledged', acknowledged_at = clock_timestamp(), acknowledged_by = session_user
        where a.alert_id = id;
        perform scopestream_data.tell_alert(id, 'acknowledged');
    end if;
end
$$;
comment on function scopestream.acknowledge_alert is 'Says that somebody knows of an alert, with a note: it goes on gathering findings and is told no more';

create or replace function scopestream.close_alert(id bigint, note text default null) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told constant scopestream_data.alert := scopestream_data.open_one(id);
begin
    perform scopestream_data.add_note(id, note);
    update scopestream_data.rule_state s
    set alert_id = null, recent = repeat('0', 64)::bit(64), good_run = 0, pending = '{}',
        changed_at = clock_timestamp(), rearm_at = clock_timestamp() + make_interval(secs => r.rearm_s)
    from scopestream_data.rule r
    where s.rule_id = told.rule_id and s.alert_id = id and r.rule_id = s.rule_id;
    perform scopestream_data.end_alert(id, session_user);
end
$$;
comment on function scopestream.close_alert is 'Ends an alert, with a note; what its rule finds after that, and after rearm_s, is another one';

create or replace view scopestream.rules as
    select r.name, r.kind, r.expression, r.comparison, r.bound, r.clear_bound, r.slack, r.reference, r.sources,
           r.channels, r.k, r.n, r.clear_after, r.group_by, r.rearm_s, r.most_per_hour, r.severity, r.action,
           r.action_expires_s, r.most_attempts, r.enabled, r.built_in, r.waits_for, r.description, r.created_at,
           r.changed_at, r.created_by,
           (select count(*) from scopestream_data.alert a
            where a.rule_id = r.rule_id and a.state <> 'closed') as open_alerts
    from scopestream_data.rule r;
comment on view scopestream.rules is 'What is looked for in frames as they come: insert a row to have another rule, update it to change one';
comment on column scopestream.rules.name is 'a letter a-z, then a-z 0-9 _';
comment on column scopestream.rules.kind is 'bound: a frame''s number against bound; ewma, cusum: slow drift and abrupt shift along a channel and plane of a plate; silence: no frame; missing: sites or wells that others have; event: an event of the stream';
comment on column scopestream.rules.expression is 'what is compared, of measures and of what is usual: z(log(vollath_f4)); of a kind event its name';
comment on column scopestream.rules.comparison is 'with bound: >, >=, <, <=; charts leave +-bound instead';
comment on column scopestream.rules.bound is 'bad is what lies beyond it; of a silence how many usual intervals';
comment on column scopestream.rules.clear_bound is 'good is only what lies on its good side, and in between is neither; NULL: bound';
comment on column scopestream.rules.slack is 'of a cusum: what each frame may deviate without adding to it';
comment on column scopestream.rules.reference is 'what z() and its like compare with: plate, controls, last week, saved:NAME';
comment on column scopestream.rules.sources is 'only these; NULL: all';
comment on column scopestream.rules.channels is 'only these; NULL: all';
comment on column scopestream.rules.k is 'an alert is due when so many of the last n frames of a group are bad';
comment on column scopestream.rules.n is 'the window, up to 64 frames that were good or bad';
comment on column scopestream.rules.clear_after is 'so many good frames in a row close the alert; NULL: a person does';
comment on column scopestream.rules.group_by is 'one open alert for each source, plate, channel of a plate, well or site';
comment on column scopestream.rules.rearm_s is 'seconds without another alert after one was closed';
comment on column scopestream.rules.most_per_hour is 'alerts that are sent within an hour; further ones are kept and not sent';
comment on column scopestream.rules.severity is 'info, warning, critical';
comment on column scopestream.rules.action is 'what the microscope is to do at each site found bad: image_again, skip, continue; NULL: nothing';
comment on column scopestream.rules.action_expires_s is 'seconds for which that stands';
comment on column scopestream.rules.most_attempts is 'how often a site is imaged again before it is skipped';
comment on column scopestream.rules.enabled is 'whether frames are judged as they come';
comment on column scopestream.rules.built_in is 'came with scopestream';
comment on column scopestream.rules.waits_for is 'why it judges nothing yet: measures that no worker has announced; NULL: it does';
comment on column scopestream.rules.description is 'what it is for';
comment on column scopestream.rules.created_at is 'when it was written';
comment on column scopestream.rules.changed_at is 'when it was last changed';
comment on column scopestream.rules.created_by is 'who wrote it';
comment on column scopestream.rules.open_alerts is 'alerts of it that nobody has closed';

create or replace view scopestream.alerts as
    select alert_id, state, severity, rule, title, source, experiment, plate, wells, channels, findings, value, bound,
           opened_at, last_at, acknowledged_at, acknowledged_by, closed_at, closed_by, note, sent, frame_id,
           acquired_at, worst_frame_id
    from scopestream_data.alert;
comment on view scopestream.alerts is 'What went wrong, one row a cause and plate; acknowledge_alert() and close_alert() answer it';
comment on column scopestream.alerts.alert_id is 'its number';
comment on column scopestream.alerts.state is 'open, acknowledged: somebody knows, closed';
comment on column scopestream.alerts.severity is 'info, warning, critical; as its rule said when it was opened';
comment on column scopestream.alerts.rule is 'name its rule had when it was opened';
comment on column scopestream.alerts.title is 'all of it in one line';
comment on column scopestream.alerts.wells is 'in which something was found, sorted';
comment on column scopestream.alerts.channels is 'in which something was found, sorted';
comment on column scopestream.alerts.findings is 'how many frames or places were found bad';
comment on column scopestream.alerts.value is 'of the worst frame: the rule''s expression, or its chart';
comment on column scopestream.alerts.bound is 'it was compared with';
comment on column scopestream.alerts.opened_at is 'when it became due';
comment on column scopestream.alerts.last_at is 'when something was found last';
comment on column scopestream.alerts.acknowledged_at is 'when somebody said that it is known';
comment on column scopestream.alerts.acknowledged_by is 'who did';
comment on column scopestream.alerts.closed_at is 'when it ended';
comment on column scopestream.alerts.closed_by is 'who closed it; rule: clear_after good frames did';
comment on column scopestream.alerts.note is 'what people wrote about it, a line each';
comment on column scopestream.alerts.sent is 'whether it was told outside; false: there were most_per_hour before it';
comment on column scopestream.alerts.frame_id is 'the first frame found';
comment on column scopestream.alerts.acquired_at is 'of the first frame found';
comment on column scopestream.alerts.worst_frame_id is 'the frame farthest from the bound';
comment on column scopestream.alerts.source is 'configured name of the microscope''s output';
comment on column scopestream.alerts.experiment is 'as the folder names tell';
comment on column scopestream.alerts.plate is 'as folder and file name tell; NULL where the rule groups by source';

create or replace view scopestream.findings as
    select f.found_at, coalesce(r.name, a.rule) as rule, f.alert_id, f.source, f.experiment, f.plate, f.well, f.site,
           f.channel, f.value, f.bound, f.detail, f.acquired_at, f.frame_id, p.name as pipeline,
           p.version as pipeline_version
    from scopestream_data.finding f
    left join scopestream_data.rule r using (rule_id)
    left join scopestream_data.alert a using (alert_id)
    left join scopestream_data.pipeline p using (pipeline_id);
comment on view scopestream.findings is 'Every frame, site or well that a rule found bad';
comment on column scopestream.findings.found_at is 'when';
comment on column scopestream.findings.rule is 'name of the rule';
comment on column scopestream.findings.alert_id is 'alert it belongs to; NULL: k of n were not reached, or the rule is not armed again yet';
comment on column scopestream.findings.value is 'of the rule''s expression, or of its chart';
comment on column scopestream.findings.bound is 'it was compared with';
comment on column scopestream.findings.detail is 'in words, where a number does not say it';
comment on column scopestream.findings.acquired_at is 'of the frame; where there is none, when it was found';
comment on column scopestream.findings.frame_id is 'the frame; NULL where none is the matter';
comment on column scopestream.findings.pipeline is 'list of measures it was judged by';
comment on column scopestream.findings.pipeline_version is 'its version';
do $$ begin perform scopestream_data.explain_columns(); end $$;

grant insert (name, kind, expression, comparison, bound, clear_bound, slack, reference, sources, channels, k, n,
              clear_after, group_by, rearm_s, most_per_hour, severity, action, action_expires_s, most_attempts, enabled,
              description),
      update (name, kind, expression, comparison, bound, clear_bound, slack, reference, sources, channels, k, n,
              clear_after, group_by, rearm_s, most_per_hour, severity, action, action_expires_s, most_attempts, enabled,
              description),
      delete on scopestream.rules to scopestream_scientist;
revoke execute on function scopestream.acknowledge_alert, scopestream.close_alert
    from scopestream_reader, scopestream_store;
grant execute on function scopestream.acknowledge_alert, scopestream.close_alert to scopestream_scientist;

revoke execute on function scopestream_data.group_key, scopestream_data.walk, scopestream_data.badness,
    scopestream_data.with_names, scopestream_data.short_number, scopestream_data.value_name,
    scopestream_data.group_name, scopestream_data.alert_title, scopestream_data.tell_alert,
    scopestream_data.tell_grown_alerts, scopestream_data.open_alert, scopestream_data.extend_alert,
    scopestream_data.end_alert, scopestream_data.insert_findings, scopestream_data.adopt_findings,
    scopestream_data.newest_of, scopestream_data.assign_alerts, scopestream_data.note_verdicts,
    scopestream_data.state_of, scopestream_data.keep_state, scopestream_data.note_finding, scopestream_data.note_good,
    scopestream_data.limits_of, scopestream_data.chart, scopestream_data.applies_to, scopestream_data.numbered_frames,
    scopestream_data.with_charts, scopestream_data.bad_frames, scopestream_data.verdict, scopestream_data.judge,
    scopestream_data.statement_of, scopestream_data.rules_sql, scopestream_data.waiting_groups,
    scopestream_data.note_good_run, scopestream_data.compared_only, scopestream_data.apply_rules, scopestream_data.forget_old_groups,
    scopestream_data.wrong_in_rule, scopestream_data.rule_fault, scopestream_data.write_rule,
    scopestream_data.begin_rule_anew, scopestream_data.compile_waiting_rules, scopestream_data.evaluate_history,
    scopestream_data.open_one, scopestream_data.add_note from public;

insert into scopestream_data.schema_migration (version, name, sha256) values (14, '014_rules.sql', '')
on conflict (version) do nothing;

reset role;
