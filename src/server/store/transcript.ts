/** Claude Code's transcripts in the database: what is in them has been said, and survives every process. */
import { randomUUID } from 'node:crypto';
import type { TranscriptStore } from '../../claude/transcript.ts';
import type { Database } from './database.ts';
import { insist } from './insist.ts';
import { LeaseLost } from './leases.ts';

/** The transcripts of one thread; each write holds the lease, so that a session that lost it cannot add a word. */
export function transcriptOf(database: Database, key: string, lease: string): TranscriptStore {
  return {
    append: async (sessionId, subpath, entries) => {
      if (entries.length === 0) return;
      const values = [
        key,
        lease,
        sessionId,
        subpath,
        randomUUID(),
        entries.map((entry) => JSON.stringify(entry)),
      ];
      await insist(async () => {
        const [answer] = await database.query<{ held: boolean }>(
          `with held as (
             select 1 from threads where key = $1 and lease_owner = $2 and lease_until > now() for share
           ), added as (
             insert into transcript (thread_key, session_id, subpath, batch, place, entry)
             select $1, $3, $4, $5, given.place, given.entry
             from held, unnest($6::text[]) with ordinality as given(entry, place) order by given.place
             on conflict (batch, place) do nothing
           )
           select exists (select from held) as held`,
          values,
        );
        if (!answer?.held) throw new LeaseLost(key);
      });
    },
    load: async (sessionId, subpath) => {
      const rows = await database.query<{ entry: string }>(
        `select entry from transcript where session_id = $1 and subpath = $2 and thread_key = $3 order by seq`,
        [sessionId, subpath, key],
      );
      return rows.length > 0 ? rows.map(({ entry }) => JSON.parse(entry) as unknown) : null;
    },
    subpaths: async (sessionId) => {
      const rows = await database.query<{ subpath: string }>(
        `select distinct subpath from transcript where session_id = $1 and thread_key = $2 and subpath <> ''`,
        [sessionId, key],
      );
      return rows.map(({ subpath }) => subpath);
    },
  };
}
