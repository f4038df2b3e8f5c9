-- Priorities: a model, which is a row, gives every frame a score in 0..1; a policy gives the score a tier.
-- What a model computes never changes: who wants it otherwise writes a row of the same name, which is its
-- next version, and the scores of the one before stay what they are.

set client_min_messages = warning;
set role scopestream_owner;

grant usage on schema scopestream to scopestream_scientist;
grant usage on schema scopestream_data to scopestream_scientist; -- functions by name; no table is open to it

alter table scopestream_data.model add column if not exists waits_for text;

-- --- policies ---

create or replace function scopestream_data.check_policy() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wrong text := case
        when coalesce(cardinality(new.tiers), 0) = 0 or array_position(new.tiers, null) is not null
            then 'needs tiers, from the least interesting to the most'
        when '' = any (new.tiers) or cardinality(new.tiers) > (select count(distinct tier) from unnest(new.tiers) tier)
            then 'needs tiers of different names'
        when cardinality(new.bounds) <> cardinality(new.tiers) - 1
            then format('has %s tiers and %s bounds: expected one bound between two tiers',
                        cardinality(new.tiers), cardinality(new.bounds))
        when exists (select from unnest(new.bounds) with ordinality b(bound, i)
                     where bound is null or not (bound > 0 and bound <= 1) or bound <= new.bounds[i - 1])
            then 'has bounds ' || new.bounds::text || ': expected ascending numbers above 0, the last at most 1'
        end;
begin
    if wrong is not null then
        raise exception 'policy ''%'' %', new.name, wrong using errcode = 'invalid_parameter_value';
    end if;
    if tg_op = 'UPDATE' and (new.name, new.tiers, new.bounds) is distinct from (old.name, old.tiers, old.bounds) then
        raise exception 'policy ''%'' stays what it is, for scores were given by it: write another', old.name
            using errcode = 'invalid_parameter_value';
    end if;
    return new;
end
$$;
create or replace trigger check_policy before insert or update on scopestream_data.policy
    for each row execute function scopestream_data.check_policy();

create or replace view scopestream.policies as
    select name, tiers, bounds,
           tiers[1] || coalesce((select string_agg(format(' < %s <= %s', bound, p.tiers[i + 1]), '' order by i)
                                 from unnest(p.bounds) with ordinality b(bound, i)), '') as in_words,
           description, created_by
    from scopestream_data.policy p;
comment on view scopestream.policies is 'Which tier a score belongs to: exactly one, whatever the score; insert a row to have another policy';
comment on column scopestream.policies.name is 'a letter a-z, then a-z 0-9 _ -';
comment on column scopestream.policies.tiers is 'names of the tiers, from the least interesting to the most';
comment on column scopestream.policies.bounds is 'least score of each tier but the first: one fewer than tiers, ascending';
comment on column scopestream.policies.in_words is 'tiers and bounds in one line: a score on a bound belongs to the tier above it';
comment on column scopestream.policies.description is 'what it is for';
comment on column scopestream.policies.created_by is 'who wrote it';
grant insert (name, tiers, bounds, description) on scopestream.policies to scopestream_scientist;

-- --- models ---

-- 'haste': the version that is switched on, or else the newest; 'haste 2': that version.
create or replace function scopestream_data.find_model(words text) returns scopestream_data.model
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select m.* from scopestream_data.model m
    where words = m.name or words = m.name || ' ' || m.version
    order by m.enabled desc, m.version desc limit 1
$$;

-- One statement with $1 = row_key[]: for each row and model the model's score with all that is told of it.
-- An expression that several models have is computed once.
create or replace function scopestream_data.scoring_sql(models scopestream_data.model[]) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.model;
    policy scopestream_data.policy;
    part record;
    expressions text[] := '{}';
    "references" text[] := '{}';
    known_parts jsonb[] := '{}';
    seen text[] := '{}';
    place integer;
    named text[];
    answers text[] := '{}';
begin
    foreach told in array models loop
        named := '{}';
        for part in select key, value, told.parts - key as parts from jsonb_each_text(told.parts)
                    union all select null, told.score, told.parts order by key nulls last
        loop
            place := array_position(seen, concat_ws(E'\n', told.reference, part.value, part.parts));
            if place is null then
                expressions := expressions || part.value;
                "references" := "references" || told.reference;
                known_parts := known_parts || part.parts;
                seen := seen || concat_ws(E'\n', told.reference, part.value, part.parts);
                place := cardinality(seen);
            end if;
            named := named || format('%L, e."values"[%s]', part.key, place);
        end loop;
        select * into strict policy from scopestream_data.policy where name = told.policy;
        answers := answers || format(
            '(%L::integer, e."values"[%s], %L::float8, %L::text[], %L::float8[], %s, e.origins[%s])',
            told.model_id, place, told.unknown_score, policy.tiers, policy.bounds,
            case when cardinality(named) > 1
                 then format('jsonb_build_object(%s)', array_to_string(named[:cardinality(named) - 1], ', '))
                 else 'null::jsonb' end, place);
    end loop;
    return format($scoring$
        select e.frame_id, e.acquired_at, e.pipeline_id, m.model_id, s.score,
               m.tiers[width_bucket(s.score, m.bounds) + 1] as tier, m.answer is not null as known,
               m.parts, m.compared_with
        from scopestream_data.evaluate(%L, $1) e,
             lateral (values %s) m(model_id, answer, unknown_score, tiers, bounds, parts, compared_with),
             lateral (select greatest(0, least(1, coalesce(m.answer, m.unknown_score))) as score) s
        order by e.frame_id, e.pipeline_id, m.model_id $scoring$,
        scopestream_data.evaluation_sql(expressions, "references", known_parts), array_to_string(answers, ', '));
