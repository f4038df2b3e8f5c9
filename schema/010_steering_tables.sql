-- What steers the running experiment: plate layouts, baselines, models that give each frame a priority,
-- rules that find what goes wrong, alerts that tell it, decisions the microscope can act on. Tables only;
-- the numbered files that follow give each its functions and views.
--
-- Everything here is written by the transaction that stores the rows it speaks of, one store after the
-- other (whoever steers holds the row of table steering), or by a scientist in SQL.

set client_min_messages = warning;

do $$
begin
    if to_regrole('scopestream_scientist') is null then
        create role scopestream_scientist nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the cluster: another database's migration was quicker
end
$$;
comment on role scopestream_scientist is 'scopestream: a reader who may also write models, rules and layouts, and answer alerts';
grant scopestream_reader to scopestream_scientist;

set role scopestream_owner;

-- Which row of result is meant. What storing a batch made new is handed on as an array of these.
do $$
begin
    if to_regtype('scopestream_data.row_key') is null then
        create type scopestream_data.row_key as (frame_id uuid, acquired_at timestamptz, pipeline_id integer);
    end if;
end
$$;

-- --- what a plate holds ---

create table if not exists scopestream_data.layout (
    layout_id integer generated always as identity primary key,
    plate text not null, -- as the frames call it; '*': every plate that has no layout of its own
    rows integer not null check (rows between 1 and 48),
    columns integer not null check (columns between 1 and 48),
    loaded_at timestamptz not null default clock_timestamp(),
    loaded_by text not null default session_user,
    unique (plate)
);
create table if not exists scopestream_data.layout_well (
    layout_id integer not null references scopestream_data.layout on delete cascade,
    well text not null check (well ~ '^[A-Z]{1,2}\d{2}$'),
    role text not null default 'sample'
        check (role in ('sample', 'positive', 'negative', 'reference', 'blank', 'empty')), -- empty: nothing is to be imaged
    treatment text,
    concentration double precision check (concentration >= 0),
    concentration_unit text,
    primary key (layout_id, well)
);

-- --- baselines: what is usual ---

-- Expressions over measures whose medians and MADs are kept: those that models and rules ask z(), rank(),
-- median() or mad() of. feature_id is its place in the arrays of a baseline.
create table if not exists scopestream_data.feature (
    feature_id integer primary key check (feature_id between 1 and 500),
    expression text not null unique, -- normalised, as people write it: log(vollath_f4)
    sql text not null,               -- the same as SQL over the row v of result
    since timestamptz not null default clock_timestamp()
);

-- One row a pipeline, source, experiment, plate, channel and plane; role 'controls' beside 'all' where the
-- layout names negative controls.
create table if not exists scopestream_data.baseline (
    baseline_id bigint generated always as identity primary key,
    pipeline_id integer not null references scopestream_data.pipeline,
    source text not null,
    experiment text,
    plate text,
    channel text,
    z integer,
    role text not null default 'all' check (role in ('all', 'controls')),
    frames bigint not null default 0,            -- distinct frames with numbers met so far
    refreshed_frames bigint not null default 0,  -- of these, when the figures were last computed
    first_acquired_at timestamptz,
    last_acquired_at timestamptz,
    counts integer[] not null default '{}',            -- by feature_id: values in the sample that are not NULL
    medians double precision[] not null default '{}',
    mads double precision[] not null default '{}',     -- median absolute deviation, without the factor 1.4826
    quantiles double precision[] not null default '{}', -- nine a feature, 0, 1/8, ... 1, one feature after the other
    unique nulls not distinct (pipeline_id, source, experiment, plate, channel, z, role)
) with (fillfactor = 50);
create index if not exists baseline_recent on scopestream_data.baseline (source, channel, last_acquired_at desc);

-- The frames a baseline is computed from: up to 1024, those with the least sample_key, which is the first half of
-- the frame's id and so as good as random: the same frames whatever the order they came in.
create table if not exists scopestream_data.baseline_sample (
    baseline_id bigint not null references scopestream_data.baseline on delete cascade,
    sample_key bigint not null,
    frame_id uuid not null,
    acquired_at timestamptz not null,
    "values" double precision[] not null, -- by feature_id
    primary key (baseline_id, sample_key, frame_id)
);

