-- Who may do what, and where things stand.
--
-- Every file here runs in psql as it is (psql -v ON_ERROR_STOP=1 -f), in the order of its number, and may
-- run twice; `scopestream-store migrate` applies them in one transaction each and writes down which.
-- Run them as a superuser, or as a role with CREATEROLE and with CREATE on the database.

set client_min_messages = warning;

-- Groups, not people: logins are given one of them (docs/database.md).
do $$
declare
    wanted text;
begin
    foreach wanted in array array['scopestream_owner', 'scopestream_store', 'scopestream_reader'] loop
        begin
            if to_regrole(wanted) is null then
                execute format('create role %I nologin', wanted);
            end if;
        exception when duplicate_object or unique_violation then
            null; -- roles belong to the cluster: another database's migration was quicker
        end;
    end loop;
    -- What follows is made as the owner, so whoever runs it must be able to become the owner.
    if not pg_has_role(current_user, 'scopestream_owner', 'member') then
        execute format('grant scopestream_owner to %I', current_user);
    end if;
end
$$;

comment on role scopestream_owner is 'scopestream: owns every table, view and function; migrations run as it';
comment on role scopestream_store is 'scopestream: may store documents and nothing else; for scopestream-store run';
comment on role scopestream_reader is 'scopestream: sees schema scopestream; for scientists, Grafana, scopestream-store status';

create schema if not exists scopestream_data authorization scopestream_owner;
create schema if not exists scopestream authorization scopestream_owner;

set role scopestream_owner;

comment on schema scopestream_data is 'Tables of scopestream; ask the views of schema scopestream instead';
comment on schema scopestream is 'Views and functions for people';

grant usage on schema scopestream to scopestream_reader, scopestream_store;
grant usage on schema scopestream_data to scopestream_store;
alter default privileges in schema scopestream
    grant select on tables to scopestream_reader, scopestream_store;
alter default privileges revoke execute on functions from public;
alter default privileges in schema scopestream
    grant execute on functions to scopestream_reader, scopestream_store;

create table if not exists scopestream_data.schema_migration (
    version integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);
comment on table scopestream_data.schema_migration is 'Which of the numbered SQL files this database has';
comment on column scopestream_data.schema_migration.sha256 is 'of the file as it was when it was applied';

create or replace view scopestream.schema_version as
    select coalesce(max(version), 0) as version from scopestream_data.schema_migration;
comment on view scopestream.schema_version is 'Number of the last migration that was applied';
comment on column scopestream.schema_version.version is 'the program must know exactly this one';

reset role;
