import { v7 as uuid } from 'uuid';
import { system, type Acting } from '../audit/acting.js';
import { recordAudit } from '../audit/record-audit.js';
import { erasePortion, eraseRequests } from '../requests/erase-requests.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { ErasureStore, PersonSelector } from './work.types.js';

/** Finds everything about one person, by the keyed hash of the name or by the subject in the evidence, and erases it. */
export class PostgresErasureStore implements ErasureStore {
  constructor(private readonly context: StoreContext) {}

  async unfinished(person: PersonSelector): Promise<{ readonly open: string[]; readonly undecided: string[] }> {
    const rows = await this.context.sql.rows<{ id: string; is_open: boolean }>(
      selectUnfinished,
      this.parametersOf(person),
    );
    return {
      open: rows.filter((row) => row.is_open).map(({ id }) => id),
      undecided: rows.filter((row) => !row.is_open).map(({ id }) => id),
    };
  }

  async erase(person: PersonSelector, signal?: AbortSignal): Promise<number> {
    let erased = 0;
    for (;;) {
      const portion = await this.context.sql.transaction(async (client) => {
        const found = await client.query<{ id: string }>(lockDecided, [...this.parametersOf(person), erasePortion]);
        const ids = found.rows.map(({ id }) => id);
        await eraseRequests(this.context, client, ids);
        return ids.length;
      });
      erased += portion;
      if (portion < erasePortion || signal?.aborted === true) return erased;
    }
  }

  async record(
    { by, erased, cancelled }: { readonly by: string; readonly erased: number; readonly cancelled: number },
    acting: Acting = system,
  ) {
    const id = uuid();
    return this.context.sql.transaction(async (client) => {
      const { rows } = await client.query<{ created_at: Date }>(insertErasure.text, [id, by, erased, cancelled]);
      const resource = { type: 'person', id, name: null };
      await recordAudit(client, acting, { action: 'person.erased', resource, detail: { erased, cancelled } });
      return { id, at: rows[0]!.created_at };
    });
  }

  // A subject may have been the login hint, too.
  private parametersOf({ name, subject }: PersonSelector): [Buffer, string | null] {
    return [this.context.lookup.ofPerson(name), subject];
  }
}

const ofPerson = /* sql */ `(subject_key = $1::bytea
    or (erased_at is null and evidence is not null and evidence_subject(evidence) = $2::text)
    or (erased_at is null and late_evidence is not null and evidence_subject(late_evidence) = $2::text))`;

const selectUnfinished = statement(
  'select_unfinished_of_person',
  /* sql */ `
  select id, ended_at is null as is_open from authorization_requests where ${ofPerson} and decision_id is null`,
);

const lockDecided = /* sql */ `
  select id from authorization_requests
  where ${ofPerson} and erased_at is null and decision_id is not null
  order by id limit $3::integer for update`;

const insertErasure = statement(
  'insert_erasure',
  /* sql */ `
  insert into erasures (id, api_client_id, erased, cancelled) values ($1, $2, $3, $4) returning created_at`,
);
