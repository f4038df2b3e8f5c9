-- A month's tables. The store makes them ahead of time; a frame of a month that has none (an old file
-- copied in, a camera PC with a wrong clock) makes its own.

set client_min_messages = warning;
set role scopestream_owner;

create or replace function scopestream_data.ensure_partitions(first timestamptz, last timestamptz)
    returns integer -- how many months were made
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
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
        if to_regclass('scopestream_data.thumbnail_' || suffix) is null then
            -- One at a time; the second to come finds the tables made.
            perform pg_advisory_xact_lock(hashtext('scopestream partitions'));
            foreach parent in array array['frame', 'result', 'thumbnail'] loop
                perform scopestream_data.ensure_partition(parent, suffix, month);
            end loop;
            made := made + 1;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;
comment on function scopestream_data.ensure_partitions is 'Makes the monthly tables from one time to another, where they are missing';

-- Made beside its parent and then attached: CREATE TABLE ... PARTITION OF would lock out everybody
-- who reads the parent, ATTACH locks out nobody.
create or replace function scopestream_data.ensure_partition(parent text, suffix text, month timestamptz)
    returns void
    language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    part text := parent || '_' || suffix;
begin
    if to_regclass('scopestream_data.' || part) is not null then
        return;
    end if;
    execute format('create table scopestream_data.%I (like scopestream_data.%I including all)',
                   part, parent);
    execute format('alter table scopestream_data.%I attach partition scopestream_data.%I '
                   'for values from (%L) to (%L)',
                   parent, part, month, month + interval '1 month');
end
$$;

revoke execute on function scopestream_data.ensure_partitions, scopestream_data.ensure_partition from public;
grant execute on function scopestream_data.ensure_partitions to scopestream_store;

reset role;
