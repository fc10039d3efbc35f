import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whether requests are admitted is looked up by index for each, whatever the planner knows. It plans these statements while
 * the tables are empty and nothing tells one index from another, and goes on with that plan until their statistics come:
 * it read the whole table for every batch, or hashed all keys, or read all requests of the client for each ask.
 */
export class AdmissionByIndex1764443400000 implements MigrationInterface {
  readonly name = 'AdmissionByIndex1764443400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(lookUpKeys);
    await queryRunner.query('alter function prompt_facts(bytea[]) set enable_seqscan = off');
    await queryRunner.query('alter function admit_requests(bytea[], uuid[], uuid[], json) set enable_seqscan = off');
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

/**
 * `admit_requests` as it is (1764442200000), but for the lookup of a key. A scalar subquery is never hashed; and in the order
 * of client and key there is one index only, of which the first entry from there on is read.
 */
const lookUpKeys = /* sql */ `
do $$
declare
  was text := pg_get_functiondef('admit_requests(bytea[], uuid[], uuid[], json)'::regprocedure);
  becomes text := regexp_replace(
    was,
    'exists \\(select from (authorization_requests|joined_requests) k[^)]+\\)',
    'coalesce((
          select (k.api_client_id, k.idempotency_key) = (a.api_client_id, a.idempotency_key)
          from (
            select r.api_client_id, r.idempotency_key from \\1 r
            where (r.api_client_id, r.idempotency_key) >= (a.api_client_id, a.idempotency_key)
            order by r.api_client_id, r.idempotency_key limit 1) k), false)',
    'g');
begin
  if regexp_count(becomes, 'limit 1\\) k\\), false\\)') <> 2 then
    raise exception 'admit_requests does not look up keys as it should';
  end if;
  execute becomes;
end $$`;