end
$$;

-- Refuses a model that cannot be computed, with the reason.
create or replace function scopestream_data.check_model(told scopestream_data.model) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    part record;
begin
    if jsonb_typeof(told.parts) is distinct from 'object' then
        raise exception 'parts: expected names and expressions, as in {"sharp": "z(focus)"}'
            using errcode = 'invalid_parameter_value';
    end if;
    if not exists (select from scopestream_data.policy p where p.name = told.policy) then
        raise exception 'no policy is called ''%'': scopestream.policies lists them', told.policy
            using errcode = 'invalid_parameter_value';
    end if;
    perform scopestream_data.check_reference(told.reference);
    for part in select key from jsonb_each(told.parts) order by key loop
        perform scopestream_data.compile_expression(part.key, told.parts); -- also one that score does not use
    end loop;
    perform scopestream_data.compile_expression(told.score, told.parts);
    -- PostgreSQL has the last word: run on no rows.
    begin
        execute scopestream_data.scoring_sql(array[told]) using '{}'::scopestream_data.row_key[];
    exception when syntax_error_or_access_rule_violation or statement_too_complex or program_limit_exceeded then
        raise exception 'score: %', sqlerrm using errcode = 'invalid_parameter_value';
    end;
end
$$;

-- Says of which model it speaks. A built-in one waits for the measures it is made of: NULL, or what for.
create or replace function scopestream_data.check_or_wait(told scopestream_data.model) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.check_model(told);
    return null;
exception when invalid_parameter_value then
    if told.built_in then
        return sqlerrm;
    end if;
    raise exception 'model ''%'': %', told.name, sqlerrm using errcode = 'invalid_parameter_value';
end
$$;

create or replace function scopestream_data.add_model() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    was_default boolean;
begin
    if new.name is null or new.name !~ '^[a-z][a-z0-9_]{0,62}$' then
        raise exception 'a model cannot be called ''%'': a letter a-z, then at most 62 of a-z 0-9 _',
            coalesce(new.name, 'null') using errcode = 'invalid_parameter_value';
    end if;
    if new.is_default and not new.enabled then
        raise exception 'model ''%'': one that is not enabled cannot be the default', new.name
            using errcode = 'invalid_parameter_value';
    end if;
    new.waits_for := scopestream_data.check_or_wait(new);
    perform pg_advisory_xact_lock(hashtext('scopestream models')); -- two versions written at once
    new.version := (select coalesce(max(version), 0) + 1 from scopestream_data.model where name = new.name);
    if new.enabled then
        update scopestream_data.model m set enabled = false, is_default = false
        from scopestream_data.model o -- as it was
        where m.model_id = o.model_id and m.name = new.name and m.enabled
        returning o.is_default into was_default;
        new.is_default := new.is_default or coalesce(was_default, false);
    end if;
    update scopestream_data.model set is_default = false where new.is_default and is_default;
    return new;
end
$$;
create or replace trigger add_model before insert on scopestream_data.model
    for each row execute function scopestream_data.add_model();

-- Switched on and off, made the default, described anew: nothing else.
create or replace function scopestream_data.change_model() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    by_a_person boolean := pg_trigger_depth() = 1; -- else one of these two triggers
    was_default boolean;
begin
    if (new.model_id, new.name, new.version, new.score, new.parts, new.reference, new.policy, new.unknown_score)
       is distinct from
       (old.model_id, old.name, old.version, old.score, old.parts, old.reference, old.policy, old.unknown_score) then
        raise exception 'what model ''%'' computes stays as it is: insert a row of the same name, which is version %',
            old.name, (select max(version) + 1 from scopestream_data.model where name = old.name)
            using errcode = 'invalid_parameter_value';
    end if;
    if by_a_person and old.is_default and not (new.is_default and new.enabled) then
        raise exception 'model ''%'' is the default, and one has to be: make another the default instead', old.name
            using errcode = 'invalid_parameter_value';
    end if;
    new.enabled := new.enabled or new.is_default;
    if new.enabled and not old.enabled then
        update scopestream_data.model m set enabled = false, is_default = false
        from scopestream_data.model o
        where m.model_id = o.model_id and m.name = new.name and m.model_id <> new.model_id and m.enabled
        returning o.is_default into was_default;
        new.is_default := new.is_default or coalesce(was_default, false);
    end if;
    update scopestream_data.model set is_default = false
    where new.is_default and is_default and model_id <> new.model_id;
    return new;
end
$$;
create or replace trigger change_model before update on scopestream_data.model
    for each row execute function scopestream_data.change_model();

