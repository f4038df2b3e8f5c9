-- Steering is done by the transaction that stores the rows: what a row leads to is there when the row is, and
-- is told when both are committed. An error in it costs no row.

set client_min_messages = warning;
set role scopestream_owner;

-- --- which rows are new ---

-- As in 007, and returns the keys of the rows that are ok since now: a replay changes none.
drop function if exists scopestream_data.insert_results(jsonb);
create function scopestream_data.insert_results(results jsonb) returns scopestream_data.row_key[]
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    measured text[] := array(
        select name from scopestream_data.measure m
        join pg_attribute a on a.attname = m.name and a.attrelid = 'scopestream_data.result'::regclass
        where not a.attisdropped);
    everything text := (
        select string_agg(format('%1$I = excluded.%1$I', attname), ', ')
        from pg_attribute
        where attrelid = 'scopestream_data.result'::regclass and attnum > 0 and not attisdropped
          and attname not in ('frame_id', 'pipeline_id', 'acquired_at'));
    keys scopestream_data.row_key[];
begin
    execute format($insert$
        with stored as (
            insert into scopestream_data.result
            select r.* from jsonb_array_elements($1) d
            join scopestream_data.pipeline p
              on p.name = d #>> '{pipeline,name}'
             and p.definition = scopestream_data.pipeline_definition(d -> 'pipeline'),
            lateral (select coalesce(nullif(d -> 'values', 'null'), '{}') as told) v,
            lateral (select v.told - $2 as others) o,
            jsonb_populate_record(null::scopestream_data.result,
                v.told || jsonb_build_object(
                    'frame_id', d #> '{frame,frame_id}', 'acquired_at', d #> '{frame,acquired_at}',
                    'pipeline_id', p.pipeline_id, 'status', d -> 'status', 'reason', d -> 'reason',
                    'delivery', d -> 'delivery', 'attempt', d -> 'attempt', 'worker', d -> 'worker',
                    'offered_at', d #> '{timing,offered_at}', 'taken_at', d #> '{timing,taken_at}',
                    'received_at', d #> '{timing,received_at}', 'decoded_at', d #> '{timing,decoded_at}',
                    'measured_at', d #> '{timing,measured_at}', 'stored_at', clock_timestamp(),
                    'null_reasons', nullif(nullif(d -> 'nulls', 'null'), '{}'),
                    'other_values', nullif(coalesce(d -> 'other_values', '{}')
                        || case when o.others = '{}' then o.others
                                else scopestream_data.plain_values(o.others) end, '{}'))) r
            order by r.frame_id, r.pipeline_id
            on conflict (frame_id, pipeline_id, acquired_at) do update set %s
            where result.status <> 'ok' and excluded.status = 'ok'
               or result.status = 'vanished' and excluded.status <> 'vanished'
            returning frame_id, acquired_at, pipeline_id, status)
        select array_agg(row(frame_id, acquired_at, pipeline_id)::scopestream_data.row_key
                         order by acquired_at, frame_id, pipeline_id)
        from stored where status = 'ok' $insert$, everything)
    into keys using results, measured;
    return coalesce(keys, '{}');
end
$$;

