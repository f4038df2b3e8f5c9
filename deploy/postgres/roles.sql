-- Logins for the programs and the people, after `scopestream-store migrate`: run as a superuser.
--
--   sudo -u postgres psql scopestream -f deploy/postgres/roles.sql
--
-- The groups scopestream_owner, _store and _reader are made by the migrations. Change the names of
-- the people; give passwords where they come over the network: \password alice

-- The store's program, on this host by its system user's name (peer authentication).
create role "scopestream-store" login in role scopestream_store;

-- The page's program (scopestream-store page): it has two connections, however many look.
create role "scopestream-page" login in role scopestream_reader connection limit 4;

-- A scientist, and Grafana: they see the views and change nothing. Statements that take too long
-- are theirs to end, not the store's to wait for.
create role alice login in role scopestream_reader;
alter role alice set search_path = scopestream;
alter role alice set jit = off; -- wide views take longer to compile than to read
alter role alice set statement_timeout = '5min';

create role grafana login in role scopestream_reader connection limit 10;
alter role grafana set search_path = scopestream;
alter role grafana set jit = off;
alter role grafana set statement_timeout = '30s';