-- Tries again those that wait. One that somebody is changing waits for the next time.
create or replace function scopestream_data.compile_waiting_models() returns integer -- how many wait no more
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.model;
    reason text;
    ready integer := 0;
begin
    for told in select * from scopestream_data.model where waits_for is not null order by model_id
                for update skip locked
    loop
        reason := scopestream_data.check_or_wait(told);
        update scopestream_data.model set waits_for = reason
        where model_id = told.model_id and waits_for is distinct from reason;
        ready := ready + (reason is null)::integer;
    end loop;
    return ready;
end
$$;

-- --- built-in models wait for their measures ---

create or replace function scopestream_data.catalogue_grew() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.compile_waiting_models();
end
$$;

-- As in 007, and then what waits for measures is tried again.
create or replace function scopestream_data.make_views() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    measured text;
    medians text;
    told scopestream_data.measure;
begin
    -- In the order of the columns, which is the order in which they were announced.
    select string_agg(format(', r.%I', a.attname), '' order by a.attnum),
           string_agg(format(', percentile_cont(0.5) within group (order by r.%1$I) as %1$I', a.attname),
                      '' order by a.attnum) filter (where m.kind = 'number')
    into measured, medians
    from pg_attribute a left join scopestream_data.measure m on m.name = a.attname
    where a.attrelid = 'scopestream_data.result'::regclass and a.attnum > 0 and not a.attisdropped
      and (m.name is not null or a.attname = 'null_reasons');

    execute format($view$
        create or replace view scopestream.features as
        select f.acquired_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t,
               f.path, f.page, f.frame_id, f.closed_at, f.naming, f.format, f.width, f.height, f.bits,
               f.samples, f.pixel_size_um,
               p.name as pipeline, p.version as pipeline_version, r.delivery, r.attempt, r.worker,
               r.measured_at, r.stored_at, r.other_values%s
        from scopestream_data.frame f
        join scopestream_data.result r using (frame_id, acquired_at)
        join scopestream_data.pipeline p using (pipeline_id)
        where r.status = 'ok' $view$, measured);

    -- A column nobody asks for is not computed. Arrays and hashes have no median.
    execute format($view$
        create or replace view scopestream.wells as
        select f.source, f.experiment, f.plate, f.well, f.channel,
               p.name as pipeline, p.version as pipeline_version,
               count(*) as frames, min(f.acquired_at) as first_acquired_at,
               max(f.acquired_at) as last_acquired_at%s
        from scopestream_data.frame f
        join scopestream_data.result r using (frame_id, acquired_at)
        join scopestream_data.pipeline p using (pipeline_id)
        where r.status = 'ok'
        group by f.source, f.experiment, f.plate, f.well, f.channel, p.name, p.version $view$, medians);

    for told in select * from scopestream_data.measure loop
        execute format('comment on column scopestream.features.%I is %L', told.name,
                       scopestream_data.measure_comment(told));
        if told.kind = 'number' then
            execute format('comment on column scopestream.wells.%I is %L', told.name,
                           'median over the frames of: ' || scopestream_data.measure_comment(told));
        end if;
    end loop;
    comment on column scopestream.features.null_reasons is
        'why a number is NULL: its name, then the reason; NULL where all have values';
    perform scopestream_data.make_cellprofiler_view();
    perform scopestream_data.make_between_frames_views();
    perform scopestream_data.catalogue_grew();
end
$$;

create or replace view scopestream.models as
    select name, version, score, parts, reference, policy, unknown_score, enabled, is_default, built_in, waits_for,
           description, created_at, created_by, model_id
    from scopestream_data.model;
comment on view scopestream.models is 'What gives frames their scores: insert a row to have another model, or the next version of one';
comment on column scopestream.models.name is 'a letter a-z, then a-z 0-9 _; the same name again is its next version';
comment on column scopestream.models.version is 'counts the rows of a name, from 1';
comment on column scopestream.models.score is 'expression of measures and of what is usual; kept within 0 to 1';
comment on column scopestream.models.parts is 'names of parts and their expressions, {"sharp": "z(focus)"}: score may use them, and each frame''s are shown';
comment on column scopestream.models.reference is 'what z() and its like compare with: plate, controls, last week, saved:NAME';
comment on column scopestream.models.policy is 'gives the score its tier: scopestream.policies';
comment on column scopestream.models.unknown_score is 'score of a frame for which the expression is NULL; 1 as is: what is not known is kept';
comment on column scopestream.models.enabled is 'whether frames are scored as they come; one version of a name at most';
comment on column scopestream.models.is_default is 'whether it is the one meant where no model is named; always exactly one';
comment on column scopestream.models.built_in is 'came with scopestream';
comment on column scopestream.models.waits_for is 'why it gives no scores yet: measures that no worker has announced; NULL: it does';
comment on column scopestream.models.description is 'what it is for, and where it comes from';
comment on column scopestream.models.created_at is 'when it was written';
comment on column scopestream.models.created_by is 'who wrote it';
comment on column scopestream.models.model_id is 'number of this version of this model';
grant insert (name, score, parts, reference, policy, unknown_score, enabled, is_default, description)
    on scopestream.models to scopestream_scientist;
