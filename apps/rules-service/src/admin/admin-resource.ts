import type { Page, PageQuery } from '#lib/contracts';
import type { Acting, AdminRow, AdminStore, DeleteResult, UpdateResult } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import type { z } from 'zod';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { invalidMember } from '../http/invalid-member.js';
import { nextLink } from '../http/next-link.js';
import { parseBody } from '../http/parse-body.js';
import { etagOf, expectedVersions, type ExpectedVersions } from './if-match.js';
import { mergePatch } from './merge-patch.js';

/** What one kind of administered object is. */
export interface AdminSubject<Row extends AdminRow, New, Change, Body> {
  /** In sentences: `rule`. */
  readonly noun: string;
  /** Where it lives: `/v1/rules`. */
  readonly path: string;
  /** The member that is unique. */
  readonly nameMember: string;
  readonly store: AdminStore<Row, New, Change>;
  /** What the API shows; nothing secret. */
  readonly show: (row: Row) => object;
  /** What a change must be as a whole. */
  readonly body: z.ZodType<Body>;
  /** The body that would make the object as it is, without what is write-only. */
  readonly toBody: (row: Row) => unknown;
  /** What the store makes of a body that changes the object. May throw a `ProblemError`. */
  readonly toChange: (body: Body, current: Row) => Change | Promise<Change>;
}

// Every repetition follows a change by somebody else.
const maxAttempts = 5;

/** The life of an administered object over HTTP: paging, entity tags, preconditions, and every way it can go wrong. */
export class AdminResource<Row extends AdminRow, New, Change, Body> {
  constructor(private readonly subject: AdminSubject<Row, New, Change, Body>) {}

  async list(query: PageQuery): Promise<Answer<Page<object>>> {
    const { store, path, show } = this.subject;
    const { data, nextCursor } = await inProblemTerms(store.list(query));
    return {
      status: 200,
      headers: nextLink(path, { limit: query.limit }, nextCursor),
      body: { data: data.map(show), nextCursor },
    };
  }

  /** `shownOnce`: secrets that only this answer shows. */
  async create(value: New, acting: Acting, shownOnce: object = {}): Promise<Answer> {
    const result = await this.subject.store.create(value, acting);
    switch (result.kind) {
      case 'created': {
        const { path, show } = this.subject;
        const headers = { ...tag(result.row), location: `${path}/${result.row.id}` };
        return { status: 201, headers, body: { ...show(result.row), ...shownOnce } };
      }
      case 'name-taken':
        throw this.nameTaken(result.member);
      case 'unknown-reference':
        throw unknownReference(result.member);
    }
  }

  async get(id: string): Promise<Answer> {
    return this.shown(await this.existing(id));
  }

  /** Replaces the whole object; what is write-only and left out stays. */
  async replace(id: string, ifMatch: string | undefined, body: Body, acting: Acting): Promise<Answer> {
    return this.change(id, ifMatch, acting, async () => body);
  }

  /** Changes the members that the patch names (RFC 7396). */
  async merge(id: string, ifMatch: string | undefined, patch: object, acting: Acting): Promise<Answer> {
    const { body, toBody } = this.subject;
    return this.change(id, ifMatch, acting, (current) => parseBody(body, mergePatch(toBody(current), patch)));
  }

  async delete(id: string, ifMatch: string | undefined, acting: Acting): Promise<Answer<undefined>> {
    const expected = expectedVersions(ifMatch);
    const current = await this.expected(id, expected);
    const result = await this.subject.store.delete(id, expected === null ? null : current.version, acting);
    if (result.kind === 'deleted') return { status: 204 };
    throw this.refusal(result);
  }

  /**
   * A change under the preconditions of the caller. Without one it is made again when the object moved in between: no
   * change of others is lost.
   */
  async update(
    id: string,
    ifMatch: string | undefined,
    work: (current: Row) => Promise<UpdateResult<Row>>,
  ): Promise<Answer> {
    const expected = expectedVersions(ifMatch);
    let current = await this.expected(id, expected);
    for (let attempt = 1; ; attempt++) {
      const result = await work(current);
      if (result.kind === 'updated') return this.shown(result.row);
      const again = result.kind === 'version-mismatch' && expected === null && attempt < maxAttempts;
      if (!again) throw this.refusal(result);
      current = result.current;
    }
  }

  /** @throws ProblemError `not_found` */
  find(id: string): Promise<Row> {
    return this.existing(id);
  }

  private change(
    id: string,
    ifMatch: string | undefined,
    acting: Acting,
    bodyFor: (current: Row) => Promise<Body>,
  ): Promise<Answer> {
    const { store, toChange } = this.subject;
    return this.update(id, ifMatch, async (current) =>
      store.update(id, current.version, await toChange(await bodyFor(current), current), acting),
    );
  }

  private async existing(id: string): Promise<Row> {
    const row = await this.subject.store.find(id);
    if (row === null) throw this.notFound();
    return row;
  }

  private async expected(id: string, expected: ExpectedVersions): Promise<Row> {
    const row = await this.existing(id);
    if (expected !== null && !expected.has(row.version)) throw this.versionMismatch(row);
    return row;
  }

  private shown(row: Row): Answer {
    return { status: 200, headers: tag(row), body: this.subject.show(row) };
  }

  private refusal(
    result: Exclude<UpdateResult<Row> | DeleteResult<Row>, { kind: 'updated' } | { kind: 'deleted' }>,
  ): ProblemError {
    const { noun } = this.subject;
    switch (result.kind) {
      case 'not-found':
        return this.notFound();
      case 'version-mismatch':
        return this.versionMismatch(result.current);
      case 'name-taken':
        return this.nameTaken(result.member);
      case 'unknown-reference':
        return unknownReference(result.member);
      case 'predefined':
        return new ProblemError('predefined', `This ${noun} is predefined. Make one of your own and refer to that.`);
      case 'in-use': {
        const users = result.users.map(({ kind, name }) => `${kind} "${name}"`).join(', ');
        return new ProblemError(
          'in_use',
          `This ${noun} is used by ${users || 'others'}. Change or delete that first.`,
          {
            users: [...result.users],
          },
        );
      }
    }
  }

  private notFound(): ProblemError {
    return new ProblemError('not_found', `There is no such ${this.subject.noun}.`);
  }

  private nameTaken(member = this.subject.nameMember): ProblemError {
    const { noun } = this.subject;
    return invalidMember(`/${member}`, `Another ${noun} has this ${member}. Choose another one.`, 'name_taken');
  }

  private versionMismatch(current: Row): ProblemError {
    const detail = `This ${this.subject.noun} is at version ${current.version} now. Read it again, then repeat your change.`;
    return new ProblemError('version_mismatch', detail, { headers: tag(current) });
  }
}

const tag = (row: AdminRow) => ({ etag: etagOf(row.version) });

const unknownReference = (member: string): ProblemError =>
  invalidMember(`/${member}`, `${member} names an object that does not exist.`, 'unknown_reference');
