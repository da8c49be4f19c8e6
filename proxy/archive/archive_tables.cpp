#include "proxy/archive/archive_tables.hpp"

namespace tollgate::proxy::archive {

const char* const has_tables = R"(
select count(to_regclass(name)) = count(*) from unnest(array['tollgate_ledger', 'tollgate_statement',
  'tollgate_usage', 'tollgate_position', 'tollgate_store', 'tollgate_lease', 'tollgate_usage_hour',
  'tollgate_usage_late', 'tollgate_ledger_at']) as name)";

// The lock is for several sidecars that start at once. It ends with the transaction.
const char* const create_tables = R"(
select pg_advisory_xact_lock(hashtextextended('tollgate tables', 0));
create table if not exists tollgate_ledger (
  org text not null, ms bigint not null, number bigint not null,
  at timestamptz not null, type text not null, subject text not null,
  amount_micro bigint not null, released_micro bigint not null, overage_micro bigint not null,
  available_micro bigint not null, used bigint not null, cycle bigint not null,
  request_id text not null, route text not null, action text not null, model text not null,
  agent text not null, conversation text not null, key text not null,
  kind text not null, note text not null,
  primary key (org, ms, number));
create table if not exists tollgate_statement (
  org text not null, cycle bigint not null, starts timestamptz not null, ends timestamptz not null,
  statement jsonb not null,
  primary key (org, cycle));
create table if not exists tollgate_usage (
  org text not null, hour timestamptz not null, late boolean not null,
  route text not null, action text not null, model text not null,
  agent text not null, conversation text not null, key text not null,
  credits_micro bigint not null, calls bigint not null, used bigint not null);
create table if not exists tollgate_position (
  org text primary key, ms bigint not null, number bigint not null,
  hour bigint not null, statement bigint not null);
create table if not exists tollgate_store (
  id text not null, one boolean primary key default true check (one));
create table if not exists tollgate_lease (
  holder text not null, term bigint not null, until timestamptz not null,
  one boolean primary key default true check (one));
alter table tollgate_ledger add column if not exists billed_us bigint not null default 0;
alter table tollgate_usage add column if not exists billed_us bigint not null default 0;
create index if not exists tollgate_usage_hour on tollgate_usage (org, hour);
create index if not exists tollgate_usage_late on tollgate_usage (org) where late;
create index if not exists tollgate_ledger_at on tollgate_ledger (org, at);
)";

const char* const describe_tables = R"(
comment on table tollgate_ledger is 'Tollgate: every change of a balance, once. Rows are never changed.';
comment on column tollgate_ledger.org is 'The organization';
comment on column tollgate_ledger.ms is 'First half of the entry''s id: its time, in milliseconds since 1970 (UTC)';
comment on column tollgate_ledger.number is 'Second half of the id: the order within the millisecond';
comment on column tollgate_ledger.at is 'The time of the entry, as in ms';
comment on column tollgate_ledger.type is
  'reserve, extend, release, settle, void, expire, grant, bill or another type of proxy/archive/README.md';
comment on column tollgate_ledger.subject is 'What the entry is about: the id of a hold, a grant or a cycle';
comment on column tollgate_ledger.amount_micro is
  'Micro-credits (10^-6 credits): held, charged or granted, depending on the type';
comment on column tollgate_ledger.released_micro is 'Micro-credits that were held and are given back';
comment on column tollgate_ledger.overage_micro is 'Micro-credits of the amount beyond all grants';
comment on column tollgate_ledger.available_micro is 'Micro-credits that were available after the entry';
comment on column tollgate_ledger.used is
  'What was used: requests, queries, or microseconds of audio where billed_us is not 0';
comment on column tollgate_ledger.cycle is 'The billing cycle: its number, from 0';
comment on column tollgate_ledger.request_id is 'The X-Request-Id of the call';
comment on column tollgate_ledger.route is 'The route of the call, as in the configuration';
comment on column tollgate_ledger.action is 'What the call is counted as: llm, tts, stt, query, api, ...';
comment on column tollgate_ledger.model is 'The model of the call; empty where none was read';
comment on column tollgate_ledger.agent is 'The agent that the caller named; empty: none';
comment on column tollgate_ledger.conversation is 'The conversation that the caller named; empty: none';
comment on column tollgate_ledger.key is 'The id of the API key, never the key itself';
comment on column tollgate_ledger.kind is
  'Grants: allocation, rollover, purchase, promotion, correction, top_up, ...';
comment on column tollgate_ledger.note is 'The note that was given with a grant';
comment on column tollgate_ledger.billed_us is 'Microseconds of audio that were paid for; 0: not audio';
comment on table tollgate_statement is 'Tollgate: one statement per organization and cycle that no late call can change';
comment on column tollgate_statement.org is 'The organization';
comment on column tollgate_statement.cycle is 'The billing cycle: its number, from 0';
comment on column tollgate_statement.starts is 'The first moment of the cycle';
comment on column tollgate_statement.ends is 'The first moment after the cycle';
comment on column tollgate_statement.statement is 'The statement, as the API shows it';
comment on table tollgate_usage is
  'Tollgate: what was charged per hour, by route, action, model, agent, conversation and key';
comment on column tollgate_usage.org is 'The organization';
comment on column tollgate_usage.hour is 'The first moment of the hour (UTC)';
comment on column tollgate_usage.late is 'Booked in a closed cycle, in its last hour; such rows may be written again';
comment on column tollgate_usage.route is 'The route of the calls, as in the configuration';
comment on column tollgate_usage.action is 'What the calls are counted as';
comment on column tollgate_usage.model is 'The model; empty where none was read';
comment on column tollgate_usage.agent is 'The agent; empty: none';
comment on column tollgate_usage.conversation is 'The conversation; empty: none';
comment on column tollgate_usage.key is 'The id of the API key';
comment on column tollgate_usage.credits_micro is 'Micro-credits charged in this hour';
comment on column tollgate_usage.calls is 'Calls that were charged in this hour';
comment on column tollgate_usage.used is
  'What was used: requests, queries, or microseconds of audio where billed_us is not 0';
comment on column tollgate_usage.billed_us is 'Microseconds of audio that were paid for; 0: not audio';
comment on table tollgate_position is 'Tollgate: how far the archive goes for each organization. Do not change it.';
comment on column tollgate_position.org is 'The organization';
comment on column tollgate_position.ms is 'First half of the id of the last archived entry';
comment on column tollgate_position.number is 'Second half of that id';
comment on column tollgate_position.hour is
  'The archive has the usage of all earlier hours; hours since 1970 (UTC)';
comment on column tollgate_position.statement is 'The archive has the statements of all earlier cycles';
comment on table tollgate_store is 'Tollgate: one row, the store (Redis) to which this archive belongs';
comment on column tollgate_store.id is 'The id of the store: tollgate:store_id in Redis';
comment on column tollgate_store.one is 'Always true: there is one row';
comment on table tollgate_lease is 'Tollgate: one row, which Tollgate writes the archive now';
comment on column tollgate_lease.holder is 'A random id of the Tollgate that writes';
comment on column tollgate_lease.term is 'Increases with every change of the holder';
comment on column tollgate_lease.until is 'Unless the holder extends it, another may write from then on';
comment on column tollgate_lease.one is 'Always true: there is one row';
)";

}  // namespace tollgate::proxy::archive