-- A baseline somebody kept under a name, to compare with: a plate known to be good.
create table if not exists scopestream_data.saved_baseline (
    name text not null check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
    pipeline text not null,
    source text not null,
    channel text,
    z integer,
    frames bigint not null,
    saved_at timestamptz not null default clock_timestamp(),
    saved_by text not null default session_user,
    figures jsonb not null, -- expression of a feature to {"n":, "median":, "mad":, "quantiles": []}
    unique nulls not distinct (name, pipeline, source, channel, z)
);

-- Which frames of a source showed which pixels; forgotten after a week.
create table if not exists scopestream_data.pixels_seen (
    source text not null,
    pixel_hash bigint not null,
    acquired_at timestamptz not null,
    frame_id uuid not null,
    file bigint not null, -- hash of path and page: a file written again shows what it showed
    primary key (source, pixel_hash, acquired_at, frame_id)
);
-- No index of blocks: frames of today are written where those of last week were.
create index if not exists pixels_seen_time on scopestream_data.pixels_seen (source, acquired_at);

-- --- priorities ---

-- A score s belongs to tiers[i] where bounds[i - 1] <= s < bounds[i]: exactly one, whatever s is.
create table if not exists scopestream_data.policy (
    name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
    tiers text[] not null,            -- from the least interesting to the most
    bounds double precision[] not null, -- ascending, one fewer than tiers
    description text,
    created_by text not null default session_user
);

create table if not exists scopestream_data.model (
    model_id integer generated always as identity primary key,
    name text not null check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    version integer not null default 0, -- counts the rows of a name, from 1; a trigger does
    score text not null,                -- expression; may use the names of the parts
    parts jsonb not null default '{}',  -- name of a part to its expression, shown beside the score
    reference text not null default 'plate', -- what z() and its like compare with: baseline_for()
    policy text not null default 'four_tiers' references scopestream_data.policy,
    unknown_score double precision not null default 1 check (unknown_score between 0 and 1), -- where score is NULL
    enabled boolean not null default true, -- frames are scored as they come; at most one version of a name
    is_default boolean not null default false, -- the one rules and people mean by `score`; at most one
    built_in boolean not null default false,
    description text,
    created_at timestamptz not null default clock_timestamp(),
    created_by text not null default session_user,
    unique (name, version)
);
create unique index if not exists model_enabled on scopestream_data.model (name) where enabled;
create unique index if not exists model_default on scopestream_data.model ((true)) where is_default;

create table if not exists scopestream_data.priority (
    frame_id uuid not null,
    acquired_at timestamptz not null,
    pipeline_id integer not null,
    model_id integer not null,
    score double precision not null check (score between 0 and 1),
    tier text not null,
    known boolean not null,  -- false: the model had no answer, score is its unknown_score
    parts jsonb,             -- name of a part to its value
    compared_with text,      -- whose medians: 'plate', 'plate P07' (the one before), 'controls', ...; NULL: nothing was usual yet
    scored_at timestamptz not null default clock_timestamp(),
    primary key (frame_id, pipeline_id, model_id, acquired_at)
) partition by range (acquired_at);
create index if not exists priority_best on scopestream_data.priority (model_id, score desc);

-- --- rules and alerts ---

create table if not exists scopestream_data.rule (
    rule_id integer generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    kind text not null default 'bound'
        check (kind in ('bound', 'ewma', 'cusum', 'silence', 'missing', 'event')),
    -- bound: expression comparison bound, for each frame
    -- ewma:  the moving average of expression leaves +-bound (weight 0.2 for the newest)
    -- cusum: the cumulated excess of expression over +-slack leaves +-bound; starts anew after it did
    -- silence: no frame of a source for bound times its usual interval
    -- missing: sites or wells that others of the plate, or its layout, have
    -- event: an event of this name (expression holds it): unfinished, ...
    expression text,
    comparison text not null default '>' check (comparison in ('>', '>=', '<', '<=')),
    bound double precision,
    clear_bound double precision, -- hysteresis: good only beyond this; NULL: bound
    slack double precision not null default 0.5 check (slack >= 0), -- cusum
    reference text not null default 'plate',
    sources text[], -- only these; NULL: all
    channels text[],
    k integer not null default 1 check (k between 1 and 64),  -- an alert is due when k of the last n frames are bad
    n integer not null default 1 check (n between 1 and 64),
    clear_after integer check (clear_after > 0), -- good frames in a row that close the alert; NULL: a person does
    group_by text not null default 'plate' check (group_by in ('source', 'plate', 'channel', 'well', 'site')),
    -- one open alert a rule and group; channel: of a plate
    rearm_s double precision not null default 0 check (rearm_s >= 0), -- after an alert was closed, none for so long
    most_per_hour integer not null default 20 check (most_per_hour > 0), -- further ones are kept and not sent
    severity text not null default 'warning' check (severity in ('info', 'warning', 'critical')),
    action text check (action in ('image_again', 'skip', 'continue')), -- for each site found bad
    action_expires_s double precision not null default 3600 check (action_expires_s > 0),
    most_attempts integer not null default 2 check (most_attempts > 0), -- image_again for one site; then skip
    enabled boolean not null default true,
    built_in boolean not null default false,
    description text,
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    created_by text not null default session_user,
    check (k <= n),
    check (kind in ('silence', 'missing') or expression is not null),
    check (kind in ('missing', 'event') or bound is not null)
);