grant update (enabled, is_default, description) on scopestream.models to scopestream_scientist;

-- --- scoring ---

-- The statement that scores $1 = row_key[] by these models; written anew: also rows that have scores. Kept under
-- the models' numbers, which say all, for what a model computes does not change.
create or replace function scopestream_data.scoring_program(models scopestream_data.model[], anew boolean) returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wanted constant text := case when anew then 'score anew by models ' else 'score by models ' end
        || array_to_string(array(select m.model_id from unnest(models) m), ', ');
    program text := (select sql from scopestream_data.steering_program where what = wanted);
begin
    if program is null then
        program := 'insert into scopestream_data.priority (frame_id, acquired_at, pipeline_id, model_id, score, tier, '
            'known, parts, compared_with) ' || scopestream_data.scoring_sql(models)
            || case when anew then
                ' on conflict (frame_id, pipeline_id, model_id, acquired_at) do update set score = excluded.score,'
                ' tier = excluded.tier, known = excluded.known, parts = excluded.parts,'
                ' compared_with = excluded.compared_with, scored_at = excluded.scored_at'
               else ' on conflict do nothing' end;
        delete from scopestream_data.steering_program where not anew and what like 'score by models %';
        insert into scopestream_data.steering_program (what, sql) values (wanted, program) on conflict do nothing;
    end if;
    return program;
end
$$;

