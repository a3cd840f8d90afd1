/** The database's schema as migrations, in order; a released one is never changed, only followed by another. */

export interface Migration {
  id: number;
  sql: string;
}

export const migrations: Migration[] = [
  {
    id: 1,
    sql: `
-- What GitHub delivered, each once. 'seq' is the order of arrival; 'verdict' is null until somebody has decided.
create table deliveries (
  id text primary key,
  seq bigint generated always as identity,
  event text not null,
  action text,
  repository text,
  thread_key text,
  installation_id bigint,
  source text not null default 'webhook' check (source in ('webhook', 'fetched')),
  payload text not null,
  -- SHA-256 of the body: its signature does not cover the delivery id, so that a replay may come under another one.
  digest text,
  received_at timestamptz not null default now(),
  verdict text check (verdict in ('run', 'ignore', 'deny', 'set_aside')),
  reason text,
  message text,
  facts jsonb,
  decided_at timestamptz,
  attempts integer not null default 0,
  error text
);
-- Compressing would take three times as long as storing: it is what a burst of deliveries would wait for.
alter table deliveries alter column payload set storage external;
create index deliveries_undecided on deliveries (thread_key, seq) where verdict is null;
create index deliveries_received on deliveries (received_at);
create index deliveries_thread on deliveries (thread_key, seq);
create index deliveries_digest on deliveries (digest);

-- One issue or pull request: the unit of order and isolation. The lease says which session process may write for it.
create table threads (
  key text primary key,
  repository text not null,
  number integer not null,
  kind text not null check (kind in ('issue', 'pull_request')),
  installation_id bigint,
  title text not null default '',
  -- The issue or pull request is open and may be worked on; waits for a person; is closed.
  state text not null default 'open' check (state in ('open', 'paused', 'closed')),
  pause_reason text,
  pause_message text,
  -- The task that the thread began with (words/task.ts).
  task jsonb,
  branch text,
  pull_number integer,
  pull_url text,
  -- What the session needs to go on (server/session): branch plan, gate, comment; JSON of the engine's own shapes.
  progress jsonb not null default '{}',
  claude_session_id text,
  session_name text,
  lease_owner uuid,
  lease_until timestamptz,
  -- Of the process that holds the lease: host, pid with its start time (a pid alone may be another's by now), run mark.
  lease_host text,
  lease_pid integer,
  lease_pid_started text,
  lease_mark text,
  in_tmux boolean not null default false,
  activity text check (activity in ('preparing', 'working', 'idle')),
  -- Starts that failed in a row, and when the next one may be tried.
  failures integer not null default 0,
  not_before timestamptz,
  spent_usd double precision not null default 0,
  -- Dollars, turns and minutes that '/continue' has granted on top of the operator's limits per session.
  granted jsonb not null default '{}',
  turns integer not null default 0,
  workspace_host text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  closed_at timestamptz
);
create index threads_repository on threads (repository, pull_number);
create index threads_number on threads (repository, number);
create index threads_leased on threads (lease_until) where lease_owner is not null;

-- What is to be said in a thread's conversation, in order of 'seq'. 'id' is the uuid of the message for Claude Code.
create table messages (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity unique,
  thread_key text not null references threads on delete cascade,
  delivery_id text,
  -- task: the first one, composed of the whole thread; comment: a follow-up; note: ours (/retry, /continue, reopened).
  kind text not null check (kind in ('task', 'comment', 'note')),
  actor text not null,
  body text not null,
  -- The comment or review it came from (words/event.ts Item), for reactions, edits and answers; null for notes.
  item jsonb,
  -- The node to react on; the issue itself when the thread was opened.
  node_id text,
  -- What was sent to Claude, kept from the first sending on: {material, request, materialId}.
  composed jsonb,
  state text not null default 'queued' check (state in ('queued', 'delivered', 'done', 'withdrawn', 'set_aside')),
  failures integer not null default 0,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  done_at timestamptz
);
create index messages_open on messages (thread_key, seq) where state in ('queued', 'delivered');
create index messages_delivery on messages (delivery_id);

-- Claude Code's transcript as its SDK hands it over; text, because jsonb takes no NUL and changes the order of keys.
create table transcript (
  seq bigint generated always as identity primary key,
  thread_key text not null references threads on delete cascade,
  session_id text not null,
  subpath text not null default '',
  -- An append whose answer was lost is sent again under the same id, and adds nothing the second time.
  batch uuid not null,
  place integer not null,
  entry text not null,
  created_at timestamptz not null default now(),
  unique (batch, place)
);
create index transcript_session on transcript (session_id, subpath, seq);

-- What happens in sessions, for people who watch.
create table session_events (
  id bigint generated always as identity primary key,
  thread_key text not null references threads on delete cascade,
  kind text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index session_events_thread on session_events (thread_key, id);

-- What was spent, for the caps per repository and day.
create table spend (
  thread_key text not null,
  repository text not null,
  usd double precision not null,
  at timestamptz not null default now()
);
create index spend_at on spend (at);

-- Where recurring work left off.
create table cursors (
  name text primary key,
  value jsonb not null
);

-- Whose a correlation id is: of the run whose event was accepted first, for as long as it is kept.
create table progress_runs (
  correlation_id text primary key,
  repository text not null,
  run_id text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index progress_runs_updated on progress_runs (updated_at);

-- What runs have reported. 'id' is the order of acceptance within a correlation id: its row above is locked meanwhile.
create table progress_events (
  id bigint generated always as identity primary key,
  correlation_id text not null references progress_runs on delete cascade,
  event_id uuid not null,
  run_attempt bigint not null,
  sequence bigint not null,
  terminal boolean not null,
  status text not null,
  -- The event as JSON; text, because jsonb takes no NUL.
  event text not null,
  created_at timestamptz not null default now(),
  unique (correlation_id, event_id)
);
create index progress_events_run on progress_events (correlation_id, id);

-- Events that the operator's backend has not acknowledged. Of a stream (correlation id and attempt) only the first one
-- that is not dead may be sent, by whoever has locked its row.
create table progress_outbox (
  id bigint primary key references progress_events on delete cascade,
  correlation_id text not null,
  run_attempt bigint not null,
  attempts integer not null default 0,
  -- How many of the attempts the backend itself has refused.
  refusals integer not null default 0,
  not_before timestamptz not null default now(),
  give_up_at timestamptz not null default now() + interval '1 day',
  -- Set: given up, with this error as the last one; kept for people.
  dead_at timestamptz,
  error text
);
create index progress_outbox_stream on progress_outbox (correlation_id, run_attempt, id) where dead_at is null;
create index progress_outbox_due on progress_outbox (not_before) where dead_at is null;
`,
  },
];