-- Where a rule stands in a group of frames.
create table if not exists scopestream_data.rule_state (
    rule_id integer not null references scopestream_data.rule on delete cascade,
    group_key text not null, -- JSON array of source, experiment, plate, ... as far as group_by goes
    recent bit(64) not null default repeat('0', 64)::bit(64), -- bad frames, the newest in the last bit
    good_run integer not null default 0,
    pending bigint[] not null default '{}', -- findings in the window, up to k - 1, that belong to no alert yet
    alert_id bigint, -- open
    rearm_at timestamptz,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (rule_id, group_key)
) with (fillfactor = 50);
create index if not exists rule_state_group on scopestream_data.rule_state (group_key);

-- What a chart (ewma, cusum) has added up: one a rule, pipeline, plate, channel and plane, whatever the rule groups by.
create table if not exists scopestream_data.rule_chart (
    rule_id integer not null references scopestream_data.rule on delete cascade,
    chart_key text not null, -- JSON array of pipeline_id, source, experiment, plate, channel, z
    ewma double precision not null default 0,
    high double precision not null default 0,
    low double precision not null default 0,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (rule_id, chart_key)
) with (fillfactor = 50);

-- A frame, site or well that a rule found bad.
create table if not exists scopestream_data.finding (
    finding_id bigint generated always as identity,
    acquired_at timestamptz not null,
    rule_id integer not null,
    alert_id bigint, -- NULL: k of n were not reached, or rate and rearm held it back
    frame_id uuid,   -- NULL where no frame is the matter
    pipeline_id integer,
    source text not null,
    experiment text,
    plate text,
    well text,
    site integer,
    channel text,
    value double precision,
    bound double precision,
    detail text,
    found_at timestamptz not null default clock_timestamp(),
    primary key (finding_id, acquired_at)
) partition by range (acquired_at);
create index if not exists finding_frame on scopestream_data.finding (frame_id);
create index if not exists finding_alert on scopestream_data.finding (alert_id);
create index if not exists finding_rule on scopestream_data.finding (rule_id, found_at);

create table if not exists scopestream_data.alert (
    alert_id bigint generated always as identity primary key,
    rule_id integer references scopestream_data.rule on delete set null,
    rule text not null,        -- its name when the alert was opened
    severity text not null,
    state text not null default 'open' check (state in ('open', 'acknowledged', 'closed')),
    source text not null,
    experiment text,
    plate text,
    wells text[] not null default '{}',    -- sorted, each once, up to 2000
    channels text[] not null default '{}',
    findings bigint not null default 0,
    frame_id uuid,             -- the first frame found
    acquired_at timestamptz,
    worst_frame_id uuid,       -- the one farthest from the bound
    value double precision,    -- of the worst
    bound double precision,
    title text not null,       -- one line a person understands
    opened_at timestamptz not null default clock_timestamp(),
    last_at timestamptz not null default clock_timestamp(), -- last finding
    acknowledged_at timestamptz,
    acknowledged_by text,
    closed_at timestamptz,
    closed_by text,            -- a person, or 'rule'
    note text,
    sent boolean not null default true, -- false: the rate limit held it back
    told_at timestamptz,                -- when a message last told of it
    told_findings bigint not null default 0 -- how many findings it had then
);
create index if not exists alert_open on scopestream_data.alert (opened_at) where state <> 'closed';
create index if not exists alert_plate on scopestream_data.alert (plate, opened_at);
create index if not exists alert_rate on scopestream_data.alert (rule_id, opened_at);