-- Scores rows by all models that are switched on.
create or replace function scopestream_data.score_frames(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    models constant scopestream_data.model[] := array(
        select m from scopestream_data.model m where m.enabled and m.waits_for is null order by m.model_id);
begin
    if models <> '{}' and cardinality(keys) > 0 then
        execute scopestream_data.scoring_program(models, false) using keys;
    end if;
end
$$;

-- --- scoring history ---

-- The next frames with numbers, in the order of time, a few thousand at a time. Time has a coarse index only,
-- so that storing stays cheap: it is looked through in windows, wider and wider until there are enough.
create or replace function scopestream_data.next_frames(after_at timestamptz, after_id uuid, most integer, plate text,
    since timestamptz, out keys scopestream_data.row_key[], out frames integer, out last_at timestamptz,
    out last_id uuid)
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    low timestamptz := greatest(after_at, since, scopestream_data.month_edge(true));
    till constant timestamptz := scopestream_data.month_edge(false);
    span interval := case when plate is null then '5 minutes'::interval else '200 years' end;
    found_keys scopestream_data.row_key[];
    found_frames integer;
begin
    keys := '{}';
    frames := 0;
    while frames < most and low < till loop
        select array_agg(row(n.frame_id, n.acquired_at, r.pipeline_id)::scopestream_data.row_key
                         order by n.acquired_at, n.frame_id, r.pipeline_id),
               count(distinct n.frame_id)
        into found_keys, found_frames
        from (select f.frame_id, f.acquired_at from scopestream_data.frame f
              where f.acquired_at >= low and f.acquired_at < low + span
                and (next_frames.plate is null or f.plate = next_frames.plate)
                and (after_at is null or (f.acquired_at, f.frame_id) > (after_at, after_id))
                and exists (select from scopestream_data.result r
                            where r.frame_id = f.frame_id and r.acquired_at = f.acquired_at and r.status = 'ok')
              order by f.acquired_at, f.frame_id limit most - frames) n
        join scopestream_data.result r on r.frame_id = n.frame_id and r.acquired_at = n.acquired_at and r.status = 'ok';
        keys := keys || found_keys;
        frames := frames + found_frames;
        low := low + span;
        span := least(2 * span, '31 days'::interval);
    end loop;
    last_at := (keys[cardinality(keys)]).acquired_at;
    last_id := (keys[cardinality(keys)]).frame_id;
end
$$;

-- Where the first month of frames begins, or the last one ends.
create or replace function scopestream_data.month_edge(first boolean) returns timestamptz
    language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
    select case when first then min(month) else max(month) + interval '1 month' end
    from pg_inherits i join pg_class c on c.oid = i.inhrelid,
         lateral (select to_timestamp(right(c.relname, 7), 'YYYY_MM') as month) m
    where i.inhparent = 'scopestream_data.frame'::regclass and c.relname ~ '^frame_\d{4}_\d\d$'
$$;

-- As many as are scored fastest by one statement.
create or replace function scopestream_data.fewer_keys(keys scopestream_data.row_key[])
    returns setof scopestream_data.row_key[]
    language sql immutable set search_path = pg_catalog, pg_temp as $$
    select keys[i:i + 499] from generate_series(1, cardinality(keys), 500) i order by i
$$;

-- Scores the next frames by one model, those it has scored too: baselines have grown since. What other models
-- and other versions said stays. frames 0: that was all. Start with after_at and after_id NULL.
create or replace function scopestream_data.rescore(model_id integer, after_at timestamptz, after_id uuid, most integer,
    plate text default null, since timestamptz default null,
    out frames integer, out last_at timestamptz, out last_id uuid)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.model;
    batch record;
    program text;
    few scopestream_data.row_key[];
begin
    select * into told from scopestream_data.model m where m.model_id = rescore.model_id;
    if not found then
        raise exception 'no model has the number %', coalesce(model_id::text, 'null')
            using errcode = 'invalid_parameter_value';
    elsif told.waits_for is not null then
        raise exception 'model ''%'' cannot be computed yet: %', told.name, told.waits_for
            using errcode = 'invalid_parameter_value';
    end if;
    if after_at is null then -- the first batch
        perform scopestream_data.refresh_baselines(10000);
    end if;
    batch := scopestream_data.next_frames(after_at, after_id, greatest(1, least(most, 10000)), plate, since);
    program := scopestream_data.scoring_program(array[told], true);
    for few in select * from scopestream_data.fewer_keys(batch.keys) loop
        execute program using few;
    end loop;
    frames := batch.frames;
    last_at := batch.last_at;
    last_id := batch.last_id;
end
$$;

-- About how many frames that is, at once: for progress.
create or replace function scopestream_data.frames_about(plate text default null, since timestamptz default null)
    returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    plan json;
begin
    if plate is not null then
        return (select count(*) from scopestream_data.frame f
                where f.plate = frames_about.plate and f.acquired_at >= coalesce(since, '-infinity'));
    end if;
    execute format('explain (format json) select from scopestream_data.frame where acquired_at >= %L',
                   coalesce(since, '-infinity')) into plan;
    return (plan #>> '{0,Plan,Plan Rows}')::bigint;
end
$$;

-- --- what people see ---

create or replace view scopestream.priorities as
    select f.acquired_at, f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.path, f.page,
           f.frame_id, l.name as pipeline, l.version as pipeline_version, m.name as model, m.version as model_version,
           m.is_default, p.score, p.tier, p.known, p.parts, p.compared_with, p.scored_at
    from scopestream_data.priority p
    join scopestream_data.frame f on f.frame_id = p.frame_id and f.acquired_at = p.acquired_at
    join scopestream_data.pipeline l on l.pipeline_id = p.pipeline_id
    join scopestream_data.model m on m.model_id = p.model_id;
comment on view scopestream.priorities is 'How interesting each frame is: a row for each model that scored it; where is_default holds, the one that counts';
comment on column scopestream.priorities.score is '0 to 1: how interesting the model found it';
comment on column scopestream.priorities.tier is 'name the model''s policy gives the score';
comment on column scopestream.priorities.known is 'false: the model had no answer, and score is its unknown_score';
comment on column scopestream.priorities.parts is 'the model''s parts with their values for this frame; explain_priority() tells what they are';
comment on column scopestream.priorities.compared_with is 'whose medians were the usual: its plate, the one before, ...; NULL: nothing was usual yet, or nothing was asked for';
comment on column scopestream.priorities.scored_at is 'when the score was given';

-- Of each place the newest frame: what counts for what is imaged next. Time points follow each other at a place.
create or replace view scopestream_data.newest_priority as
    select distinct on (f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.page, set_path, l.name,
                        m.name, m.version, m.is_default)
           f.source, f.experiment, f.plate, f.well, f.site, l.name as pipeline,
           m.name as model, m.version as model_version, m.is_default, m.policy, p.acquired_at, p.score, p.known
    from scopestream_data.priority p
    join scopestream_data.frame f on f.frame_id = p.frame_id and f.acquired_at = p.acquired_at
    join scopestream_data.pipeline l on l.pipeline_id = p.pipeline_id
    join scopestream_data.model m on m.model_id = p.model_id,
    lateral (select case when f.naming is null then f.path end as set_path) s
    order by f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.page, set_path, l.name,
             m.name, m.version, m.is_default, p.acquired_at desc, l.version desc, f.frame_id;

-- A view of them by place, with comments. place: its columns; within: counted ones.
create or replace function scopestream_data.make_place_priorities(view_name text, word text, place text, within text)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    execute format($view$
        create or replace view scopestream.%I as
        select a.*, y.tiers[width_bucket(a.score, y.bounds) + 1] as tier
        from (select %s, pipeline, model, model_version, is_default, policy, max(score) as score,
                     avg(score) as mean_score, %s count(*) as frames,
                     count(*) filter (where not known) as unknown_frames, max(acquired_at) as newest_acquired_at
              from scopestream_data.newest_priority
              group by %s, pipeline, model, model_version, is_default, policy) a
        join scopestream_data.policy y on y.name = a.policy $view$, view_name, place, within, place);
    execute format('comment on view scopestream.%I is %L', view_name, format(
        'How interesting each %s is: its frames'' scores taken together, of each place the newest; a row for each '
        'model and pipeline', word));
    for told in
        select column_name, meaning from (values
            ('score', 'of its most interesting frame'), ('mean_score', 'mean over its frames'),
            ('tier', 'that score belongs to'), ('frames', 'that count: of each site, channel and plane the newest'),
            ('unknown_frames', 'of these, how many the model had no answer for'),
            ('sites', 'with scored frames'), ('wells', 'with scored frames'),
            ('newest_acquired_at', 'of its newest frame'),
            ('policy', 'that names the tier')) m(column_name, meaning)
        where exists (select from pg_attribute where attrelid = ('scopestream.' || view_name)::regclass
                                                 and attname = column_name)
    loop
        execute format('comment on column scopestream.%I.%I is %L', view_name, told.column_name, told.meaning);
    end loop;
end
$$;

do $$
begin
    perform scopestream_data.make_place_priorities('site_priorities', 'site',
                                                   'source, experiment, plate, well, site', '');
    perform scopestream_data.make_place_priorities('well_priorities', 'well', 'source, experiment, plate, well',
                                                   'count(distinct site) as sites,');
    perform scopestream_data.make_place_priorities('plate_priorities', 'plate', 'source, experiment, plate',
                                                   'count(distinct well) as wells,');
end
$$;

do $$
declare
    told record;
begin
    for told in
        select c.relname, a.attname, meaning
        from (values ('model', 'name of the model'),
                     ('model_version', 'its version: another one computes something else'),
                     ('is_default', 'whether it is the model that counts'),
                     ('pipeline', 'list of measures that was asked for'), ('pipeline_version', 'its version'))
             m(attname, meaning)
        join pg_attribute a on a.attname = m.attname
        join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'scopestream'::regnamespace
          and c.relname in ('priorities', 'site_priorities', 'well_priorities', 'plate_priorities')
    loop
        execute format('comment on column scopestream.%I.%I is %L', told.relname, told.attname, told.meaning);
    end loop;
    perform scopestream_data.explain_columns();
end
$$;

-- --- one frame's score, explained ---

-- What a model is made of, with its values for one row: what baselines are kept of, measures and names.
create or replace function scopestream_data.explain_words(told scopestream_data.model, key scopestream_data.row_key)
    returns table (word text, formula text, value double precision, compared_with text, median double precision,
                   mad double precision, n bigint)
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    made constant scopestream_data.compiled := scopestream_data.compile_expression(told.score, told.parts);
    features constant text[] := array(
        select f.expression from scopestream_data.feature f where f.feature_id = any (made.features) order by 1);
    words constant text[] := features || array(
        select m.name from scopestream_data.measure m
        where m.name = any (made.measures) and m.name <> all (features) and m.kind = 'number'
        union
        select e.name from scopestream_data.expression_function e
        where e.kind = 'name' and told.score || ' ' || told.parts ~ ('\m' || e.name || '\M') order by 1);
    asked text[] := words;
    given scopestream_data.evaluated;
    place integer;
begin
    for i in 1 .. cardinality(features) loop
        asked := asked || format('median(%s)', features[i]) || format('mad(%s)', features[i])
                       || format('n(%s)', features[i]);
    end loop;
    given := e from scopestream_data.evaluate(
        scopestream_data.evaluation_sql(asked, array_fill(told.reference, array[cardinality(asked)])), array[key]) e;
    for i in 1 .. cardinality(words) loop
        place := cardinality(words) + 3 * i - 2; -- of the median
        word := words[i];
        formula := coalesce((select m.formula from scopestream_data.measure m where m.name = word),
                            (select e.sentence from scopestream_data.expression_function e
                             where e.kind = 'name' and e.name = word), 'what is usual is kept of it');
        value := given."values"[i];
        median := case when i <= cardinality(features) then given."values"[place] end;
        mad := case when i <= cardinality(features) then given."values"[place + 1] end;
        n := case when i <= cardinality(features) then given."values"[place + 2] end;
        compared_with := case when i <= cardinality(features) then given.origins[place] end;
        return next;
    end loop;
end
$$;

-- Score and parts are those that were given; what they were compared with is told as it is now.
create or replace function scopestream.explain_priority(frame_id uuid, by_model text default null)
    returns table (pipeline text, model text, model_version integer, part text, value double precision, formula text,
                   note text, compared_with text, median double precision, mad double precision, n bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.model;
    given record;
begin
    told := m from scopestream_data.model m
            where m.model_id = (scopestream_data.find_model(by_model)).model_id or by_model is null and m.is_default;
    if told.model_id is null then
        raise exception 'no model is called ''%'': scopestream.models lists them', by_model
            using errcode = 'invalid_parameter_value';
    end if;
    for given in
        select p.*, l.name as pipeline
        from scopestream_data.priority p join scopestream_data.pipeline l on l.pipeline_id = p.pipeline_id
        where p.frame_id = explain_priority.frame_id and p.model_id = told.model_id order by l.name, l.version
    loop
        return query
            select given.pipeline, told.name, told.version, 'score', given.score, told.score,
                   case when given.known then '' else 'unknown, so unknown_score: ' end
                   || format('tier %s of %s', given.tier, told.policy),
                   given.compared_with, null::float8, null::float8, null::bigint
            union all
            select given.pipeline, told.name, told.version, e.key, (given.parts ->> e.key)::float8, e.value,
                   'part of score', null, null, null, null
            from jsonb_each_text(told.parts) e;
        return query
            select given.pipeline, told.name, told.version, w.word, w.value, w.formula,
                   case when w.n is null then 'of this frame' else 'median, mad and n as they are now' end,
                   w.compared_with, w.median, w.mad, w.n
            from scopestream_data.explain_words(
                told, row(given.frame_id, given.acquired_at, given.pipeline_id)::scopestream_data.row_key) w;
    end loop;
end
$$;
comment on function scopestream.explain_priority is 'Why a frame has its score: the score and its parts with their formulas, then what these are made of, with the median, MAD and n it is compared with; by_model: a name, as is the default model''s';

-- --- what if another model counted ---

do $$
begin
    if to_regtype('scopestream_data.compared_frame') is null then
        create type scopestream_data.compared_frame as (
            frame_id uuid, acquired_at timestamptz, pipeline_id integer,
            score_a double precision, tier_a text, score_b double precision, tier_b text);
        create type scopestream_data.compared_tiers as (
            tier_a text, tier_b text, frames bigint, sum_a double precision, sum_b double precision);
    end if;
end
$$;

-- The model people mean: by its name, or else an expression that is one for this once.
create or replace function scopestream_data.model_meant(words text, other text) returns scopestream_data.model
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told scopestream_data.model := scopestream_data.find_model(words);
begin
    if told.waits_for is not null then
        raise exception 'model ''%'' cannot be computed yet: %', told.name, told.waits_for
            using errcode = 'invalid_parameter_value';
    elsif told.model_id is null then
        told := jsonb_populate_record(null::scopestream_data.model, jsonb_build_object(
            'name', 'expression', 'score', words, 'parts', '{}'::jsonb, 'reference', 'plate', 'unknown_score', 1,
            'policy', coalesce((scopestream_data.find_model(other)).policy, 'four_tiers'), 'built_in', false));
        begin
            perform scopestream_data.check_model(told);
        exception when invalid_parameter_value then
            raise exception '''%'' is no model''s name, and as an expression: %', words, sqlerrm
                using errcode = 'invalid_parameter_value';
        end;
    end if;
    return told;
end
$$;

-- One statement with $1 = row_key[]: a compared_frame of each row.
create or replace function scopestream_data.comparing_sql(a scopestream_data.model, b scopestream_data.model)
    returns text
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    a.model_id := 1;
    b.model_id := 2;
    return format($compare$
        select array_agg(row(c.*)::scopestream_data.compared_frame) from (
            select frame_id, acquired_at, pipeline_id,
                   max(score) filter (where model_id = 1), max(tier) filter (where model_id = 1),
                   max(score) filter (where model_id = 2), max(tier) filter (where model_id = 2)
            from (%s) s group by frame_id, acquired_at, pipeline_id) c $compare$,
        scopestream_data.scoring_sql(array[a, b]));
end
$$;

-- 0 for the least interesting tier of a policy, 1 for the most.
create or replace function scopestream_data.tier_place(policy text, tier text) returns double precision
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select (array_position(p.tiers, tier) - 1)::double precision / greatest(1, cardinality(p.tiers) - 1)
    from scopestream_data.policy p where p.name = policy
$$;

-- What an expression asks of baselines for the first time, of the plates of these frames.
create or replace function scopestream_data.fill_baselines(keys scopestream_data.row_key[]) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform scopestream_data.refresh_baseline(b.baseline_id)
    from (select b.baseline_id from scopestream_data.baseline b
          where cardinality(b.counts) < scopestream_data.feature_count()
            and b.plate in (select f.plate from unnest(keys) k join scopestream_data.frame f
                                on f.frame_id = k.frame_id and f.acquired_at = k.acquired_at)
          order by b.baseline_id for update skip locked) b;
end
$$;

-- Both models over the frames of a plate or since a time: how many of each tier would be of which other, and
-- those that would move farthest. Nothing of it stays: also what an expression has baselines keep is rolled
-- back, which variables outlive; batch by batch, so that storing never waits long for a baseline's row.
create or replace function scopestream_data.compare_models(model_a text, model_b text, plate text, since timestamptz,
    most integer, out a scopestream_data.model, out b scopestream_data.model,
    out cells scopestream_data.compared_tiers[], out moved scopestream_data.compared_frame[])
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    features constant integer := scopestream_data.feature_count();
    anew boolean := true; -- whether the models have to be compiled
    batch record;
    after_at timestamptz;
    after_id uuid;
    program text;
    few scopestream_data.row_key[];
begin
    loop
        batch := scopestream_data.next_frames(after_at, after_id, 2000, plate, since);
        begin
            if anew then
                a := scopestream_data.model_meant(model_a, model_b);
                b := scopestream_data.model_meant(model_b, model_a);
                program := scopestream_data.comparing_sql(a, b);
                anew := scopestream_data.feature_count() > features;
                perform scopestream_data.fill_baselines(batch.keys) where anew;
            end if;
            for few in select * from scopestream_data.fewer_keys(batch.keys) loop
                select * into cells, moved
                from scopestream_data.add_compared(program, few, a.policy, b.policy, most, cells, moved);
            end loop;
            raise exception using errcode = 'UNDO0';
        exception when sqlstate 'UNDO0' then
            exit when batch.frames = 0;
        end;
        after_at := batch.last_at;
        after_id := batch.last_id;
    end loop;
end
$$;

create or replace function scopestream_data.add_compared(program text, keys scopestream_data.row_key[], policy_a text,
    policy_b text, most integer, inout cells scopestream_data.compared_tiers[],
    inout moved scopestream_data.compared_frame[])
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    frames scopestream_data.compared_frame[];
begin
    execute program into frames using keys;
    cells := array(
        select row(c.tier_a, c.tier_b, sum(c.frames), sum(c.sum_a), sum(c.sum_b))::scopestream_data.compared_tiers
        from (select * from unnest(cells)
              union all select f.tier_a, f.tier_b, 1, f.score_a, f.score_b from unnest(frames) f) c
        group by c.tier_a, c.tier_b);
    moved := array(
        select row(m.*)::scopestream_data.compared_frame from unnest(moved || frames) m
        where m.tier_a <> m.tier_b
        order by abs(scopestream_data.tier_place(policy_b, m.tier_b) - scopestream_data.tier_place(policy_a, m.tier_a))
                 desc, abs(m.score_b - m.score_a) desc, m.acquired_at, m.frame_id limit most);
end
$$;

create or replace function scopestream.what_if(model_a text, model_b text, plate text default null,
    since timestamptz default null)
    returns table (tier_a text, tier_b text, frames bigint, share double precision, mean_score_a double precision,
                   mean_score_b double precision)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    told := scopestream_data.compare_models(model_a, model_b, plate, since, 0);
    return query
        select one.tier, other.tier, coalesce(c.frames, 0),
               (coalesce(c.frames, 0) / nullif(sum(c.frames) over (), 0))::double precision,
               c.sum_a / c.frames, c.sum_b / c.frames
        from scopestream_data.policy y
        join scopestream_data.policy x on y.name = (told.a).policy and x.name = (told.b).policy
        cross join unnest(y.tiers) with ordinality one(tier, place)
        cross join unnest(x.tiers) with ordinality other(tier, place)
        left join unnest(told.cells) c on c.tier_a = one.tier and c.tier_b = other.tier
        order by one.place, other.place;
end
$$;
comment on function scopestream.what_if is 'What another model would do, with nothing stored: a row for each tier of model_a and tier of model_b, and how many frames have the one and would have the other; each is a model''s name (''haste'', ''haste 2'') or an expression; plate, since: NULL for all';

do $$
begin
    if to_regtype('scopestream.what_if_frame') is null then
        create type scopestream.what_if_frame as (
            source text, experiment text, plate text, well text, site integer, channel text, z integer, t integer,
            path text, page integer, frame_id uuid, acquired_at timestamptz, pipeline text,
            score_a double precision, tier_a text, score_b double precision, tier_b text);
    end if;
end
$$;

create or replace function scopestream.what_if_frames(model_a text, model_b text, plate text default null,
    since timestamptz default null, most integer default 50) returns setof scopestream.what_if_frame
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told record;
begin
    told := scopestream_data.compare_models(model_a, model_b, plate, since, greatest(1, least(most, 10000)));
    return query
        select f.source, f.experiment, f.plate, f.well, f.site, f.channel, f.z, f.t, f.path, f.page, f.frame_id,
               f.acquired_at, l.name, m.score_a, m.tier_a, m.score_b, m.tier_b
        from unnest(told.moved) with ordinality m(frame_id, acquired_at, pipeline_id, score_a, tier_a, score_b, tier_b,
                                                  place)
        join scopestream_data.frame f on f.frame_id = m.frame_id and f.acquired_at = m.acquired_at
        join scopestream_data.pipeline l on l.pipeline_id = m.pipeline_id
        order by m.place;
end
$$;
comment on function scopestream.what_if_frames is 'The frames whose tier would change most if model_b were used in place of model_a, the farthest first; nothing is stored';
comment on type scopestream.what_if_frame is 'A frame as two models see it';

-- --- who may call what ---

revoke execute on function scopestream_data.check_policy, scopestream_data.find_model, scopestream_data.scoring_sql,
    scopestream_data.check_model, scopestream_data.check_or_wait, scopestream_data.add_model,
    scopestream_data.change_model, scopestream_data.compile_waiting_models, scopestream_data.catalogue_grew,
    scopestream_data.scoring_program, scopestream_data.score_frames, scopestream_data.next_frames,
    scopestream_data.month_edge, scopestream_data.fewer_keys, scopestream_data.rescore,
    scopestream_data.frames_about, scopestream_data.make_place_priorities, scopestream_data.explain_words,
    scopestream_data.model_meant, scopestream_data.comparing_sql, scopestream_data.tier_place,
    scopestream_data.fill_baselines, scopestream_data.compare_models, scopestream_data.add_compared from public;
grant execute on function scopestream_data.rescore, scopestream_data.frames_about to scopestream_scientist;
revoke execute on function scopestream.what_if, scopestream.what_if_frames from scopestream_reader, scopestream_store;
grant execute on function scopestream.what_if, scopestream.what_if_frames to scopestream_scientist;

delete from scopestream_data.steering_program; -- built by what was here before

insert into scopestream_data.schema_migration (version, name, sha256) values (13, '013_priorities.sql', '')
on conflict (version) do nothing;

reset role;