-- As in 007, and then what is new is steered: last of all in a transaction, for it serves one store at a time until
-- that has committed. A value of another kind than its column, from a worker of another version or a stranger's, is no
-- reason to lose the frame's other numbers. It is nearly never there, so it is looked for when storing failed.
drop function if exists scopestream_data.store_results(jsonb);
create function scopestream_data.store_results(results jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    keys scopestream_data.row_key[];
begin
    begin
        keys := scopestream_data.insert_results(results);
    exception when data_exception or check_violation then
        keys := scopestream_data.insert_results(scopestream_data.with_fitting_values(results));
    end;
    perform scopestream_data.steer(keys);
end
$$;

-- --- steering ---

-- What new rows lead to. One store after the other, each until it has committed: baselines, windows and charts
-- are counted in one order. The first frames of a first plate could be compared with nothing; once they can be,
-- they are scored and judged by what they could not be before.
create or replace function scopestream_data.steer_rows(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    late scopestream_data.row_key[];
begin
    perform scopestream_data.take_turn();
    perform scopestream_data.track_frames(keys);
    late := scopestream_data.late_frames(keys);
    if late <> '{}' then
        delete from scopestream_data.priority p using unnest(late) k
        where p.frame_id = k.frame_id and p.acquired_at = k.acquired_at and p.pipeline_id = k.pipeline_id and not p.known;
        perform scopestream_data.score_frames(late);
        perform scopestream_data.apply_rules(late, true);
    end if;
    perform scopestream_data.score_frames(keys);
    perform scopestream_data.apply_rules(keys);
    perform scopestream_data.decide(late || keys);
    perform scopestream_data.tell_priorities(late || keys);
end
$$;

-- Keeps keys for a later try, and tells people why: an error once a day, however many rows meet it.
create or replace function scopestream_data.put_off(keys scopestream_data.row_key[], attempts integer,
        wait interval, error text) returns void
    language sql set search_path = pg_catalog, pg_temp as $$
    insert into scopestream_data.unsteered (keys, attempts, next_at, error)
    values (put_off.keys, put_off.attempts, clock_timestamp() + wait, put_off.error);
    insert into scopestream_data.event (at, level, event, detail, document_md5)
    values (clock_timestamp(), 'error', 'steering-failed', put_off.error,
            md5(format('steering-failed %s %s', current_date, put_off.error))::uuid)
    on conflict (document_md5) do nothing;
$$;

-- lock_timeout: somebody's open transaction that holds an alert or a rule holds up no store.
create or replace function scopestream_data.steer(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
begin
    if keys = '{}' or not (select enabled from scopestream_data.steering) then
        return;
    end if;
    begin
        perform scopestream_data.steer_rows(keys);
    exception when others then
        perform scopestream_data.put_off(keys, 1, '10 seconds', sqlerrm);
        return;
    end;
    perform scopestream_data.steer_again('0.1 seconds');
end
$$;

-- Tries those again that are due, for at most so long; returns how many rows are steered now. What fails a second
-- time is halved until the rows are alone that cannot be; these are given up after the eighth time. To wait for
-- somebody in vain does not count.
create or replace function scopestream_data.steer_again(most interval) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
    till constant timestamptz := clock_timestamp() + most;
    due scopestream_data.unsteered;
    half integer;
    steered integer := 0;
begin
    while clock_timestamp() < till loop
        delete from scopestream_data.unsteered where unsteered_id = (
            select unsteered_id from scopestream_data.unsteered where next_at <= clock_timestamp()
            order by next_at, unsteered_id limit 1 for update skip locked)
        returning * into due;
        exit when not found;
        begin
            perform scopestream_data.steer_rows(due.keys);
            steered := steered + cardinality(due.keys);
        exception
            when lock_not_available or deadlock_detected then
                perform scopestream_data.put_off(due.keys, due.attempts, '10 seconds', sqlerrm);
                exit;
            when others then
                half := cardinality(due.keys) / 2;
                if half > 0 and due.attempts > 1 then
                    perform scopestream_data.put_off(due.keys[:half], 2, '0 seconds', sqlerrm),
                            scopestream_data.put_off(due.keys[half + 1:], 2, '0 seconds', sqlerrm);
                else
                    perform scopestream_data.put_off(due.keys, due.attempts + 1,
                        case when due.attempts < 8 then make_interval(secs => 10 * 2 ^ due.attempts) end, sqlerrm);
                end if;
        end;
    end loop;
    return steered;
end
$$;

-- When the stream pauses: a step of watch_time().
create or replace function scopestream_data.steer_put_off(now timestamptz) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.steer_again('0.5 seconds');
end
$$;

create or replace view scopestream.unsteered as
    select since, cardinality(keys) as frames, attempts, next_at, error from scopestream_data.unsteered;
comment on view scopestream.unsteered is 'Rows that were stored while steering failed: they have no priority and no rule has judged them yet';
comment on column scopestream.unsteered.since is 'when it failed last';
comment on column scopestream.unsteered.frames is 'how many rows';
comment on column scopestream.unsteered.attempts is 'how often it was tried';
comment on column scopestream.unsteered.next_at is 'when it is tried again, once rows arrive or the stream pauses; NULL: it was given up';
comment on column scopestream.unsteered.error is 'why';
comment on column scopestream.events.event is 'unfinished, source-away, source-back, unreadable, steering-failed';

-- On and off. Rows that are stored while it is off are not steered later; rescore gives them their priorities.
create or replace function scopestream.switch_steering(enabled boolean) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
    update scopestream_data.steering set enabled = coalesce(switch_steering.enabled, true)
$$;
comment on function scopestream.switch_steering is 'Switches priorities, rules and decisions off or on again; rows are stored either way';
revoke execute on function scopestream.switch_steering from scopestream_reader, scopestream_store;
grant execute on function scopestream.switch_steering to scopestream_scientist;

revoke execute on function scopestream_data.insert_results, scopestream_data.store_results,
    scopestream_data.steer_rows, scopestream_data.put_off, scopestream_data.steer, scopestream_data.steer_again,
    scopestream_data.steer_put_off from public;

insert into scopestream_data.schema_migration (version, name, sha256) values (18, '018_steer.sql', '')
on conflict (version) do nothing;

reset role;