-- What the microscope should do at a site. The newest for a site counts.
create table if not exists scopestream_data.decision (
    decision_id bigint generated always as identity primary key,
    source text not null,
    experiment text,
    plate text,
    well text,
    site integer, -- NULL: the whole well
    channels text[] not null default '{}', -- NULL or empty: all
    action text not null check (action in ('image_again', 'skip', 'continue')),
    attempt integer not null default 1, -- of image_again at this site
    reason text not null,
    rule_id integer,
    alert_id bigint,
    frame_id uuid, -- the frame that led to it
    decided_at timestamptz not null default clock_timestamp(),
    decided_by text not null default session_user, -- 'rule', or a person
    expires_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'done', 'replaced', 'withdrawn'))
);
create index if not exists decision_open on scopestream_data.decision (source, plate, well, site) where state = 'open';
create index if not exists decision_site on scopestream_data.decision (source, plate, well, site, decided_at);

-- --- what is to be told outside ---

-- Written in the transaction it tells of, published after it, then deleted: scopestream-store.
create table if not exists scopestream_data.message (
    message_id bigint generated always as identity primary key,
    kind text not null check (kind in ('alert', 'decision', 'priority')),
    source text not null,
    body jsonb not null,
    written_at timestamptz not null default clock_timestamp()
);

-- One row for each webhook of the settings and each message it wants, until it was delivered or given up.
create table if not exists scopestream_data.webhook (
    name text primary key,
    kinds text[] not null default '{alert}',
    least_severity text not null default 'warning' check (least_severity in ('info', 'warning', 'critical')),
    registered_at timestamptz not null default clock_timestamp()
);
create table if not exists scopestream_data.webhook_post (
    post_id bigint generated always as identity primary key,
    webhook text not null references scopestream_data.webhook on delete cascade,
    body jsonb not null,
    attempts integer not null default 0,
    next_at timestamptz not null default clock_timestamp(),
    last_error text,
    given_up boolean not null default false,
    written_at timestamptz not null default clock_timestamp()
);
create index if not exists webhook_post_due on scopestream_data.webhook_post (next_at) where not given_up;

-- --- steering itself ---

-- One row of settings.
create table if not exists scopestream_data.steering (
    only_row boolean primary key default true check (only_row),
    enabled boolean not null default true, -- false: rows are stored and nothing else is done
    tell_growth_s double precision not null default 30 check (tell_growth_s > 0) -- a growing alert is told so often
);
insert into scopestream_data.steering default values on conflict do nothing;

-- Rows that were stored while steering failed; tried again, halved, until they are steered or given up.
create table if not exists scopestream_data.unsteered (
    unsteered_id bigint generated always as identity primary key,
    keys scopestream_data.row_key[] not null,
    attempts integer not null default 1,
    next_at timestamptz, -- NULL: given up
    error text not null,
    since timestamptz not null default clock_timestamp()
);
create index if not exists unsteered_due on scopestream_data.unsteered (next_at) where next_at is not null;

-- --- months ---

create or replace function scopestream_data.ensure_partitions(first timestamptz, last timestamptz)
    returns integer -- how many months were made
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    parents constant text[] := array['frame', 'result', 'thumbnail', 'priority', 'finding'];
    month timestamptz := date_trunc('month', first);
    suffix text;
    parent text;
    made integer := 0;
begin
    if first is null or last is null or first < '2000-01-01' or last >= '2100-01-01' then
        raise exception 'months run from 2000-01 to 2099-12, not from % to %', first, last
            using errcode = 'datetime_field_overflow';
    end if;
    while month <= last loop
        suffix := to_char(month, 'YYYY_MM');
        if to_regclass('scopestream_data.finding_' || suffix) is null then -- the last that is made
            -- One at a time; the second to come finds the tables made.
            perform pg_advisory_xact_lock(hashtext('scopestream partitions'));
            foreach parent in array parents loop
                perform scopestream_data.ensure_partition(parent, suffix, month);
            end loop;
            made := made + 1;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;

-- The months that were made before there were priorities.
do $$
declare
    month timestamptz;
begin
    for month in
        select (replace(right(c.relname, 7), '_', '-') || '-01 00:00+00')::timestamptz
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'scopestream_data.frame'::regclass and c.relname ~ '^frame_\d{4}_\d\d$'
    loop
        perform scopestream_data.ensure_partitions(month, month);
    end loop;
end
$$;

insert into scopestream_data.schema_migration (version, name, sha256) values (10, '010_steering_tables.sql', '')
on conflict (version) do nothing;

reset role;
